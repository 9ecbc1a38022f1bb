/// The CRC-32 of ZIP files (polynomial 0xEDB88320), eight bytes at a time.
///
/// M. Kounavis and F. Berry, “Novel Table Lookup-Based Algorithms for High-Performance CRC Generation”, 2008.
package struct Checksum: Sendable {
    private var register: UInt32 = ~0

    package init() {}

    /// The checksum of all bytes so far.
    package var value: UInt32 { ~register }

    package mutating func update(_ bytes: [UInt8]) {
        register = bytes.withUnsafeBytes { bytes in
            Self.tables.withUnsafeBufferPointer { tables in
                Self.update(register, bytes, tables)
            }
        }
    }

    private static func update(
        _ start: UInt32, _ bytes: UnsafeRawBufferPointer, _ tables: UnsafeBufferPointer<UInt32>
    ) -> UInt32 {
        var register = start
        var position = 0
        while position + 8 <= bytes.count {
            let word =
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                ^ UInt64(register)
            register = 0
            for byte in 0..<8 {
                let value = Int(truncatingIfNeeded: word >> (8 * byte)) & 0xFF
                register ^= tables[(7 - byte) * 256 + value]
            }
            position += 8
        }
        for byte in bytes[position...] {
            register = tables[Int(UInt8(truncatingIfNeeded: register) ^ byte)] ^ register >> 8
        }
        return register
    }

    /// Eight tables: what a byte does to the register when 0 to 7 bytes follow it.
    private static let tables: [UInt32] = {
        var tables = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { value, _ in
                value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0)
            }
        }
        for index in 256..<8 * 256 {
            let before = tables[index - 256]
            tables.append(tables[Int(before & 0xFF)] ^ before >> 8)
        }
        return tables
    }()
}
