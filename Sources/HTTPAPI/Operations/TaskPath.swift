import Foundation
import HTTPTypes
import Hummingbird
import Tasks

extension API {
    /// The task that the path of a request names.
    ///
    /// - Throws: `APIError`: 404 for what `check` does not know either.
    func requireTask(_ context: APIContext) async throws -> SplitTask {
        let licence = try context.requireLicence()
        guard case .success(let id) = UUIDText.parse(context.parameters.get("task_id") ?? ""),
            let task = try await tasks.tasks([id], licence: licence)[id]
        else {
            throw APIError(
                status: .notFound,
                detail: "This license has created no such task in the last 24 hours.")
        }
        return task
    }
}
