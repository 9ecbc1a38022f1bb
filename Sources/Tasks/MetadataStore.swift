import Foundation

/// The lease on a task is no longer ours: it expired and was given away, or the task was cancelled or
/// deleted. Whoever sees this stops working on the task and publishes nothing.
public struct LeaseLost: Error, Sendable {
    /// Thrown by stores.
    public init() {}
}

/// A task that is not accepted. Nothing was recorded.
public enum SubmissionRefused: Error, Sendable, Hashable {
    /// The source does not exist, is another licence's, or has expired.
    case unknownSource
    /// The idempotency key belongs to a task that has started, or that has other parameters.
    case idempotencyKeyUsed
}

/// Everything that is remembered about licences, sources and tasks. One adapter for each database.
///
/// Each method is one transaction.
public protocol MetadataStore: Sendable {
    func insert(_ licence: Licence) async throws
    func licences() async throws -> [Licence]
    func licence(keyHash: String) async throws -> Licence?

    func insert(_ source: Source) async throws
    /// A source of this licence that has not expired at `now`.
    func source(_ id: UUID, licence: UUID, now: Date) async throws -> Source?

    func insert(_ task: SplitTask) async throws
    /// Accepts a task for a source of its licence that has not expired at `now`.
    ///
    /// - Parameter idempotencyKey: Unique for a licence. A repeat with an equal source and equal
    ///   presets, before the first task has started, records nothing.
    /// - Returns: The id of the task, the first one's for a repeat.
    /// - Throws: ``SubmissionRefused``.
    func submit(_ task: SplitTask, idempotencyKey: UUID?, now: Date) async throws -> UUID
    /// Those of the ids that are tasks of this licence and were created at `since` or later.
    func tasks(_ ids: [UUID], licence: UUID, since: Date) async throws -> [UUID: SplitTask]

    /// Gives the oldest task that is queued, or whose lease has expired, to a worker.
    ///
    /// A task whose lease expired on its last attempt is moved to `error` (`attempts_exhausted`)
    /// instead of being leased again.
    /// - Parameters:
    ///   - worker: A name for logs.
    ///   - duration: Seconds until the lease expires unless it is renewed.
    ///   - maximumAttempts: How often a task may be leased.
    func lease(worker: String, duration: Double, maximumAttempts: Int, now: Date) async throws
        -> Lease?
    /// Renews the lease and records progress (never lower than what is recorded).
    /// - Throws: ``LeaseLost``.
    func renew(_ lease: Lease, duration: Double, progress: Int, now: Date) async throws
    /// Publishes the result.
    /// - Throws: ``LeaseLost``: nothing was published.
    func complete(_ lease: Lease, result: TaskResult, now: Date) async throws
    /// Ends the task in `error`.
    /// - Throws: ``LeaseLost``.
    func fail(_ lease: Lease, failure: TaskFailure, now: Date) async throws
    /// Gives the task back to the queue, or ends it with `failure` where this was its last attempt.
    /// - Throws: ``LeaseLost``.
    func release(
        _ lease: Lease, failure: TaskFailure, maximumAttempts: Int, now: Date
    ) async throws

    /// Gives the task back to the queue as if it had not been leased: its attempt does not count.
    /// - Throws: ``LeaseLost``.
    func handBack(_ lease: Lease, now: Date) async throws

    /// Every blob that a live record refers to, for sweeping what crashes left behind.
    func referencedBlobs() async throws -> Set<BlobKey>
}

extension MetadataStore {
    /// Creates a licence. The key is not kept anywhere: whoever calls this shows it to its owner.
    public func createLicence(
        name: String, now: Date = Date()
    ) async throws -> (licence: Licence, key: LicenceKey) {
        let key = LicenceKey()
        let licence = Licence(name: name, keyHash: key.hash, created: now)
        try await insert(licence)
        return (licence, key)
    }
}
