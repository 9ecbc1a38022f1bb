extension APIDocument {
    /// How refusals look.
    static var errorSchemas: [JSON.Member] {
        [
            .init(
                "ApiV1ErrorResponse",
                Schema.object(
                    [
                        .init("detail", Schema.string("What is wrong, for people.")),
                        .init("code", Schema.string(codes)),
                    ], required: ["detail", "code"])),
            .init(
                "CommonErrorResponse",
                Schema.object(
                    [
                        .init(
                            "detail",
                            [
                                "anyOf": [
                                    Schema.string(), anyObject, Schema.array(anyObject),
                                ],
                                "description": """
                                A sentence; or the faults of a body, each with the place \
                                (`loc`), a sentence (`msg`) and a kind (`type`).
                                """,
                                "example": [
                                    [
                                        "loc": ["body", "split_input", "presets", "stem"],
                                        "msg": "Field required", "type": "missing",
                                    ]
                                ],
                            ])
                    ], required: ["detail"])),
        ]
    }

    private static let anyObject: JSON = ["type": "object", "additionalProperties": true]

    private static let codes = """
        What is wrong, for programs. Others may come. \
        Of every operation: `incomplete_body`, `internal_error`. \
        Of uploads: `missing_filename`, `empty_file`, `exceeded_size`, and of files that cannot be \
        used: `unreadable_media`, `no_audio`, `empty_media`, `truncated_media`, \
        `media_too_long`. \
        Of tasks: `source_not_found`, `idempotency_key_used`, `exceeded_duration` (not enough \
        minutes), `max_duration` (longer than the license allows), `exceeded_size`, \
        `batch_not_avaliable`, `voice_pack_not_found`. \
        Of archives: `task_not_finished`, `task_without_tracks`.
        """
}
