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

/// Talks HTTP/1.1 over a socket, so that tests decide about every byte.
struct WireClient: Sendable {
    let port: Int

    /// Sends a request and reads the answer.
    /// - Parameter halfClose: Whether the sending side is closed before the answer is read.
    func send(
        _ method: String, _ path: String, _ headers: [(String, String)] = [],
        body: [UInt8] = [], halfClose: Bool = false
    ) async throws -> Reply {
        try await exchange(request(method, path, headers, body: body), halfClose: halfClose)
    }

    /// Sends bytes as they are, and reads until the server closes the connection.
    func exchange(_ bytes: [UInt8], halfClose: Bool = false) async throws -> Reply {
        let connection = try WireConnection(port: port)
        try await connection.send(bytes)
        if halfClose { connection.finishSending() }
        return try await connection.reply()
    }

    func request(
        _ method: String, _ path: String, _ headers: [(String, String)], body: [UInt8]
    ) -> [UInt8] {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let isFramed = headers.contains {
            ["content-length", "transfer-encoding"].contains($0.0.lowercased())
        }
        if !isFramed, method == "POST" { head += "Content-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + body
    }
}

/// One connection, for tests that decide when to send what, and when to hang up.
struct WireConnection: Sendable {
    struct Failure: Error { let step: String }

    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        // A server that never answers fails the test instead of hanging it.
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let descriptor = descriptor
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            throw Failure(step: "connect")
        }
    }

    func send(_ bytes: [UInt8]) async throws {
        let descriptor = descriptor
        try await onThread {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                // The server may have answered and hung up already.
                guard count > 0 else { break }
                rest = rest.dropFirst(count)
            }
        }
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Hangs up without a goodbye, as a client that is killed does.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger,
            socklen_t(MemoryLayout<Glibc.linger>.size))
        close(descriptor)
    }

    /// Reads until what came satisfies a condition, or the server closes the connection.
    /// - Returns: What came since the last time.
    func receive(
        until isEnough: @escaping @Sendable (String) -> Bool = { _ in false }
    ) async throws -> String {
        let descriptor = descriptor
        return try await onThread {
            var received: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while !isEnough(String(decoding: received, as: UTF8.self)) {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                received += buffer[..<count]
            }
            return String(decoding: received, as: UTF8.self)
        }
    }

    /// Reads until the server closes the connection, then closes it, too.
    func reply() async throws -> Reply {
        let descriptor = descriptor
        return try await onThread {
            defer { close(descriptor) }
            var received: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                received += buffer[..<count]
            }
            return try Self.reply(in: received[...])
        }
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
