extension APIDocument {
    /// Sources, tasks, tracks.
    static var taskSchemas: [JSON.Member] {
        [
            .init(
                "UploadResponse",
                Schema.object(
                    [
                        .init("id", Schema.string("The `source_id` for other operations.")),
                        .init("name", Schema.string("The file's name.")),
                        .init("size", Schema.integer("Bytes.")),
                        .init("duration", Schema.integer("Seconds, rounded.")),
                        .init("expires", Schema.integer("When the file goes, in epoch seconds.")),
                    ], required: ["id", "name", "size", "duration", "expires"])),
            .init("Task", createdTask),
            .init("SplitTrackType", Schema.string(nil, ["enum": ["stem", "back"]])),
            .init("SplitTrack", track),
            .init(
                "SplitTracksResult",
                Schema.object(
                    [
                        .init("tracks", Schema.array(Schema.ref("SplitTrack"))),
                        .init("duration", Schema.integer("Seconds of the recording, rounded.")),
                    ], required: ["tracks", "duration"])),
            .init("SuccessResponse", Schema.object([])),
            .init(
                "DeleteParameters",
                Schema.object([.init("source_id", sourceID)], required: ["source_id"])),
            .init(
                "LimitsResponse",
                Schema.object(
                    [
                        .init(
                            "minutes_left",
                            Schema.type("number", "Minutes that tasks can still use."))
                    ],
                    required: ["minutes_left"])),
        ]
    }

    static let createdTask = Schema.object(
        [.init("task_id", Schema.string("The new task, for `check` and `cancel`."))],
        required: ["task_id"])

    static let sourceID = Schema.uuid("The `id` that an upload gave.")

    private static let track = Schema.object(
        [
            .init("type", Schema.ref("SplitTrackType")),
            .init("label", Schema.string("Which track it is: `vocals`, `no_vocals`, ….")),
            .init("url", Schema.string("A signed link that needs no key. It expires.")),
            .init(
                "playlist_file",
                Schema.nullable(
                    Schema.string(),
                    "A signed link to an HLS playlist of the track, for players. `null` where there is none."
                )),
            .init(
                "name", Schema.nullable(Schema.string(), "The name that the file is saved under.")),
            .init("size", Schema.nullable(Schema.integer(), "Bytes.")),
            .init(
                "waveform",
                Schema.nullable(
                    Schema.string(),
                    "A signed link to the peaks, for drawing: JSON as audiowaveform writes it, version 2."
                )),
        ], required: ["type", "label", "url"])
}
