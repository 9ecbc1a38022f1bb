import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
    /// The most that any JSON request needs is a batch of 100 items: some tens of kilobytes.
    private static let maximumSize = 1024 * 1024

    /// Reads a JSON body by a rule.
    ///
    /// - Parameter root: What locations of faults start with.
    /// - Throws: `InvalidBody`, `APIError`.
    func decode<Value>(
        _ rule: Rule<Value>, root: [JSON], _ context: APIContext
    ) async throws -> Value {
        try await context.acceptBody(of: self)
        let bytes: [UInt8]
        do {
            var buffer = try await body.collect(upTo: Self.maximumSize)
            bytes = buffer.readBytes(length: buffer.readableBytes) ?? []
        } catch is NIOTooManyBytesError {
            throw APIError(
                status: .contentTooLarge, detail: "The body is longer than 1 MiB.")
        } catch {
            throw APIError.refused("incomplete_body", "The body broke off before its end.")
        }
        let missing = InvalidBody(faults: [
            Fault(location: root, message: "Field required", type: "missing")
        ])
        guard !bytes.isEmpty else { throw missing }
        // As the original does: what is declared to be something else is not taken for an object.
        guard isJSON else { return try rule.read("", root: root) }
        do {
            let json = try JSON(parsing: bytes)
            guard json != .null else { throw missing }
            return try rule.read(json, root: root)
        } catch let error as NotJSON {
            throw InvalidBody(faults: [
                Fault(
                    location: ["body", .integer(Int64(error.position))],
                    message: "JSON decode error", type: "json_invalid")
            ])
        }
    }

    /// Whether the body is declared to be JSON, or not declared at all.
    private var isJSON: Bool {
        guard let declared = headers[.contentType] else { return true }
        let type = declared.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        return type == "application/json"
            || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }
}
