extension APIDocument {
    /// Files, and the life of tasks.
    static var commonPaths: [PathItem] {
        [
            PathItem(
                Operation(
                    path: "/api/v1/upload/", id: "upload_upload", tag: "Common",
                    summary: "Bring a recording to the server",
                    description: """
                        The body is the file itself, as it is on disk. The answer's `id` is the \
                        `source_id` that the other operations take. The file goes away by itself at \
                        the time in `expires`. Up to 10 GiB, unless the operator has set another \
                        limit. What has no sound in it is refused and not kept.
                        """,
                    parameters: [contentDisposition], otherBody: file,
                    answer: .json("UploadResponse"),
                    failures: SharedResponse.withoutBody)),
            PathItem(
                Operation(
                    path: "/api/v1/check/", id: "check_check", tag: "Common",
                    summary: "See how tasks are doing",
                    description: """
                        Answers for each id by itself: an unknown id, or a task created more than a \
                        day ago, gets `server_error` as its entry, and the others still answer. A \
                        task that failed is a 200 with `status` `error` inside. A license may ask 30 \
                        times a minute, unless the operator has set another limit.
                        """,
                    body: "CheckV1Request", answer: .json("CheckV1Response"),
                    failures: SharedResponse.withBody)),
            PathItem(
                Operation(
                    path: "/api/v1/cancel/", id: "cancel_cancel", tag: "Common",
                    summary: "Stop some tasks",
                    description: "Queued and running tasks stop, and their minutes come back.",
                    body: "CancelRequest", answer: .json("CancelResponse"),
                    failures: SharedResponse.withBody)),
            PathItem(
                Operation(
                    path: "/api/v1/cancel/all/", id: "cancel_cancel_all", tag: "Common",
                    summary: "Stop every task of the license",
                    description: "The answer lists what was queued or running.",
                    answer: .json("CancelResponse"),
                    failures: [.refused, .forbidden, .tooMany, .failed])),
            PathItem(
                Operation(
                    path: "/api/v1/delete/", id: "delete_delete", tag: "Common",
                    summary: "Remove a source and all that was made of it",
                    description: """
                        Its running tasks are cancelled, and the files are gone at once: links to \
                        them answer 404. The records stay, so `check` goes on answering for a day.
                        """,
                    body: "DeleteParameters", answer: .json("SuccessResponse"),
                    failures: SharedResponse.withBody)),
            PathItem(
                Operation(
                    path: "/api/v1/limits/minutes_left/", id: "limits_get_minutes_left",
                    tag: "Common", summary: "See how many minutes the license has left",
                    answer: .json("LimitsResponse"), failures: SharedResponse.withoutBody)),
        ]
    }

    private static let contentDisposition: JSON = [
        "name": "Content-Disposition", "in": "header", "required": true,
        "schema": Schema.string(),
        "description": """
        Names the file: `attachment; filename="song.mp3"`, or `filename*=UTF-8''…` with \
        percent-encoding for names beyond ASCII. Folders in it are ignored.
        """,
        "example": "attachment; filename=song.mp3",
    ]

    private static let file = SharedResponse.content(
        Schema.string("The bytes of the file.", ["format": "binary"]),
        type: "application/octet-stream")
}
