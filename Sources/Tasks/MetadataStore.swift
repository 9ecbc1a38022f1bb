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
    /// The licence has too little left, in milliseconds.
    case exceededDuration(cost: Int64, available: Int64)
    /// The source is longer than the licence allows, in seconds.
    case tooLong(limit: Double)
    /// The source has more bytes than the licence allows.
    case tooLarge(limit: Int64)
    /// There is no such voice.
    case unknownVoicePack
    /// The licence was revoked.
    case licenceRevoked
}

/// Everything that is remembered about licences, sources and tasks. One adapter for each database.
///
/// Each method is one transaction.
public protocol MetadataStore: Sendable {
    func insert(_ licence: Licence) async throws
    func licences() async throws -> [Licence]
    /// The licence with the hash of a key, unless it was revoked.
    func licence(keyHash: String) async throws -> Licence?
    /// Makes a licence's key worthless and cancels its open tasks.
    /// - Returns: Whether there is such a licence.
    func revoke(licence: UUID, now: Date) async throws -> Bool

    /// Gives a licence time to spend.
    /// - Parameter amount: Milliseconds, more than none.
    func grant(_ amount: Int64, licence: UUID, now: Date) async throws
    /// What a licence has.
    func balance(licence: UUID) async throws -> Balance
    /// Every line of a licence's ledger, oldest first.
    func ledger(licence: UUID) async throws -> [LedgerEntry]

    func insert(_ source: Source) async throws
    /// A source of this licence that has not expired at `now`.
    func source(_ id: UUID, licence: UUID, now: Date) async throws -> Source?

    func insert(_ task: SplitTask) async throws
    /// Accepts a task for a source of its licence that has not expired at `now`.
    ///
    /// Its cost is reserved in the same transaction.
    /// - Parameter idempotencyKey: Unique for a licence. A repeat with an equal source, equal presets
    ///   and an equal callback, before the first task has started, records nothing.
    /// - Returns: The id of the task, the first one's for a repeat.
    /// - Throws: ``SubmissionRefused``.
    func submit(_ task: SplitTask, idempotencyKey: UUID?, now: Date) async throws -> UUID
    /// Those of the ids that are tasks of this licence and were created at `since` or later.
    func tasks(_ ids: [UUID], licence: UUID, since: Date) async throws -> [UUID: SplitTask]

    /// Cancels tasks of a licence that are open.
    func cancel(_ ids: [UUID], licence: UUID, now: Date) async throws -> [UUID: Cancellation]
    /// Cancels every open task of a licence.
    /// - Returns: Those that were open.
    func cancelAll(licence: UUID, now: Date) async throws -> [UUID]

    /// Gives a source up: its open tasks are cancelled, and no record refers to its files any more.
    /// - Returns: The files, for deletion; `nil` where the licence has no such source.
    func removeSource(_ id: UUID, licence: UUID, now: Date) async throws -> [BlobKey]?
    /// Gives up the sources that have expired, once no task needs them and `grace` has passed since the last
    /// one ended.
    /// - Parameter limit: How many sources at once.
    /// - Returns: Their files, for deletion.
    func removeExpiredSources(grace: Double, limit: Int, now: Date) async throws -> [BlobKey]
    /// Forgets sources that were given up before `before`, and their tasks. Ledgers stay.
    /// - Parameter limit: How many sources at once.
    /// - Returns: How many sources were forgotten.
    func forgetSources(removedBefore before: Date, limit: Int) async throws -> Int

    /// Gives a task to a worker: one that is queued, or whose lease has expired.
    ///
    /// Licences take turns: first comes the one with the fewest running tasks, of these the one that was
    /// served least recently, and of its tasks the oldest.
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
    /// - Parameter delay: Seconds until it may be leased again.
    /// - Throws: ``LeaseLost``.
    func release(
        _ lease: Lease, failure: TaskFailure, maximumAttempts: Int, delay: Double, now: Date
    ) async throws

    /// Gives the task back to the queue as if it had not been leased: its attempt does not count.
    /// - Throws: ``LeaseLost``.
    func handBack(_ lease: Lease, now: Date) async throws

    /// Deliveries that are due, and the tasks that they tell of. They stay due until
    /// ``finish(_:)`` or ``postpone(_:until:)``.
    func dueCallbacks(limit: Int, now: Date) async throws -> [Callback]
    /// Forgets a delivery: it was made, or given up.
    func finish(_ callback: Callback) async throws
    /// Tries a delivery again later.
    func postpone(_ callback: Callback, until: Date) async throws

    /// Every blob that a live record refers to, for sweeping what crashes left behind.
    func referencedBlobs() async throws -> Set<BlobKey>
}

extension MetadataStore {
    /// Creates a licence. The key is not kept anywhere: whoever calls this shows it to its owner.
    public func createLicence(
        name: String, terms: LicenceTerms = LicenceTerms(), now: Date = Date()
    ) async throws -> (licence: Licence, key: LicenceKey) {
        let key = LicenceKey()
        let licence = Licence(name: name, keyHash: key.hash, created: now, terms: terms)
        try await insert(licence)
        return (licence, key)
    }
}
