import Foundation
import HTTPTypes
import Hummingbird
import ServiceLifecycle
import Tasks

extension API {
    /// `GET /api/v1/tasks/{task_id}/events`: what `check` gives for the task, whenever it changes.
    ///
    /// The stream ends after the final state, when the client hangs up, and when the server stops.
    func taskEvents(_ request: Request, _ context: APIContext) async throws -> Response {
        let licence = try context.requireLicence()
        let task = try await requireTask(context)
        guard let slot = streams.slot(licence: licence.id) else {
            throw APIError(
                status: .tooManyRequests,
                detail:
                    "This license follows \(streams.limit) tasks at once, and may follow no more. "
                    + "Close a stream, or ask `check`.",
                headers: [.retryAfter: "5"])
        }
        let events = TaskEvents(
            first: task, heartbeat: .seconds(configuration.heartbeat),
            read: { try await tasks.tasks([task.id], licence: licence)[task.id] },
            describe: { [base = publicURL(for: request)] in
                $0.map { entry(for: $0, base: base) } ?? Self.notFound
            })
        let body = ResponseBody { writer in
            // Given back when the body is done with.
            defer { withExtendedLifetime(slot) {} }
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                for try await event in events.cancelOnGracefulShutdown() {
                    try await writer.write(event)
                }
                try await writer.finish(nil)
            }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store",
                // nginx would gather events otherwise.
                .name("X-Accel-Buffering"): "no",
                // Nothing can follow on a connection that was watched for its end.
                .connection: "close",
            ], body: body)
    }
}

/// The states of a task as server-sent events (HTML standard, section 9.2): the first at once, then each
/// change, and a comment where there was nothing else to say for a while.
struct TaskEvents: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// What a client that is to be told everything would ask at most.
    private static let pollInterval = Duration.milliseconds(500)

    let first: SplitTask
    let heartbeat: Duration
    /// The task as it is now; `nil` where it can no longer be checked.
    let read: @Sendable () async throws -> SplitTask?
    let describe: @Sendable (SplitTask?) -> JSON

    func makeAsyncIterator() -> Iterator { Iterator(events: self, next: first) }

    struct Iterator: AsyncIteratorProtocol {
        let events: TaskEvents
        /// What is to be told.
        var next: SplitTask?
        private var told: SplitTask?
        private var isDone = false

        fileprivate init(events: TaskEvents, next: SplitTask?) {
            self.events = events
            self.next = next
        }

        mutating func next() async throws -> ByteBuffer? {
            if isDone { return nil }
            let start = ContinuousClock.now
            while let told, let next, (told.status, told.progress) == (next.status, next.progress) {
                if start.duration(to: .now) >= events.heartbeat {
                    return ByteBuffer(string: ":\n\n")
                }
                try await Task.sleep(for: TaskEvents.pollInterval)
                self.next = try await events.read()
            }
            told = next
            isDone = next?.status.isFinal ?? true
            var event = ByteBuffer(string: "data: ")
            event.writeBytes(events.describe(next).utf8)
            event.writeString("\n\n")
            return event
        }
    }
}
