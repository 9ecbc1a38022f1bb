import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// An HTTP/1.1 server for callbacks, on a free port of this machine.
final class Receiver: Sendable {
    struct Delivery: Sendable {
        let requestLine: String
        let headers: [String: String]
        let body: [UInt8]
    }

    private let statuses: Mutex<[Int]>
    private let received = Mutex<[Delivery]>([])
    private let channel: any Channel

    /// - Parameter statuses: What is answered, one after another; the last one from then on.
    init(answering statuses: [Int]) async throws {
        self.statuses = Mutex(statuses)
        let handler = Handlers()
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Handler { handler.receiver.withLock { $0 }?.answer(to: $0) ?? 500 })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        handler.receiver.withLock { $0 = self }
    }

    private final class Handlers: Sendable {
        let receiver = Mutex<Receiver?>(nil)
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    var deliveries: [Delivery] { received.withLock { $0 } }

    func stop() async throws { try await channel.close() }

    /// Waits until there are so many, for ten seconds at most.
    func deliveries(count: Int) async throws -> [Delivery] {
        for _ in 0..<500 where deliveries.count < count {
            try await Task.sleep(for: .milliseconds(20))
        }
        return deliveries
    }

    private func answer(to delivery: Delivery) -> Int {
        received.withLock { $0.append(delivery) }
        return statuses.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    }

    /// Reads a request with a known length and answers it.
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var bytes: [UInt8] = []
        private let answer: @Sendable (Delivery) -> Int

        init(_ answer: @escaping @Sendable (Delivery) -> Int) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += Array(buffer: unwrapInboundIn(data))
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { return }
            let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
            }
            let head = text[..<end.upperBound].utf8.count
            guard let length = headers["content-length"].flatMap({ Int($0) }),
                bytes.count >= head + length
            else { return }
            let status = answer(
                Delivery(
                    requestLine: lines[0], headers: headers,
                    body: Array(bytes[head..<head + length])))
            let response =
                "HTTP/1.1 \(status) X\r\nLocation: http://127.0.0.1/elsewhere\r\n"
                + "Content-Length: 0\r\nConnection: close\r\n\r\n"
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: response)))
                .whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
