import Tasks

extension APIDocument {
    static var voicePaths: [PathItem] {
        [
            PathItem(
                Operation(
                    path: "/api/v1/change_voice/", id: "change_voice_change_voice",
                    tag: "Voice Change", summary: "Give a recording another voice",
                    description: """
                        The voice is one of those that `voice_packs/list/` names. Gives one track, \
                        `converted_mix`, of type `back`.
                        """,
                    body: "VoiceChangeParameters", answer: .json("TaskResponse"),
                    failures: SharedResponse.withBody)),
            PathItem(
                Operation(
                    path: "/api/v1/voice_packs/list/", id: "voice_packs_list_packs",
                    tag: "Voice Change", summary: "See which voices there are",
                    answer: .json("VoicePackListResponse"), failures: SharedResponse.withoutBody)),
        ]
    }

    /// Voices, and what is asked of them.
    static var voiceSchemas: [JSON.Member] {
        [
            .init("TonalityReference", Schema.names(TonalityReference.allCases)),
            .init(
                "VoiceChangePresetsV1",
                Schema.object(voiceChangePresets, required: ["voice_pack_id"])),
            .init(
                "VoiceChangeParameters",
                submission(presets: "VoiceChangePresetsV1", "How the voice is changed.")),
            .init("TaskResponse", createdTask),
            .init(
                "VoicePackInfo",
                Schema.object(
                    [
                        .init("name", Schema.string("What people call the voice.")),
                        .init("pack_id", Schema.string("What `voice_pack_id` takes.")),
                        .init("created", Schema.integer("When it was made, in epoch seconds.")),
                        .init(
                            "ready_to_use",
                            Schema.boolean(
                                "Whether the voice is installed: tasks that name another one end in `error`."
                            ).addition),
                    ], required: ["name", "pack_id", "created"])),
            .init(
                "VoicePackListResponse",
                Schema.object(
                    [
                        .init(
                            "packs",
                            Schema.array(
                                Schema.ref("VoicePackInfo"), "The voices of this license."))
                    ], required: ["packs"])),
        ]
    }

    static var voiceChangePresets: [JSON.Member] {
        [
            .init(
                "voice_pack_id",
                Schema.string(
                    "The `pack_id` of a voice.",
                    [
                        "examples": .array(VoicePack.named.map { .string($0.id) })
                    ])),
            .init(
                "accent",
                Schema.type(
                    "number", "How much of the voice's accent is taken on: 0 none, 1 all of it.",
                    ["default": .number(1), "minimum": .number(0), "maximum": .number(1)])),
            .init(
                "tonality_reference",
                Schema.named(
                    "TonalityReference", default: "source_file",
                    "Whose pitch the result has: the recording's or the voice's.")),
            .init("dereverb_enabled", dereverb), .init("encoder_format", encoderFormat),
        ]
    }
}
