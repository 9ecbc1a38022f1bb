import HTTPTypes
import Hummingbird

/// Which pages' scripts may use the server (CORS, the Fetch standard, section 3.2).
struct CrossOrigin: Sendable {
    let allowed: [String]

    private var allowsAll: Bool { allowed.contains("*") }

    /// What goes into every response.
    func headers(for request: Request) -> HTTPFields {
        var headers: HTTPFields = [:]
        guard let origin = request.headers[.origin] else {
            if !allowsAll { headers[.vary] = "Origin" }
            return headers
        }
        if allowsAll {
            headers[.accessControlAllowOrigin] = "*"
        } else {
            // The answer depends on who asks; a cache must not give it to another.
            headers[.vary] = "Origin"
            guard allowed.contains(origin) else { return headers }
            headers[.accessControlAllowOrigin] = origin
        }
        headers[.accessControlExposeHeaders] =
            "x-request-id, Content-Disposition, Content-Length, Content-Range, Accept-Ranges, ETag, "
            + "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
        return headers
    }

    /// The answer to `OPTIONS`, which browsers ask without a key.
    /// - Parameter methods: What the path knows.
    func preflight(methods: [HTTPRequest.Method]) -> Response {
        let allowed = (methods + [.options]).map(\.rawValue).joined(separator: ", ")
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: allowed,
                .accessControlAllowHeaders: "X-License-Key, Content-Type, Content-Disposition, "
                    + "Range, If-Range, If-None-Match",
                .accessControlMaxAge: "86400",
                .allow: allowed,
            ])
    }
}
