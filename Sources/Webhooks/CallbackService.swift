import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Tasks

/// Tells the ends of tasks to whoever asked to be told, at least once each: until it is answered with a
/// status of 200 to 299, after growing delays, for about nine hours.
public struct CallbackService: Service {
    private let store: any MetadataStore
    private let allowsPrivate: Bool
    private let logger: Logger
    private let body: @Sendable (SplitTask) -> [UInt8]
    private let delays: [Double]
    private let inFlight = InFlight()

    /// Seconds until the second attempt, until the third, and so on.
    public static let standardDelays: [Double] = [10, 60, 300, 1800, 7200, 7200, 7200, 7200]
    /// Seconds between looks for what is due.
    private static let interval = 1.0
    /// Deliveries at the same time.
    private static let width = 16

    /// - Parameters:
    ///   - allowsPrivate: Whether callbacks may go to addresses that are not of the public internet.
    ///   - delays: Seconds between attempts. After the last one a delivery is given up.
    ///   - body: What is told of a task, as JSON.
    public init(
        store: any MetadataStore, allowsPrivate: Bool,
        delays: [Double] = CallbackService.standardDelays, logger: Logger,
        body: @escaping @Sendable (SplitTask) -> [UInt8]
    ) {
        self.store = store
        self.allowsPrivate = allowsPrivate
        self.delays = delays
        self.logger = logger
        self.body = body
    }

    /// Runs until the service group shuts down. What is not delivered by then is so after the next start.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for callback in await due() {
                        group.addTask {
                            await deliver(callback)
                            inFlight.remove(callback.task.id)
                        }
                    }
                    try? await Task.sleep(for: .seconds(Self.interval))
                }
                group.cancelAll()
            }
        }
    }

    private func due() async -> [Callback] {
        do {
            let found = try await store.dueCallbacks(limit: 4 * Self.width, now: Date())
            return found.filter { inFlight.insert($0.task.id, upTo: Self.width) }
        } catch {
            logger.error("Callbacks cannot be read: \(error)")
            return []
        }
    }

    private func deliver(_ callback: Callback) async {
        let outcome = await send(callback)
        if Task.isCancelled { return }
        var logger = logger
        logger[metadataKey: "task"] = "\(callback.task.id.uuidString.lowercased())"
        do {
            switch outcome {
            case .delivered:
                try await store.finish(callback)
            case .refused(let reason):
                logger.warning("A callback was given up: \(reason)")
                try await store.finish(callback)
            case .failed(let reason):
                guard callback.attempts < delays.count else {
                    logger.warning(
                        "A callback was given up after \(callback.attempts + 1) attempts: \(reason)"
                    )
                    return try await store.finish(callback)
                }
                logger.info("A callback failed and is tried again: \(reason)")
                try await store.postpone(
                    callback, until: Date() + delays[callback.attempts])
            }
        } catch {
            logger.error("The outcome of a callback cannot be recorded: \(error)")
        }
    }

    private enum Outcome {
        case delivered
        /// Trying again cannot help.
        case refused(String)
        case failed(String)
    }

    private func send(_ callback: Callback) async -> Outcome {
        guard let target = CallbackTarget(callback.url) else {
            return .refused("its address is not valid")
        }
        let addresses = await target.resolve()
        guard !addresses.isEmpty else { return .failed("the host has no address") }
        guard let address = addresses.first(where: { allowsPrivate || $0.isPublic }) else {
            return .refused("its host is in a private network, which is not allowed here")
        }
        let body = body(callback.task)
        let request = CallbackRequest(
            target: target, address: address,
            headers: [
                ("Content-Type", "application/json"),
                ("Partita-Event", "task.finished"),
                ("Partita-Delivery", callback.task.id.uuidString.lowercased()),
                (
                    "Partita-Signature",
                    CallbackSignature.header(body: body, secret: callback.secret, now: Date())
                ),
            ], body: body)
        guard let status = await request.send() else { return .failed("there was no answer") }
        switch status {
        case 200..<300: return .delivered
        case 410: return .refused("its receiver is gone (410)")
        default: return .failed("the answer was \(status)")
        }
    }
}

/// The tasks whose callbacks are on their way.
private final class InFlight: Sendable {
    private let ids = Mutex<Set<UUID>>([])

    /// - Returns: Whether the id was not there, and there was room.
    func insert(_ id: UUID, upTo limit: Int) -> Bool {
        ids.withLock { $0.count < limit && $0.insert(id).inserted }
    }

    func remove(_ id: UUID) { ids.withLock { _ = $0.remove(id) } }
}
