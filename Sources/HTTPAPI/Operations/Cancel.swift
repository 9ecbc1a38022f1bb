import Foundation
import Hummingbird
import Tasks

extension API {
    /// `POST /api/v1/cancel/`: stops some tasks, each for itself.
    func cancel(_ request: Request, _ context: APIContext) async throws -> Response {
        let licence = try context.requireLicence()
        let ids = try await request.decode(.cancelledTasks, root: ["body"], context)
        return Self.answer(ids, try await tasks.cancel(ids, licence: licence))
    }

    /// `POST /api/v1/cancel/all/`: stops what is queued or running.
    func cancelAll(_ request: Request, _ context: APIContext) async throws -> Response {
        let ids = try await tasks.cancelAll(licence: context.requireLicence())
        return Self.answer(ids, Dictionary(uniqueKeysWithValues: ids.map { ($0, .cancelled) }))
    }

    private static func answer(_ ids: [UUID], _ outcomes: [UUID: Cancellation]) -> Response {
        var answered: Set<UUID> = []
        let entries = ids.filter { answered.insert($0).inserted }.map { id in
            JSON.Member(id.text, entry(outcomes[id] ?? .unknown))
        }
        return .json(["result": .object(entries)])
    }

    private static func entry(_ outcome: Cancellation) -> JSON {
        switch outcome {
        case .cancelled: ["status": "success"]
        case .ended:
            ["status": "server_error", "error": "Task is not in progress state"]
        case .unknown: ["status": "server_error", "error": "Permission denied"]
        }
    }
}

extension Rule where Value == [UUID] {
    /// The body of `cancel`.
    fileprivate static var cancelledTasks: Self {
        .object { object, faults in object.required("task_ids", .list(of: .uuid), &faults) }
    }
}
