import Foundation
import Tasks

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a callback goes: an address, taken apart.
struct CallbackTarget: Sendable, Hashable {
    /// As it is requested, with a path.
    let url: String
    /// A name, or an IP address without brackets.
    let host: String
    let port: Int

    /// - Returns: `nil` where the text is not a ``CallbackURL``.
    init?(_ text: String) {
        guard CallbackURL.isValid(text), let separator = text.range(of: "://") else { return nil }
        let scheme = text[..<separator.lowerBound]
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(authority.count)
        let name =
            authority.first == "["
            ? authority.prefix { $0 != "]" }.dropFirst() : authority.prefix { $0 != ":" }
        let number = authority.dropFirst(name.count + (authority.first == "[" ? 2 : 0)).dropFirst()
        host = String(name)
        port = Int(number) ?? (scheme == "https" ? 443 : 80)
        url = "\(scheme)://\(authority)\(path.hasPrefix("/") ? "" : "/")\(path)"
    }

    /// The addresses of the host, as the system's resolver knows them.
    /// - Returns: Nothing where there are none.
    func resolve() async -> [IPAddress] {
        // `getaddrinfo` blocks for seconds where a name server does not answer.
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: lookUp()) }
        }
    }

    private func lookUp() -> [IPAddress] {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = IPAddress(entry.ai_addr), !found.contains(address) {
                found.append(address)
            }
            next = entry.ai_next
        }
        return found
    }
}
