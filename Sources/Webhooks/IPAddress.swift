#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An address of IPv4 (4 bytes) or IPv6 (16 bytes).
struct IPAddress: Sendable, Hashable {
    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// - Returns: `nil` for other families.
    init?(_ address: UnsafePointer<sockaddr>?) {
        guard let address else { return nil }
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
                withUnsafeBytes(of: pointer.pointee.sin_addr, Array.init)
            }
        case AF_INET6:
            bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                withUnsafeBytes(of: pointer.pointee.sin6_addr, Array.init)
            }
        default: return nil
        }
    }

    /// As it stands in a URL, IPv6 in brackets.
    var text: String {
        if bytes.count == 4 { return bytes.map { "\($0)" }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { position in
            String(Int(bytes[position]) << 8 | Int(bytes[position + 1]), radix: 16)
        }
        return "[\(groups.joined(separator: ":"))]"
    }

    /// Whether the address is one of the public internet: none of those that the registries of special
    /// addresses (RFC 6890, as kept by IANA) say are not globally reachable, and no multicast.
    var isPublic: Bool {
        if bytes.count == 4 { return !Self.special4.contains { $0.contains(bytes) } }
        if let inner = embedded4 { return inner.isPublic }
        // Global unicast is all that is in use of IPv6.
        return Self.global6.contains(bytes) && !Self.special6.contains { $0.contains(bytes) }
    }

    /// The address of IPv4 that one of IPv6 leads to: mapped (::ffff:0:0/96), compatible (::/96), NAT64
    /// (64:ff9b::/96), 6to4 (2002::/16).
    private var embedded4: IPAddress? {
        let leads96 = [
            [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF], [UInt8](repeating: 0, count: 12),
            [0, 0x64, 0xFF, 0x9B] + [UInt8](repeating: 0, count: 8),
        ]
        if leads96.contains(Array(bytes[..<12])) { return IPAddress(bytes: Array(bytes[12...])) }
        if bytes[0] == 0x20, bytes[1] == 0x02 { return IPAddress(bytes: Array(bytes[2..<6])) }
        return nil
    }

    /// The addresses that begin with some bits.
    private struct Block {
        let prefix: [UInt8]
        let bits: Int

        init(_ prefix: [UInt8], _ bits: Int) {
            self.prefix = prefix
            self.bits = bits
        }

        func contains(_ bytes: [UInt8]) -> Bool {
            (0..<bits).allSatisfy { bit in
                let mask = UInt8(0x80) >> UInt8(bit % 8)
                let wanted = bit / 8 < prefix.count ? prefix[bit / 8] : 0
                return bytes[bit / 8] & mask == wanted & mask
            }
        }
    }

    private static let special4 = [
        Block([0], 8), Block([10], 8), Block([100, 64], 10), Block([127], 8),
        Block([169, 254], 16), Block([172, 16], 12), Block([192, 0, 0], 24),
        Block([192, 0, 2], 24), Block([192, 88, 99], 24), Block([192, 168], 16),
        Block([198, 18], 15), Block([198, 51, 100], 24), Block([203, 0, 113], 24),
        // Multicast, and what is reserved, up to the broadcast address.
        Block([224], 4), Block([240], 4),
    ]
    private static let global6 = Block([0x20], 3)
    private static let special6 = [
        // Protocol assignments with Teredo, documentation (two blocks).
        Block([0x20, 0x01, 0x00, 0x00], 23), Block([0x20, 0x01, 0x0D, 0xB8], 32),
        Block([0x3F, 0xFF, 0x00], 20),
    ]
}
