import Foundation
import HTTPTypes
import Hummingbird

extension APIConfiguration {
    /// The path of the public address, encoded as in requests and without a slash at its end: `/stems`.
    /// Empty where there is none.
    var basePath: String {
        let path = publicURL.flatMap { URLComponents(string: $0)?.percentEncodedPath } ?? ""
        return String(path.reversed().drop { $0 == "/" }.reversed())
    }
}

/// Answers under the path of the public address as well as at the root: some proxies strip that path from
/// what they pass on, others do not.
struct BasePathResponder<Inner: HTTPResponder>: HTTPResponder {
    let basePath: String
    let routes: Routes
    let inner: Inner

    func respond(to request: Request, context: Inner.Context) async throws -> Response {
        try await inner.respond(to: stripped(request), context: context)
    }

    private func stripped(_ request: Request) -> Request {
        guard !basePath.isEmpty, let path = request.head.path, path.hasPrefix(basePath),
            // Where the path of the public address is `/api`, ours start so by themselves.
            routes.methods(at: request.uri.path).isEmpty
        else { return request }
        let rest = path.dropFirst(basePath.count)
        guard rest.isEmpty || rest.hasPrefix("/") || rest.hasPrefix("?") else { return request }
        var head = request.head
        head.path = rest.hasPrefix("/") ? String(rest) : "/" + rest
        return Request(head: head, body: request.body)
    }
}
