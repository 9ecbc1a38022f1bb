import Tasks

extension APIDocument {
    /// The bodies that start tasks, and what batches answer.
    static var requestSchemas: [JSON.Member] {
        [
            .init(
                "StemSeparatorSplitParameters",
                submission(presets: "StemSeparatorSplitterPresetsV1")),
            .init("DemuserSplitParameters", submission(presets: "DemuserSplitterPresetsV1")),
            .init("VoiceCleanSplitParameters", submission(presets: "VoiceCleanPresetsV1")),
            .init("MultistemSplitParameters", submission(presets: "MultistemSplitterPresetsV1")),
            .init("BatchStemSeparatorSplitParameters", batch(of: "StemSeparatorSplitParameters")),
            .init("BatchDemuserSplitParameters", batch(of: "DemuserSplitParameters")),
            .init("BatchVoiceCleanSplitParameters", batch(of: "VoiceCleanSplitParameters")),
            .init(
                "BatchTasksResponse",
                Schema.object(
                    [
                        .init(
                            "results",
                            Schema.array(
                                Schema.oneOf(
                                    "status",
                                    [
                                        ("success", "SuccessfulTaskStart"),
                                        ("error", "FailedTaskStart"),
                                    ]), "One for each item, in the same order."))
                    ], required: ["results"])),
            .init(
                "SuccessfulTaskStart",
                Schema.object(
                    [
                        .init("status", Schema.const("success", default: true)),
                        .init("task_id", Schema.string("The new task.")),
                        .init("source_id", Schema.string("What it splits.")),
                    ], required: ["task_id", "source_id"])),
            .init("FailedTaskStart", failedStart),
            .init(
                "TaskStartErrorCodes",
                Schema.string(nil, ["enum": ["idempotency_key_used", "internal_error"]])),
            .init(
                "LicenseErrorCodes",
                Schema.string(
                    nil,
                    [
                        "enum": [
                            "exceeded_duration", "batch_not_avaliable", "max_duration",
                            "exceeded_size",
                        ]
                    ])),
            .init("PartitaErrorCodes", Schema.string(nil, ["enum": ["source_not_found"]]).addition),
        ]
    }

    private static let failedStart = Schema.object(
        [
            .init("status", Schema.const("error", default: true)),
            .init("error", Schema.string("Why no task was started, for people.")),
            .init(
                "code",
                [
                    "anyOf": [
                        Schema.ref("TaskStartErrorCodes"), Schema.ref("LicenseErrorCodes"),
                        Schema.ref("PartitaErrorCodes"),
                    ], "description": "Why no task was started, for programs.",
                ]),
            .init("source_id", Schema.string("The source that was to be split.")),
        ], required: ["error", "code", "source_id"])

    /// A source, presets, and what makes repeats safe.
    static func submission(presets: String, _ description: String? = nil) -> JSON {
        Schema.object(
            [
                .init("source_id", sourceID),
                .init("presets", Schema.ref(presets).described(description)),
                .init(
                    "idempotency_key",
                    Schema.nullable(
                        Schema.uuid(), default: .null,
                        """
                        Makes a repeat of the request safe: until the task starts, the same key with \
                        the same parameters answers with the same task. Later, or with other \
                        parameters, the key is refused (`idempotency_key_used`).
                        """)),
                .init(
                    "callback_url",
                    Schema.nullable(
                        Schema.string(nil, ["pattern": .string(CallbackURL.pattern)]),
                        default: .null,
                        """
                        An address that the server tells when the task has ended: `POST`, with \
                        what `check` says of the task and its id as `task_id`. Signed, and \
                        repeated until it is answered with a status of 200 to 299. See \
                        docs/webhooks.md.
                        """
                    ).addition),
            ], required: ["source_id", "presets"])
    }

    private static func batch(of item: String) -> JSON {
        Schema.object(
            [
                .init(
                    "items",
                    Schema.array(
                        Schema.ref(item), "The tasks to start.", ["minItems": 1, "maxItems": 100]))
            ], required: ["items"])
    }
}
