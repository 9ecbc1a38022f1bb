import Foundation

/// The fields of a protocol-buffer message, in order (<https://protobuf.dev/programming-guides/encoding>).
struct MessageFields {
    struct Field {
        let number: Int
        /// With tag and, where it has one, length.
        let whole: Data
        /// What a field with a length (wire type 2) holds; nil for all others.
        let content: Data?
    }

    let fields: [Field]

    /// - Parameter message: Its memory is shared, not copied.
    /// - Returns: `nil` where it is no message.
    init?(_ message: Data) {
        var fields: [Field] = []
        var rest = message[...]
        while !rest.isEmpty {
            let start = rest
            guard let tag = Self.number(&rest), tag >> 3 > 0, tag >> 3 < 1 << 29 else { return nil }
            var content: Data?
            switch tag & 7 {
            case 0: if Self.number(&rest) == nil { return nil }
            case 1, 5:
                let size = tag & 7 == 1 ? 8 : 4
                if rest.count < size { return nil }
                rest = rest.dropFirst(size)
            case 2:
                guard let length = Self.number(&rest), length <= UInt64(rest.count) else {
                    return nil
                }
                content = rest.prefix(Int(length))
                rest = rest.dropFirst(Int(length))
            default: return nil
            }
            fields.append(
                Field(
                    number: Int(tag >> 3), whole: start.prefix(start.count - rest.count),
                    content: content))
        }
        self.fields = fields
    }

    /// What the fields of a number hold that have a length.
    subscript(number: Int) -> [Data] {
        fields.filter { $0.number == number }.compactMap(\.content)
    }

    /// The texts of a field.
    func text(_ number: Int) -> String? {
        self[number].last.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Tag and length of a field with this many bytes.
    static func header(_ field: Int, count: Int) -> Data {
        encoded(UInt64(field << 3 | 2)) + encoded(UInt64(count))
    }

    /// Seven bits a byte, the lowest first.
    private static func encoded(_ number: UInt64) -> Data {
        var (bytes, rest) = (Data(), number)
        while rest > 0x7f {
            bytes.append(UInt8(rest & 0x7f | 0x80))
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        return bytes
    }

    /// The same, taken off the start.
    private static func number(_ data: inout Data) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = data.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
