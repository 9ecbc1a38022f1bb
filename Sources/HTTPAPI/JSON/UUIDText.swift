import Foundation

/// Reads UUIDs in the spellings that Pydantic accepts: with hyphens, without, in braces, as a URN.
enum UUIDText {
    struct Problem: Error, Hashable {
        let message: String
    }

    static func parse(_ text: String) -> Result<UUID, Problem> {
        let bytes = Array(text.utf8)
        let prefix = "urn:uuid:"
        var offset = 0
        var body = bytes[...]
        if bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}"), bytes.count > 1 {
            offset = 1
            body = bytes.dropFirst().dropLast()
        } else if bytes.starts(with: prefix.utf8) {
            offset = prefix.utf8.count
            body = bytes.dropFirst(offset)
        }
        let inner = String(decoding: body, as: UTF8.self)
        if let id = UUID(uuidString: inner) { return .success(id) }
        if offset == 0, bytes.count == 32, let id = UUID(uuidString: hyphenated(inner)) {
            return .success(id)
        }
        return .failure(problem(in: inner, offset: offset, length: bytes.count))
    }

    private static func hyphenated(_ digits: String) -> String {
        var rest = digits[...]
        return [8, 4, 4, 4, 12].map { length in
            defer { rest = rest.dropFirst(length) }
            return String(rest.prefix(length))
        }.joined(separator: "-")
    }

    /// What the `uuid` library beneath Pydantic says.
    private static func problem(in text: String, offset: Int, length: Int) -> Problem {
        var hyphens: [Int] = []
        var index = 0
        for scalar in text.unicodeScalars {
            if scalar == "-" {
                hyphens.append(index)
            } else if !Character(scalar).isHexDigit || !scalar.isASCII {
                return Problem(
                    message: "invalid character: expected an optional prefix of `urn:uuid:` "
                        + "followed by [0-9a-fA-F-], found `\(scalar)` at \(index + offset + 1)")
            }
            index += UTF8.width(scalar)
        }
        if hyphens.isEmpty, offset == 0 {
            return Problem(
                message: "invalid length: expected length 32 for simple format, found \(length)")
        }
        guard hyphens.count == 4 else {
            return Problem(
                message: "invalid group count: expected 5, found \(hyphens.count + 1)")
        }
        let starts = [0] + hyphens.map { $0 + 1 }
        let ends = hyphens + [index]
        let expected = [8, 4, 4, 4, 12]
        let lengths = zip(starts, ends).map { $1 - $0 }
        let group = zip(lengths, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? 4
        return Problem(
            message: "invalid group length in group \(group): "
                + "expected \(expected[group]), found \(lengths[group])")
    }
}
