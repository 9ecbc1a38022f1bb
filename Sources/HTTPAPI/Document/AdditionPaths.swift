extension APIDocument {
    /// What the original API does not have.
    static var additionPaths: [PathItem] {
        [
            PathItem(
                addition(
                    "/api/v1/tasks/{task_id}/events", id: "task_events",
                    "Follow a task while it runs",
                    """
                    Server-sent events. The data of each is the JSON that `check` would give for \
                    the task: its state at first, then each change. The stream ends after the \
                    final state.
                    """,
                    parameters: [taskID],
                    answer: ok(
                        "The events.",
                        SharedResponse.content(event, type: "text/event-stream")),
                    failures: [.forbidden, .notFound, .tooMany, .failed], needsKey: true)),
            PathItem(
                addition(
                    "/api/v1/tasks/{task_id}/archive.zip", id: "task_archive",
                    "Fetch all tracks of a task in one file",
                    "Only a task that has succeeded has an archive.", parameters: [taskID],
                    answer: ok(
                        "The archive.", SharedResponse.content(binary, type: "application/zip")),
                    failures: [.refused, .forbidden, .notFound, .tooMany, .failed], needsKey: true),
                addition(
                    method: "head", "/api/v1/tasks/{task_id}/archive.zip", id: "task_archive_head",
                    "Ask for the size of an archive", nil, parameters: [taskID],
                    answer: ok("No body.", [:]),
                    failures: [.refused, .forbidden, .notFound, .tooMany], needsKey: true)),
            PathItem(
                addition(
                    "/api/v1/openapi.json", id: "openapi", "Read this document", nil,
                    answer: ok(
                        "The document.", SharedResponse.content(["type": "object"])),
                    failures: [.failed]),
                addition(
                    method: "head", "/api/v1/openapi.json", id: "openapi_head",
                    "Ask for the document's headers", nil, answer: ok("No body.", [:]),
                    failures: [])),
            PathItem(
                addition(
                    "/api/v1/docs/", id: "docs", "Read this document as a page", nil,
                    answer: ok(
                        "The page.", SharedResponse.content(Schema.string(), type: "text/html")),
                    failures: [.failed]),
                addition(
                    method: "head", "/api/v1/docs/", id: "docs_head",
                    "Ask for the page's headers", nil, answer: ok("No body.", [:]), failures: [])),
            PathItem(
                addition(
                    "/healthz", id: "health", "Ask whether the server answers", nil,
                    answer: .json("Health"), failures: [.failed]),
                addition(
                    method: "head", "/healthz", id: "health_head",
                    "Ask whether the server answers, without a body", nil,
                    answer: ok("It does.", [:]), failures: [])),
            PathItem(
                addition(
                    "/readyz", id: "readiness", "Ask whether the server can work", nil,
                    answer: .other([
                        "200": SharedResponse.json("It can.", readiness),
                        "503": SharedResponse.json("It cannot; `checks` says why.", readiness),
                    ]), failures: [.failed]),
                addition(
                    method: "head", "/readyz", id: "readiness_head",
                    "Ask whether the server can work, without a body", nil,
                    answer: .other([
                        "200": SharedResponse.json("It can.", [:]),
                        "503": SharedResponse.json("It cannot.", [:]),
                    ]), failures: [])),
            PathItem(
                file("get", "/download", id: "download", "Fetch a track"),
                file(
                    "head", "/download", id: "download_head",
                    "Ask for the size and type of a track")),
            PathItem(
                file("get", "/inline", id: "inline", "Fetch a waveform, or what is streamed"),
                file(
                    "head", "/inline", id: "inline_head",
                    "Ask for the size and type of a waveform, or of what is streamed")),
            PathItem(
                playlist("get", id: "playlist", "Fetch the playlist of a track"),
                playlist("head", id: "playlist_head", "Ask for the type of a playlist")),
        ]
    }

    static var additionSchemas: [JSON.Member] {
        [
            .init(
                "Health",
                Schema.object([.init("status", Schema.const("ok"))], required: ["status"]).addition),
            .init(
                "Readiness",
                Schema.object(
                    [
                        .init(
                            "status", Schema.string("`ok`, or what the matter is, in sentences.")),
                        .init(
                            "checks",
                            Schema.type(
                                "object",
                                "What was looked at (`database`, `files`, `disk`, `models`), each `ok` "
                                    + "or what the matter is.",
                                ["additionalProperties": Schema.string()])),
                    ], required: ["status", "checks"]
                ).addition),
        ]
    }

    private static let binary = Schema.string(nil, ["format": "binary"])
    private static let readiness = SharedResponse.content(Schema.ref("Readiness"))
    private static let event = Schema.object(
        [.init("data", Schema.string("What `check` says of the task, as JSON."))],
        required: ["data"])
    private static let taskID = parameter("task_id", Schema.uuid("The task."))

    private static func parameter(_ name: String, in place: String = "path", _ schema: JSON) -> JSON
    {
        ["name": .string(name), "in": .string(place), "required": true, "schema": schema]
    }

    private static func ok(_ description: String, _ content: JSON) -> Operation.Answer {
        .other(["200": SharedResponse.json(description, content)])
    }

    private static func addition(
        method: String = "get", _ path: String, id: String, _ summary: String,
        _ description: String?, parameters: [JSON] = [], answer: Operation.Answer,
        failures: [SharedResponse], needsKey: Bool = false
    ) -> Operation {
        Operation(
            method: method, path: path, id: id, tag: "Partita", summary: summary,
            description: description, parameters: parameters, answer: answer, failures: failures,
            needsKey: needsKey, isAddition: true)
    }

    private static func file(
        _ method: String, _ path: String, id: String, _ summary: String
    ) -> Operation {
        let file =
            method == "get" ? SharedResponse.content([:], type: "*/*") : [:]
        // To HEAD only headers answer; a part of nothing is not asked for.
        var good: [JSON.Member] = [
            .init("200", SharedResponse.json("The file. Its media type is the link's.", file)),
            .init("304", SharedResponse.json("The client has the file already.", [:])),
        ]
        if method == "get" {
            good.append(
                .init(
                    "206",
                    SharedResponse.json(
                        "The part that `Range` asks for; several come as `multipart/byteranges`.",
                        file)))
        }
        let failures: [SharedResponse] = [.badLink, .notFound, .expired]
        return link(
            method, path, id: id, summary, answer: .object(good),
            failures: method == "get" ? failures + [.unsatisfiable, .failed] : failures)
    }

    private static func playlist(_ method: String, id: String, _ summary: String) -> Operation {
        let text = SharedResponse.content(Schema.string(), type: "application/vnd.apple.mpegurl")
        let good = SharedResponse.json(
            "The playlist (HLS). Its signed links to the stream are new.",
            method == "get" ? text : [:])
        let failures: [SharedResponse] = [.badLink, .notFound, .expired]
        return link(
            method, "/playlist", id: id, summary, answer: ["200": good],
            failures: method == "get" ? failures + [.failed] : failures)
    }

    /// Something that a signed link leads to.
    private static func link(
        _ method: String, _ path: String, id: String, _ summary: String, answer: JSON,
        failures: [SharedResponse]
    ) -> Operation {
        addition(
            method: method, path + "/{blob}/{name}", id: id, summary,
            "Links are made by `check`, complete with their signature.",
            parameters: [
                parameter("blob", Schema.string()), parameter("name", Schema.string()),
                parameter("expires", in: "query", Schema.string("In epoch seconds.")),
                parameter("type", in: "query", Schema.string("The media type.")),
                parameter("signature", in: "query", Schema.string()),
            ], answer: .other(answer), failures: failures)
    }
}

extension SharedResponse {
    private static let plain = content(Schema.ref("CommonErrorResponse"))

    static let notFound = SharedResponse(
        404, "There is no such thing, or it has been deleted.", plain)
    fileprivate static let badLink = SharedResponse(
        403, "The link is not complete, or is not of this server.", plain)
    fileprivate static let expired = SharedResponse(410, "The link has expired.", plain)
    fileprivate static let unsatisfiable = SharedResponse(
        416, "The file ends before the part that `Range` asks for.", plain)
}
