import Foundation

/// The `Content-Disposition` header (RFC 6266), in both directions.
package enum ContentDisposition {
    // MARK: Reading

    /// The file name in a header that a client sent, reduced to a name without folders.
    ///
    /// Lenient, because published clients are careless: the disposition itself may be missing, names
    /// with spaces need no quotes, and percent-encoding is undone in a plain `filename` too.
    package static func fileName(in header: String) -> String? {
        let parameters = parameters(in: header)
        let extended = parameters["filename*"].flatMap(extendedValue)
        let plain = parameters["filename"].map { $0.removingPercentEncoding ?? $0 }
        return [extended, plain].lazy.compactMap(\.self).compactMap(baseName).first
    }

    /// The parameters by lower-case name; the first counts where one is repeated.
    private static func parameters(in header: String) -> [String: String] {
        var found: [String: String] = [:]
        var rest = header[...]
        while !rest.isEmpty {
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(name.count)
            var value = ""
            if rest.first == "=" {
                rest = rest.dropFirst().drop(while: \.isWhitespace)
                if rest.first == "\"" {
                    (value, rest) = quotedString(rest.dropFirst())
                } else {
                    let token = rest.prefix { $0 != ";" }
                    value = token.trimmingCharacters(in: .whitespaces)
                    rest = rest.dropFirst(token.count)
                }
                let key = name.trimmingCharacters(in: .whitespaces).lowercased()
                if found[key] == nil { found[key] = value }
            }
            // To the next parameter; what follows a closing quote is no part of anything.
            rest = rest.drop { $0 != ";" }.dropFirst()
        }
        return found
    }

    private static func quotedString(_ text: Substring) -> (value: String, rest: Substring) {
        var value = ""
        var rest = text
        while let character = rest.popFirst() {
            if character == "\"" { break }
            if character == "\\", let escaped = rest.popFirst() {
                value.append(escaped)
            } else {
                value.append(character)
            }
        }
        return (value, rest)
    }

    /// `charset'language'percent-encoded` (RFC 8187, section 3.2).
    private static func extendedValue(_ text: String) -> String? {
        let parts = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        switch parts[0].lowercased() {
        case "utf-8": return String(parts[2]).removingPercentEncoding
        case "iso-8859-1": return latin1(percentEncoded: parts[2])
        default: return nil
        }
    }

    private static func latin1(percentEncoded text: Substring) -> String? {
        var scalars = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%" else {
                scalars.append(scalar)
                continue
            }
            guard let byte = UInt8(String(rest.prefix(2)), radix: 16) else { return nil }
            rest = rest.dropFirst(2)
            scalars.append(Unicode.Scalar(byte))
        }
        return String(scalars)
    }

    /// A name is data, never a path: what stands before the last slash goes, either way it leans.
    ///
    /// - Returns: `nil` where nothing is left that names a file.
    static func baseName(_ name: String) -> String? {
        let last = name.split(
            omittingEmptySubsequences: false, whereSeparator: { $0 == "/" || $0 == "\\" }
        ).last
        var scalars = String.UnicodeScalarView()
        scalars.append(
            contentsOf: (last ?? "").unicodeScalars.filter { scalar in
                scalar.properties.generalCategory != .control
            })
        let base = String(scalars).trimmingCharacters(in: .whitespaces)
        guard !base.isEmpty, base != ".", base != ".." else { return nil }
        return shortened(base)
    }

    /// At most 200 bytes, so that results named after it fit the 255 of common file systems. The
    /// extension stays.
    private static func shortened(_ name: String) -> String {
        let limit = 200
        guard name.utf8.count > limit else { return name }
        let dot = name.lastIndex(of: ".").map { name[$0...] } ?? ""
        let suffix = dot.utf8.count <= 16 ? dot : ""
        var stem = String(name.dropLast(suffix.count))
        // Not by characters: one with hundreds of accents would go whole.
        while stem.utf8.count + suffix.utf8.count > limit { stem.unicodeScalars.removeLast() }
        return stem + suffix
    }

    // MARK: Writing

    /// The header of a download: a name in ASCII for old clients, and the true one.
    package static func attachment(_ name: String) -> String {
        let plain = name.unicodeScalars.map { scalar in
            let isPlain =
                (0x20..<0x7F).contains(scalar.value) && !"\"\\%".unicodeScalars.contains(scalar)
            return isPlain ? String(scalar) : "_"
        }.joined()
        let extended = percentEncoded(name, keeping: "!#$&+-.^_`|~")
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(extended)"
    }

    /// Letters and digits stay, and what `keeping` lists (ASCII).
    static func percentEncoded(_ text: String, keeping: StaticString) -> String {
        let kept = UnsafeBufferPointer(start: keeping.utf8Start, count: keeping.utf8CodeUnitCount)
        return String(unsafeUninitializedCapacity: text.utf8.count * 3) { buffer in
            var count = 0
            func append(_ byte: UInt8) {
                buffer[count] = byte
                count += 1
            }
            for byte in text.utf8 {
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    append(byte)
                case _ where kept.contains(byte): append(byte)
                default:
                    append(UInt8(ascii: "%"))
                    append(Hex.upper(byte >> 4))
                    append(Hex.upper(byte & 15))
                }
            }
            return count
        }
    }
}

/// Digits of base 16.
enum Hex {
    static func upper(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }

    /// Lower-case hex of some bytes.
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(64)
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] { digits.append(upper(digit) | 0x20) }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
