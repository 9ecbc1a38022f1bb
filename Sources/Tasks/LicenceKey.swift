import Crypto
import Foundation

/// The secret that a client sends to use the server. Shown once, when it is made.
public struct LicenceKey: RawRepresentable, Sendable, Hashable {
    /// What the client sends: printable ASCII, safe in a header and in a shell.
    public let rawValue: String

    /// A key that somebody else sent or stored; any text is a key, most are just not known.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A new key of 160 random bits, in groups of eight hex digits so that it can be read aloud.
    public init() {
        var generator = SystemRandomNumberGenerator()
        rawValue = (0..<5)
            .map { _ in
                let digits = String(generator.next() as UInt32, radix: 16)
                return String(repeating: "0", count: 8 - digits.count) + digits
            }
            .joined(separator: "-")
    }

    /// SHA-256 of the key, lower-case hex: what is stored.
    public var hash: String {
        SHA256.hash(data: Data(rawValue.utf8)).reduce(into: "") { hex, byte in
            hex += byte < 16 ? "0" : ""
            hex += String(byte, radix: 16)
        }
    }
}
