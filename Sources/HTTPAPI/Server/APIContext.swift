import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes
import Tasks

/// What is known of a request besides what the client sent.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// 32 lower-case hex digits; in every response and in every line of the log.
    let requestID: String
    /// Whose key the request carries, under `/api/v1/`.
    var licence: Licence?
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        requestID = RequestIdentifier.make()
        logger[metadataKey: "hb.request.id"] = nil
        logger[metadataKey: "request_id"] = .string(requestID)
    }

    /// The licence of the request.
    ///
    /// The middleware has refused those without one. This is the second lock: an operation that
    /// asks here can never run for nobody, however its path was spelled.
    func requireLicence() throws -> Licence {
        guard let licence else { throw APIError.noKey }
        return licence
    }

    /// Where the connection comes from.
    var remoteAddress: SocketAddress? { channel.remoteAddress }

    /// Tells a client that waits with its body (`Expect: 100-continue`) to send it.
    func acceptBody(of request: Request) async throws {
        guard request.headers[.expect]?.lowercased() == "100-continue" else { return }
        let part = HTTPResponsePart.head(HTTPResponse(status: .continue))
        try await channel.writeAndFlush(part)
    }
}

enum RequestIdentifier {
    static func make() -> String {
        [UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

extension HTTPField.Name {
    static var requestID: Self { name("x-request-id") }
    static var licenceKey: Self { name("X-License-Key") }

    /// - Parameter text: A valid name, written in this module.
    static func name(_ text: String) -> Self {
        guard let name = Self(text) else { preconditionFailure("\(text) is no field name") }
        return name
    }
}
