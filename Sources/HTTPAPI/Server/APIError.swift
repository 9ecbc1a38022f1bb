import HTTPTypes
import Hummingbird

/// A request that is refused, as the client is told.
struct APIError: Error {
    let status: HTTPResponse.Status
    /// A sentence for people.
    let detail: String
    /// snake_case, for programs. Business refusals (400) have one.
    var code: String?
    var headers: HTTPFields = [:]

    /// A refusal that the client's code can tell from others.
    static func refused(_ code: String, _ detail: String) -> APIError {
        APIError(status: .badRequest, detail: detail, code: code)
    }

    static var noKey: APIError {
        APIError(
            status: .forbidden, detail: "Provide license key in 'X-License-Key' header")
    }

    static var unknownKey: APIError {
        APIError(
            status: .forbidden,
            detail: "The license key in the 'X-License-Key' header is not known to this server")
    }

    var response: Response {
        let detail = JSON.Member("detail", .string(detail))
        let code = code.map { JSON.Member("code", .string($0)) }
        return .json(
            .object([detail] + [code].compactMap(\.self)), status: status, headers: headers)
    }
}

extension InvalidBody {
    var response: Response {
        .json(["detail": .array(faults.map(\.json))], status: .unprocessableContent)
    }
}

extension Response {
    static func json(
        _ json: JSON, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.utf8)))
    }
}
