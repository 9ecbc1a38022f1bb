import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// Gives the document away, as JSON and as a page. Neither needs a key.
struct Documentation: Sendable {
    private let document: ByteBuffer
    private let page: ByteBuffer
    private let policy: String

    init(_ configuration: APIConfiguration) {
        document = ByteBuffer(bytes: APIDocument.json(basePath: configuration.basePath).utf8)
        page = ByteBuffer(string: DocumentationPage.html)
        policy = """
            default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
            frame-ancestors 'none'; style-src '\(Self.hash(DocumentationPage.style))'; \
            script-src '\(Self.hash(DocumentationPage.script))'
            """
    }

    /// Whether a path is one of those here.
    static func isAt(_ components: [Substring]) -> Bool {
        [["api", "v1", "openapi.json"], ["api", "v1", "docs"]].contains(components)
    }

    /// `GET /api/v1/openapi.json`.
    func openAPI(_ request: Request, _ context: APIContext) async throws -> Response {
        response(document, type: "application/json")
    }

    /// `GET /api/v1/docs/`.
    func docs(_ request: Request, _ context: APIContext) async throws -> Response {
        var response = response(page, type: "text/html; charset=utf-8")
        response.headers[.contentSecurityPolicy] = policy
        response.headers[.name("Referrer-Policy")] = "no-referrer"
        return response
    }

    private func response(_ body: ByteBuffer, type: String) -> Response {
        // The next version of the server has other ones under the same addresses.
        Response(
            status: .ok,
            headers: [
                .contentType: type, .cacheControl: "no-cache", .xContentTypeOptions: "nosniff",
            ], body: ResponseBody(byteBuffer: body))
    }

    /// What lets a browser run a script, or use a style, that stands in the page, and no other.
    private static func hash(_ text: String) -> String {
        "sha256-" + Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString()
    }
}
