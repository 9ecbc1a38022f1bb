import Foundation
import HTTPAPI

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// An answer, byte for byte as it came.
struct Reply: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    var json: JSON {
        get throws { try JSON(parsing: body) }
    }
}

/// Talks HTTP/1.1 over a socket, so that tests decide about every byte, and about when to hang up.
struct WireClient: Sendable {
    struct Failure: Error { let step: String }

    enum End: Sendable {
        /// Reads until the server closes the connection.
        case read
        /// Closes the sending side first.
        case halfClose
        /// Resets the connection without reading.
        case reset
    }

    let port: Int

    /// Sends a request and reads the answer.
    func send(
        _ method: String, _ path: String, _ headers: [(String, String)] = [],
        body: [UInt8] = [], end: End = .read
    ) async throws -> Reply {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\n"
        if !headers.contains(where: { $0.0.lowercased() == "connection" }) {
            head += "Connection: close\r\n"
        }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let isFramed = headers.contains {
            ["content-length", "transfer-encoding"].contains($0.0.lowercased())
        }
        if !isFramed, method == "POST" { head += "Content-Length: \(body.count)\r\n" }
        return try await exchange(Array((head + "\r\n").utf8) + body, end: end)
    }

    /// Sends bytes as they are.
    func exchange(_ bytes: [UInt8], end: End = .read) async throws -> Reply {
        let port = port
        return try await onThread { try Self.exchange(bytes, port: port, end: end) }
    }

    private static func exchange(_ bytes: [UInt8], port: Int, end: End) throws -> Reply {
        let descriptor = try connect(to: port)
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // The server may have answered and hung up already.
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        switch end {
        case .read: break
        case .halfClose: shutdown(descriptor, Int32(SHUT_WR))
        case .reset:
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(
                descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
            return Reply(status: 0, headers: [], body: [])
        }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            received += buffer[..<count]
        }
        return try reply(in: received[...])
    }

    private static func connect(to port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        // A server that never answers fails the test instead of hanging it.
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            throw Failure(step: "connect")
        }
        return descriptor
    }

    private static func reply(in bytes: ArraySlice<UInt8>) throws -> Reply {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw Failure(step: "read a head from \(bytes.count) bytes")
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            .split(separator: "\r\n")
        let status = lines[0].split(separator: " ")[1]
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (
                name: String(parts[0]), value: parts[1].trimmingCharacters(in: .whitespaces)
            )
        }
        // An interim answer comes before the real one.
        if status == "100" { return try reply(in: bytes[end.upperBound...]) }
        return Reply(
            status: Int(status) ?? 0, headers: headers, body: Array(bytes[end.upperBound...]))
    }
}
