import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// The last word on each connection.
///
/// Gives an id to the responses that the framework writes by itself (to what is not HTTP), and ends
/// a connection after a response that says `Connection: close`. Where the client is still sending
/// then, it is given a while: closing at once would reset the connection, and the client would see
/// the reset instead of the answer.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private static let lingering = TimeAmount.seconds(10)

    private var isReadingBody = false
    private var closesAfterResponse = false
    private var isAnswered = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: isReadingBody = true
        case .body: break
        case .end:
            isReadingBody = false
            if isAnswered { context.close(promise: nil) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.kind != .informational:
            if head.headerFields[.requestID] == nil {
                head.headerFields[.requestID] = RequestIdentifier.make()
            }
            closesAfterResponse = head.headerFields[.connection]?.lowercased() == "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where closesAfterResponse:
            isAnswered = true
            let promise = promise ?? context.eventLoop.makePromise()
            let channel = context.channel
            if isReadingBody {
                context.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
            } else {
                promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
            }
            context.write(data, promise: promise)
        default:
            context.write(data, promise: promise)
        }
    }
}
