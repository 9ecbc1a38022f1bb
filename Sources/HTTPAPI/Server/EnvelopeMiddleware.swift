import HTTPTypes
import Hummingbird
import Logging

/// What every response has in common: its id, its CORS headers, errors as JSON, a line in the log.
struct EnvelopeMiddleware: RouterMiddleware {
    let origins: CrossOrigin
    let routes: Routes

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response: Response
        if request.method == .options {
            response = origins.preflight(methods: routes.methods(at: request.uri.path))
        } else {
            do {
                response = try await next(request, context)
            } catch {
                response = self.response(to: error, request, context)
                if hasUnreadBody(request, response) { response.headers[.connection] = "close" }
            }
        }
        if request.method == .head { response = response.createHeadResponse() }
        response.headers[.requestID] = context.requestID
        for field in origins.headers(for: request) { response.headers.append(field) }
        context.logger.info(
            "\(request.method) \(request.uri.path) \(response.status.code)",
            metadata: ["duration": "\(ContinuousClock.now - start)"])
        return response
    }

    private func response(
        to error: any Error, _ request: Request, _ context: APIContext
    ) -> Response {
        switch error {
        case let error as APIError: return error.response
        case let error as InvalidBody: return error.response
        case let error as HTTPError where error.status == .notFound:
            // The router does not tell an unknown path from an unknown method.
            let methods = routes.methods(at: request.uri.path).map(\.rawValue)
            guard !methods.isEmpty else {
                return APIError(status: .notFound, detail: "Not Found").response
            }
            return APIError(
                status: .methodNotAllowed, detail: "Method Not Allowed",
                headers: [.allow: methods.joined(separator: ", ")]
            ).response
        case let error as HTTPError:
            return APIError(status: error.status, detail: error.status.reasonPhrase).response
        default:
            // The log has what went wrong, under the id that the client can tell us.
            context.logger.error("request failed", metadata: ["error": "\(error)"])
            return APIError(
                status: .internalServerError,
                detail: "The server made a mistake. Its log tells more under this x-request-id.",
                code: "internal_error"
            ).response
        }
    }

    /// Whether the client is probably still sending. Short bodies are read and forgotten, so that
    /// the connection can be used again; for long ones it ends.
    private func hasUnreadBody(_ request: Request, _ response: Response) -> Bool {
        guard ![.unprocessableContent, .notFound].contains(response.status) else { return false }
        if let length = request.headers[.contentLength].flatMap({ Int64($0) }) {
            return length > 64 * 1024
        }
        return request.headers[.transferEncoding] != nil
    }
}
