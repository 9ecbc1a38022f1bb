import Tasks

extension APIDocument {
    /// What splits can be told.
    static var presetSchemas: [JSON.Member] {
        [
            .init("SplitterType", Schema.names(Splitter.allCases)),
            .init("EncoderFormat", Schema.names(EncoderFormat.allCases)),
            .init("ExtractionLevel", Schema.names(ExtractionLevel.allCases)),
            .init(
                "FilteringLevel",
                Schema.integer(
                    nil,
                    [
                        "enum": .array(
                            NoiseCancelling.allCases.map { .integer(Int64($0.rawValue)) })
                    ])),
            .init(
                "StemSeparatorSplitterPresetsV1",
                Schema.object(stemSeparatorPresets, required: ["stem"])),
            .init("DemuserSplitterPresetsV1", Schema.object(demuserPresets, required: ["stem"])),
            .init("VoiceCleanPresetsV1", Schema.object(voiceCleanPresets, required: ["stem"])),
            .init(
                "MultistemSplitterPresetsV1",
                Schema.object(multistemPresets, required: ["stem_list"])),
        ]
    }

    static var stemSeparatorPresets: [JSON.Member] {
        splitPresets + [
            .init(
                "stem", Schema.names(Stem.allCases, "What is taken out. `guitar` is both guitars.")),
            .init(
                "multivocal",
                Schema.nullable(
                    Schema.const(Multivocal.leadBack.rawValue), default: .null,
                    "`lead_back` divides vocals into the lead (`vocals@0`) and the backing (`vocals@1`); other stems it leaves as they are."
                )),
            .init("extraction_level", extractionLevel),
        ]
    }

    static var demuserPresets: [JSON.Member] {
        splitPresets + [.init("stem", Schema.const("music", "Always `music`."))]
    }

    static var voiceCleanPresets: [JSON.Member] {
        splitPresets + [
            .init("stem", Schema.const("voice", "Always `voice`.")),
            .init(
                "noise_cancelling_level",
                Schema.named("FilteringLevel", default: 0, "How much noise goes: 2 is the most.")),
        ]
    }

    static var multistemPresets: [JSON.Member] {
        splitPresets + [
            .init(
                "stem_list",
                Schema.array(
                    Schema.names(MultistemPresets.offered), "What is taken out.",
                    ["minItems": 1, "maxItems": 6])),
            .init("extraction_level", extractionLevel),
        ]
    }

    static let dereverb = Schema.boolean(
        "Whether echo is taken from the voice. Other stems stay as they are.", default: false)

    static let encoderFormat = Schema.nullable(
        Schema.ref("EncoderFormat"), default: .null,
        "The format of the tracks. `null`: that of the source.")

    private static let splitPresets: [JSON.Member] = [
        .init(
            "splitter",
            Schema.named(
                "SplitterType", default: "auto",
                """
                Which models work. `lynx`: our own networks only, the fastest; `andromeda`: all that \
                have an opinion, fused, the best. Every other name and `auto` take the best.
                """)),
        .init("dereverb_enabled", dereverb),
        .init("encoder_format", encoderFormat),
    ]

    private static let extractionLevel = Schema.named(
        "ExtractionLevel", default: "deep_extraction",
        """
        `deep_extraction` keeps all of the stem and perhaps something of its neighbors; \
        `clear_cut` keeps the neighbors out and perhaps loses some of the stem.
        """)
}
