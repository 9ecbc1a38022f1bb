import Foundation
import Inference
import Logging
import Media
import Separation
import Synchronization
import Tasks
import VoiceChange

/// How workers lease tasks.
public struct LeasePolicy: Sendable, Hashable {
    /// Seconds until another worker may take over a task whose worker has gone silent.
    public var duration = 15.0
    /// Seconds between heartbeats. A cancelled task is noticed with the next one.
    public var heartbeat = 0.4
    /// How often a task is tried.
    public var maximumAttempts = 3
    /// Seconds between looks at an empty queue.
    public var poll = 0.5
    /// Seconds until a task that failed is tried again; twice as long after each further failure.
    public var retryDelay = 2.0

    public init() {}
}

/// Leases tasks and carries them out, one at a time, until it is cancelled.
public struct TaskWorker: Sendable {
    private let store: any MetadataStore
    private let blobs: any BlobStore
    private let tools: MediaTools
    private let separator: Separator
    private let voices: InstalledVoices
    private let networks: VoiceNetworks?
    private let policy: LeasePolicy
    private let makesPlaylists: Bool
    private let name: String
    private let logger: Logger

    /// - Parameters:
    ///   - networks: What voices are changed with, where it is installed.
    ///   - makesPlaylists: Whether tracks can be streamed, too; it takes as much room again.
    public init(
        store: any MetadataStore, blobs: any BlobStore, tools: MediaTools, separator: Separator,
        voices: InstalledVoices, networks: VoiceNetworks?, policy: LeasePolicy = LeasePolicy(),
        makesPlaylists: Bool = true, name: String,
        logger: Logger
    ) {
        self.store = store
        self.blobs = blobs
        self.tools = tools
        self.separator = separator
        self.voices = voices
        self.networks = networks
        self.policy = policy
        self.makesPlaylists = makesPlaylists
        self.name = name
        self.logger = logger
    }

    /// Works until the surrounding task is cancelled. A task under way then goes back to the queue.
    public func run() async {
        while !Task.isCancelled {
            do {
                if try await workOnce() { continue }
            } catch {
                logger.error("The queue cannot be read: \(error)")
            }
            try? await Task.sleep(for: .seconds(policy.poll))
        }
    }

    /// Takes one task from the queue and ends it.
    /// - Returns: Whether there was one.
    /// - Throws: What the store throws when nothing could be leased.
    public func workOnce() async throws -> Bool {
        guard
            let lease = try await store.lease(
                worker: name, duration: policy.duration, maximumAttempts: policy.maximumAttempts,
                now: Date())
        else { return false }
        let logger = logger(of: lease)
        logger.info("Leased, attempt \(lease.task.attempts)")
        do {
            try await carryOut(lease)
            logger.info("Done")
        } catch is LeaseLost {
            logger.warning("The lease was lost; nothing was published")
        } catch {
            await end(lease, after: error, logger)
        }
        return true
    }

    private func carryOut(_ lease: Lease) async throws {
        try await blobs.withScratchFolder { folder in try await carryOut(lease, in: folder) }
    }

    private func carryOut(_ lease: Lease, in folder: String) async throws {
        let progress = Progress()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await beat(lease) { progress.percent } }
            group.addTask {
                let result = try await result(of: lease, in: folder) { fraction in
                    progress.rise(to: fraction)
                }
                try await publish(lease, result)
            }
            // The job ends the heartbeat, and a lost lease ends the job.
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Renews the lease until cancelled.
    /// - Throws: `LeaseLost`; what the store throws, once the lease must have expired.
    private func beat(_ lease: Lease, _ progress: @Sendable () -> Int)
        async throws
    {
        var renewed = ContinuousClock.now
        while true {
            do {
                try await store.renew(
                    lease, duration: policy.duration, progress: progress(), now: Date())
                renewed = .now
            } catch let error as LeaseLost {
                throw error
            } catch {
                // A database that is busy for a moment is no reason to give up.
                if ContinuousClock.now - renewed > .seconds(policy.duration) { throw LeaseLost() }
            }
            try await Task.sleep(for: .seconds(policy.heartbeat))
        }
    }

    private func result(
        of lease: Lease, in folder: String, progress: @escaping @Sendable (Double) -> Void
    ) async throws -> JobResult {
        let input = try await blobs.localFile(lease.source.blob)
        switch TaskJob(lease.task.presets, input: input, folder: folder) {
        case .split(let job): return try await job.run(tools, separator, progress: progress)
        case .voiceChange(let presets):
            guard let networks else {
                throw TaskFailure(
                    code: "not_installed",
                    detail: "Changing a voice needs a model that is not installed on this server.")
            }
            let voice = try voices.voice(
                presets.voicePack, for: lease.task.licence, beside: networks)
            return try await VoiceChangeJob(presets, voice: voice, input: input, folder: folder)
                .run(tools, separator, networks.pitch, progress: progress)
        }
    }

    private func logger(of lease: Lease) -> Logger {
        var logger = logger
        logger[metadataKey: "task"] = "\(lease.task.id.uuidString.lowercased())"
        return logger
    }

    /// Makes the job's files tracks of the task, or leaves none of them.
    private func publish(_ lease: Lease, _ result: JobResult) async throws {
        let publisher = TrackPublisher(
            blobs: blobs, tools: tools, makesPlaylists: makesPlaylists, logger: logger(of: lease))
        let tracks = try await publisher.publish(result, sourceName: lease.source.name)
        do {
            try await store.complete(
                lease,
                result: TaskResult(
                    tracks: tracks, duration: result.duration, gain: Double(result.gain)),
                now: Date())
        } catch let error as LeaseLost {
            // Surely not published. After any other error the transaction may have been committed all the
            // same; files without a record are swept later.
            await publisher.delete(tracks)
            throw error
        }
    }

    /// Records why a task was not carried out: for good where trying again cannot help.
    private func end(_ lease: Lease, after error: any Error, _ logger: Logger) async {
        do {
            if Task.isCancelled {
                // In a task of its own, as this one may not wait for the database any more.
                try await Task { try await store.handBack(lease, now: Date()) }.value
                logger.info("Handed back: the worker is shutting down")
                return
            }
            if let failure = TaskFailure(final: error) {
                try await store.fail(lease, failure: failure, now: Date())
            } else {
                try await store.release(
                    lease, failure: TaskFailure(passing: error),
                    maximumAttempts: policy.maximumAttempts,
                    delay: policy.retryDelay * Double(1 << max(0, lease.task.attempts - 1)),
                    now: Date())
            }
            logger.warning("Ended with an error: \(error)")
        } catch {
            // The lease runs out, and the task is tried again.
            logger.error("The outcome could not be recorded: \(error)")
        }
    }
}

/// How far a job is: 1–99, only rising.
private final class Progress: Sendable {
    private let value = Mutex(1)

    var percent: Int { value.withLock { $0 } }

    func rise(to fraction: Double) {
        value.withLock { $0 = max($0, min(99, Int(fraction * 99))) }
    }
}
