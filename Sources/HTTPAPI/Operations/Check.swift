import Foundation
import Hummingbird
import Tasks

extension API {
    /// `POST /api/v1/check/`: the state of up to 200 tasks, each for itself.
    func check(_ request: Request, _ context: APIContext) async throws -> Response {
        let licence = try context.requireLicence()
        let ids = try await request.decode(.checkedTasks, root: ["body"], context)
        let found = try await tasks.tasks(ids, licence: licence)
        let base = publicURL(for: request)
        var answered: Set<UUID> = []
        let entries = ids.filter { answered.insert($0).inserted }.map { id in
            JSON.Member(id.text, found[id].map { entry(for: $0, base: base) } ?? Self.notFound)
        }
        return .json(["result": .object(entries)])
    }

    /// What a callback tells of a task: its entry in `check`, and its id.
    func callback(for task: SplitTask) -> JSON {
        let id: JSON = ["task_id": .string(task.id.text)]
        let listening = "http://\(configuration.host):\(configuration.port)"
        return JSON(id, entry(for: task, base: configuredURL ?? listening))
    }

    static let notFound: JSON = [
        "status": "server_error",
        "error": .string(
            "Failed to extract information about task: "
                + "this license has created no such task in the last 24 hours"),
    ]

    /// The state of one task.
    func entry(for task: SplitTask, base: String) -> JSON {
        var members = [
            JSON.Member("source_id", .string(task.source.text)),
            JSON.Member("presets", task.echoedPresets),
        ]
        switch task.status {
        case .queued, .running:
            members.append(.init("status", "progress"))
            members.append(.init("progress", .integer(Int64(task.progress))))
        case .success:
            members.append(.init("status", "success"))
            members.append(
                .init(
                    "result",
                    [
                        "tracks": .array(task.tracks.map { track($0, base: base) }),
                        "duration": .integer(wholeSeconds(task.duration ?? 0)),
                    ]))
        case .error:
            members.append(.init("status", "error"))
            members.append(
                .init(
                    "error",
                    [
                        "detail": .string(task.failure?.detail ?? "The task failed."),
                        "code": .string(task.failure?.code ?? "internal_error"),
                        "id": nil,
                    ]))
        case .cancelled:
            members.append(.init("status", "cancelled"))
        }
        return .object(members)
    }

    private func track(_ track: Track, base: String) -> JSON {
        func link(_ target: LinkSigner.Target?) -> JSON {
            target.map { .string(base + links.path(to: $0, now: tasks.now())) } ?? nil
        }
        return [
            "type": JSON(track.kind),
            "label": .string(track.label),
            "url": link(track.download),
            "playlist_file": link(track.playlistFile),
            "name": .string(track.name),
            "size": .integer(track.size),
            "waveform": link(track.waveformFile),
        ]
    }

    private var configuredURL: String? {
        configuration.publicURL.map { String($0.reversed().drop { $0 == "/" }.reversed()) }
    }

    /// What links start with.
    func publicURL(for request: Request) -> String {
        if let configuredURL { return configuredURL }
        // Clients put anything there; what could break out of a URL is left out of it.
        let host = request.head.authority ?? ""
        let isPlain = host.allSatisfy { character in
            character.isASCII
                && (character.isLetter || character.isNumber || ".:-_[]".contains(character))
        }
        return "http://" + (isPlain && !host.isEmpty ? host : "localhost:\(configuration.port)")
    }
}

extension Rule where Value == [UUID] {
    /// The body of `check`.
    static var checkedTasks: Self {
        .object { object, faults in
            object.required("task_ids", .list(of: .uuid, maximum: 200), &faults)
        }
    }
}
