/// A response that several operations give.
struct SharedResponse {
    let member: JSON.Member

    init(_ status: Int, _ description: String, _ content: JSON, headers: [String] = []) {
        member = .init("\(status)", Self.json(description, content, headers: headers))
    }

    /// - Parameter headers: Names of shared headers, besides the one that all responses have.
    static func json(_ description: String, _ content: JSON, headers: [String] = []) -> JSON {
        JSON(
            [
                "description": .string(description),
                "headers": .object(
                    (["x-request-id"] + headers).map { name in
                        .init(name, ["$ref": .string("#/components/headers/\(name)")])
                    }),
            ], content)
    }

    static func content(_ schema: JSON, type: String = "application/json") -> JSON {
        ["content": .object([.init(type, ["schema": schema])])]
    }

    private static let common = content(Schema.ref("CommonErrorResponse"))

    /// A refusal with a code, or one without.
    static let refused = SharedResponse(
        400, "The request is understood and refused. `code` says why.",
        content(["anyOf": [Schema.ref("ApiV1ErrorResponse"), Schema.ref("CommonErrorResponse")]]))
    /// As batches refuse what is wrong with the request as a whole.
    static let batchRefused = SharedResponse(400, "The request as a whole is refused.", common)
    static let forbidden = SharedResponse(
        403, "The license key is missing, or this server does not know it.", common)
    static let tooLarge = SharedResponse(413, "The body is longer than 1 MiB.", common)
    static let invalid = SharedResponse(
        422, "The body does not fit the schema. All of its faults are listed.", common)
    static let tooMany = SharedResponse(
        429, "The license has asked more often than it may. `Retry-After` says when to go on.",
        common,
        headers: ["Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"])
    static let failed = SharedResponse(
        500, "The server's own mistake. Its log has the reason under the `x-request-id`.",
        content(Schema.ref("ApiV1ErrorResponse")))

    /// What every operation with a key and a JSON body may answer.
    static let withBody = [refused, forbidden, tooLarge, invalid, tooMany, failed]
    /// What every operation with a key and no body may answer.
    static let withoutBody = [refused, forbidden, invalid, tooMany, failed]
}

extension APIDocument {
    static var sharedHeaders: [JSON.Member] {
        [
            header(
                "x-request-id", "Identifies the request in the server's log: 32 hex digits.",
                Schema.string(nil, ["pattern": "^[0-9a-f]{32}$"]), required: true),
            header("Retry-After", "Seconds until the next request is welcome.", wholeNumber),
            header(
                "RateLimit-Limit", "Requests that the license may make in a window.", wholeNumber),
            header("RateLimit-Remaining", "Requests left in the current window.", wholeNumber),
            header("RateLimit-Reset", "Seconds until the window ends.", wholeNumber),
        ]
    }

    private static let wholeNumber = Schema.integer(nil, ["minimum": 0])

    private static func header(
        _ name: String, _ description: String, _ schema: JSON, required: Bool = false
    ) -> JSON.Member {
        .init(
            name,
            JSON(
                ["description": .string(description), "schema": schema],
                required ? ["required": true] : [:]
            ).addition)
    }
}
