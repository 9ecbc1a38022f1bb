extension APIDocument {
    /// What becomes of tasks.
    static var checkSchemas: [JSON.Member] {
        [
            .init(
                "CheckV1Request",
                Schema.object(
                    [
                        .init(
                            "task_ids",
                            Schema.array(Schema.uuid(), "Tasks to look at.", ["maxItems": 200]))
                    ],
                    required: ["task_ids"])),
            .init(
                "CheckV1Response",
                Schema.object(
                    [.init("result", map("The state of each task, by its id.", checkResult))],
                    required: ["result"])),
            .init(
                "CheckV1ProgressResult",
                state(
                    "progress",
                    .init(
                        "progress",
                        Schema.integer(
                            "Percent. 0 while the task is queued; it never goes down.",
                            ["minimum": 0, "maximum": 100])))),
            .init(
                "CheckV1SuccessResult",
                state("success", .init("result", Schema.ref("SplitTracksResult")))
            ),
            .init(
                "CheckV1ErrorResult", state("error", .init("error", Schema.ref("TaskMetaError")))),
            .init("CheckV1CancelledResult", state("cancelled", nil)),
            .init(
                "ErrorResult",
                Schema.object(
                    [
                        .init("status", Schema.const("server_error", default: true)),
                        .init("error", Schema.string("Why nothing could be done for this id.")),
                    ], required: ["error"])),
            .init(
                "TaskMetaError",
                Schema.object(
                    [
                        .init("detail", Schema.string("Why the task failed, for people.")),
                        .init(
                            "code",
                            Schema.nullable(Schema.string(), failureCodes)),
                        .init("id", Schema.nullable(Schema.string())),
                    ], required: ["detail"])),
            .init(
                "CancelRequest",
                Schema.object(
                    [.init("task_ids", Schema.array(Schema.uuid(), "Tasks to stop."))],
                    required: ["task_ids"])),
            .init(
                "CancelResponse",
                Schema.object(
                    [
                        .init(
                            "result",
                            map(
                                "What became of each request to stop, by the task's id.",
                                Schema.oneOf(
                                    "status",
                                    [("success", "CancelSuccess"), ("server_error", "ErrorResult")])
                            ))
                    ], required: ["result"])),
            .init(
                "CancelSuccess",
                Schema.object([.init("status", Schema.const("success", default: true))])),
        ]
    }

    private static let failureCodes = """
        Why it failed, for programs: `not_installed` (no installed model has the stem), \
        `unreadable_media`, `no_audio`, `empty_media`, `truncated_media`, `media_too_long`, \
        `media_limit`, `too_many_channels`, `encoding_failed`, `internal_error`, or others.
        """

    private static let checkResult = Schema.oneOf(
        "status",
        [
            ("progress", "CheckV1ProgressResult"), ("error", "CheckV1ErrorResult"),
            ("cancelled", "CheckV1CancelledResult"), ("success", "CheckV1SuccessResult"),
            ("server_error", "ErrorResult"),
        ])

    private static func map(_ description: String, _ values: JSON) -> JSON {
        Schema.type("object", description, ["additionalProperties": values])
    }

    private static func state(_ status: String, _ more: JSON.Member?) -> JSON {
        let common: [JSON.Member] = [
            .init("source_id", Schema.string("What the task splits.")),
            .init("presets", Schema.ref("EchoedPresets")),
            .init("status", Schema.const(status, default: true)),
        ]
        let more = [more].compactMap(\.self)
        return Schema.object(
            common + more, required: ["source_id", "presets"] + more.map(\.name))
    }
}
