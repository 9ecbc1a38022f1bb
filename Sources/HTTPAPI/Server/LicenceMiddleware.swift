import Hummingbird
import Tasks

/// Refuses requests under `/api/v1/` that carry no known key, before their body is read.
/// What describes the API is open to all.
struct LicenceMiddleware: RouterMiddleware {
    let tasks: TaskService

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        // Split as the router does, for which `//api/v1` is `/api/v1`.
        let components = request.uri.path.split(separator: "/")
        guard components.starts(with: ["api", "v1"]), !Documentation.isAt(components) else {
            return try await next(request, context)
        }
        guard let text = request.headers[.licenceKey], !text.isEmpty else { throw APIError.noKey }
        guard let licence = try await tasks.licence(for: LicenceKey(rawValue: text)) else {
            throw APIError.unknownKey
        }
        var context = context
        context.licence = licence
        context.logger[metadataKey: "license"] = .string(licence.id.text)
        return try await next(request, context)
    }
}
