import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Tasks

/// Refuses requests under `/api/v1/` that carry no known key, or that are too many, before their body is
/// read. What describes the API is open to all.
struct LicenceMiddleware: RouterMiddleware {
    let tasks: TaskService
    let limiter: RateLimiter

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
            try refuseGuessing(from: context.remoteAddress)
            throw APIError.unknownKey
        }
        let standing = limiter.count(
            Self.limit(components.dropFirst(2)), of: licence.id.text, at: tasks.now())
        if let standing, !standing.isAllowed { throw APIError.tooMany(standing) }
        var context = context
        context.licence = licence
        context.logger[metadataKey: "license"] = .string(licence.id.text)
        var response = try await next(request, context)
        for field in standing?.headers ?? [:] { response.headers.append(field) }
        return response
    }

    /// - Parameter path: Without `api/v1`.
    private static func limit(_ path: ArraySlice<Substring>) -> RateLimiter.Limit {
        switch path.first {
        case "check": .check
        case "upload": .upload
        case "split", "change_voice": .start
        default: .other
        }
    }

    private func refuseGuessing(from address: SocketAddress?) throws {
        let whose = address.map(Self.network) ?? ""
        let standing = limiter.count(.failedKeys, of: whose, at: tasks.now())
        if let standing, !standing.isAllowed { throw APIError.tooMany(standing) }
    }

    /// Who an address belongs to: an IPv4 address stands for itself, one of IPv6 for its /64 network.
    private static func network(_ address: SocketAddress) -> String {
        guard case .v6(let address) = address else { return address.ipAddress ?? "" }
        return withUnsafeBytes(of: address.address.sin6_addr) { "\(Array($0.prefix(8)))" }
    }
}

extension APIError {
    fileprivate static func tooMany(_ standing: RateLimiter.Standing) -> APIError {
        APIError(
            status: .tooManyRequests,
            detail: "Too many requests: \(standing.limit) are answered in a minute. "
                + "Try again in \(standing.reset) s.",
            headers: standing.headers)
    }
}
