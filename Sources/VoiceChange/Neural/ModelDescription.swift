import Foundation

/// The descriptions, by key, that an ONNX file carries beside its network.
///
/// ONNX is a protocol-buffer message `ModelProto` whose field 14, `metadata_props`, holds pairs of key (1) and value (2)
/// (onnx.proto of ONNX 1.19). All else, the network itself above all, is skipped unread.
enum ModelDescription {
    /// - Returns: What could be read; an empty dictionary where the file is none.
    static func read(_ file: URL) -> [String: String] {
        guard let data = try? Data(contentsOf: file, options: .alwaysMapped) else { return [:] }
        var descriptions: [String: String] = [:]
        for (field, content) in fields(of: data) where field == 14 {
            var pair: [Int: String] = [:]
            for (field, content) in fields(of: content) {
                pair[field] = String(decoding: content, as: UTF8.self)
            }
            if let key = pair[1], let value = pair[2] { descriptions[key] = value }
        }
        return descriptions
    }

    /// The fields with a length (wire type 2) of a message, in order, up to the first that makes no sense.
    private static func fields(of message: Data) -> [(field: Int, content: Data)] {
        var found: [(Int, Data)] = []
        var rest = message[...]
        while let tag = number(&rest) {
            switch tag & 7 {
            case 0: if number(&rest) == nil { return found }
            case 1: rest = rest.dropFirst(8)
            case 2:
                guard let length = number(&rest), length <= UInt64(rest.count) else { return found }
                found.append((Int(tag >> 3), rest.prefix(Int(length))))
                rest = rest.dropFirst(Int(length))
            case 5: rest = rest.dropFirst(4)
            default: return found
            }
        }
        return found
    }

    /// A number of seven bits a byte, the lowest first, taken off the start.
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
