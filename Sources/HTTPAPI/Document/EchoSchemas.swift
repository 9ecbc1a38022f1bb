extension APIDocument {
    /// Presets as `check` tells them: with every default filled in, and marked with their kind.
    static var echoSchemas: [JSON.Member] {
        [
            .init(
                "EchoedPresets",
                Schema.oneOf(
                    "task_type",
                    [
                        ("voice_convert", "EchoedVoiceChangePresets"),
                        ("split", "EchoedSplitPresets"),
                    ])
            ),
            .init(
                "EchoedSplitPresets",
                Schema.oneOf(
                    "label",
                    [
                        ("demuser", "EchoedDemuserPresets"),
                        ("voice_clean", "EchoedVoiceCleanPresets"),
                        ("stem_separator", "EchoedStemSeparatorPresets"),
                        ("multistem", "EchoedMultistemPresets"),
                    ])),
            .init("EchoedDemuserPresets", echo("demuser", demuserPresets, "stem")),
            .init("EchoedVoiceCleanPresets", echo("voice_clean", voiceCleanPresets, "stem")),
            .init(
                "EchoedStemSeparatorPresets", echo("stem_separator", stemSeparatorPresets, "stem")),
            .init("EchoedMultistemPresets", echo("multistem", multistemPresets, "stem_list")),
            .init(
                "EchoedVoiceChangePresets",
                Schema.object(
                    [.init("task_type", Schema.const("voice_convert"))] + voiceChangePresets,
                    required: ["task_type", "voice_pack_id"])),
        ]
    }

    private static func echo(
        _ label: String, _ presets: [JSON.Member], _ required: String
    ) -> JSON {
        let kind: [JSON.Member] = [
            .init("task_type", Schema.const("split")), .init("label", Schema.const(label)),
        ]
        return Schema.object(kind + presets, required: ["task_type", "label", required])
    }
}
