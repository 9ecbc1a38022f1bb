/// Text that is not JSON.
package struct NotJSON: Error, Sendable, Hashable {
    /// Where it stops being JSON: characters from the start, as clients are told.
    package let position: Int
}

extension JSON {
    /// Reads one JSON value (RFC 8259) that is all of the text.
    ///
    /// - Throws: ``NotJSON``, also for more than 100 levels, which no request needs and which
    ///   could exhaust the stack.
    package init(parsing bytes: [UInt8]) throws(NotJSON) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    private static let maximumDepth = 100

    private let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(NotJSON) -> JSON {
        skipSpace()
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure() }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(at place: Int? = nil) -> NotJSON {
        let before = String(decoding: bytes[..<(place ?? position)], as: UTF8.self)
        return NotJSON(position: before.unicodeScalars.count)
    }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(NotJSON) -> JSON {
        guard let first = next, depth <= Self.maximumDepth else { throw failure() }
        switch first {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: JSON) throws(NotJSON) -> JSON {
        guard bytes[position...].starts(with: word.utf8) else { throw failure() }
        position += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(NotJSON) -> JSON {
        position += 1
        skipSpace()
        var members: [JSON.Member] = []
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            guard next == UInt8(ascii: "\"") else { throw failure() }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw failure() }
            skipSpace()
            members.append(JSON.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw failure() }
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(NotJSON) -> JSON {
        position += 1
        skipSpace()
        var values: [JSON] = []
        if take(UInt8(ascii: "]")) { return .array(values) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { throw failure() }
            skipSpace()
        }
    }

    // MARK: Strings

    private mutating func string() throws(NotJSON) -> String {
        let start = position
        position += 1
        var content: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: content, as: UTF8.self) else {
                    throw failure(at: start)
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw failure(at: position - 1)
            default: content.append(byte)
            }
        }
        throw failure(at: start)
    }

    private mutating func escape(into content: inout [UInt8]) throws(NotJSON) {
        guard let byte = next else { throw failure() }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var units = [try codeUnit()]
            // A surrogate takes its other half along; alone it becomes a replacement character.
            let backslashU: [UInt8] = [UInt8(ascii: "\\"), UInt8(ascii: "u")]
            if UTF16.isLeadSurrogate(units[0]), bytes[position...].starts(with: backslashU) {
                let rewind = position
                position += 2
                let unit = try codeUnit()
                if UTF16.isTrailSurrogate(unit) { units.append(unit) } else { position = rewind }
            }
            content += String(decoding: units, as: UTF16.self).utf8
        default: throw failure(at: position - 1)
        }
    }

    private mutating func codeUnit() throws(NotJSON) -> UInt16 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy(\.isHexDigit),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw failure() }
        position += 4
        return unit
    }

    // MARK: Numbers

    private mutating func number() throws(NotJSON) -> JSON {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let startsWithZero = next == UInt8(ascii: "0")
        let digits = skipDigits()
        guard digits > 0, digits == 1 || !startsWithZero else { throw failure(at: start) }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            guard skipDigits() > 0 else { throw failure() }
        }
        if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw failure() }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text) else { throw failure(at: start) }
        return .number(number)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            position += 1
        }
        return position - start
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20)
    }
}
