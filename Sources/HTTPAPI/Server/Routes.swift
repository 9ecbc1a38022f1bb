import HTTPTypes
import Hummingbird

/// One operation: a path, a method, and what answers.
struct Route: Sendable {
    typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    let method: HTTPRequest.Method
    let path: String
    let handler: Handler

    static func post(_ path: String, _ handler: @escaping Handler) -> Route {
        Route(method: .post, path: path, handler: handler)
    }

    static func get(_ path: String, _ handler: @escaping Handler) -> Route {
        Route(method: .get, path: path, handler: handler)
    }

    static func head(_ path: String, _ handler: @escaping Handler) -> Route {
        Route(method: .head, path: path, handler: handler)
    }
}

/// All operations. A path answers with and without a slash at its end.
struct Routes: Sendable {
    private let routes: [Route]

    init(_ routes: [Route]) { self.routes = routes }

    func register(on router: Router<APIContext>) {
        for route in routes {
            router.on(RouterPath(route.path), method: route.method, use: route.handler)
        }
    }

    /// The methods that a path knows, in the order of the routes. Empty where the path is unknown.
    func methods(at path: String) -> [HTTPRequest.Method] {
        let components = path.split(separator: "/")
        return routes.filter { route in
            let pattern = route.path.split(separator: "/")
            return pattern.count == components.count
                && zip(pattern, components).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
        }.map(\.method)
    }
}
