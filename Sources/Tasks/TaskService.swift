import Foundation

/// What clients may do, and the rules for it. Knows neither HTTP nor SQL.
public struct TaskService: Sendable {
    private let store: any MetadataStore
    private let blobs: any BlobStore
    private let probe: any MediaProbe
    private let catalog: any ModelCatalog
    private let policy: TaskPolicy
    private let clock: @Sendable () -> Date

    /// - Parameter clock: Tells the time, so that tests need not wait a day.
    public init(
        store: any MetadataStore, blobs: any BlobStore, probe: any MediaProbe,
        catalog: any ModelCatalog, policy: TaskPolicy = TaskPolicy(),
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.store = store
        self.blobs = blobs
        self.probe = probe
        self.catalog = catalog
        self.policy = policy
        self.clock = clock
    }

    /// The time by the service's clock.
    public func now() -> Date { clock() }

    // MARK: Licences

    /// Creates a licence. The key is not kept anywhere: whoever calls this shows it to its owner.
    public func createLicence(name: String) async throws -> (licence: Licence, key: LicenceKey) {
        try await store.createLicence(name: name, now: clock())
    }

    /// The licence that a key opens, or `nil`.
    public func licence(for key: LicenceKey) async throws -> Licence? {
        try await store.licence(keyHash: key.hash)
    }

    // MARK: Sources

    /// Makes a finished upload a source, or leaves nothing of it.
    ///
    /// - Parameters:
    ///   - upload: What was written of the upload; committed or discarded when this returns.
    ///   - size: Bytes written.
    /// - Throws: ``UnreadableMedia`` where it is not audio, or has no length.
    public func addSource(
        from upload: any BlobWriter, name: String, size: Int64, licence: Licence
    ) async throws -> Source {
        let blob: BlobKey
        let media: ProbedMedia
        do {
            media = try await probe.probe(file: upload.localFile())
            blob = try await upload.commit()
        } catch {
            await upload.discard()
            throw error
        }
        let now = clock()
        let source = Source(
            licence: licence.id, name: name, size: size, duration: media.duration, blob: blob,
            created: now, expires: now.addingTimeInterval(policy.sourceLifetime))
        do {
            try await store.insert(source)
        } catch {
            // The record is what keeps a blob alive; should this fail too, the sweep finds it.
            try? await blobs.delete(blob)
            throw error
        }
        return source
    }

    // MARK: Tasks

    /// Queues a task.
    ///
    /// A stem that no installed model has is queued too; the worker ends it with a reason.
    /// - Parameter idempotencyKey: A repeat with the same key and parameters is the same task
    ///   until that task starts.
    /// - Returns: The id of the task, an older one's for a repeat.
    /// - Throws: ``SubmissionRefused``.
    public func split(
        source: UUID, presets: StemSeparatorPresets, idempotencyKey: UUID? = nil,
        licence: Licence
    ) async throws -> UUID {
        let servedBy = catalog.splitter(for: presets.stem, requested: presets.splitter)
        let task = SplitTask(
            licence: licence.id, source: source, presets: .stemSeparator(presets),
            servedBy: servedBy ?? presets.splitter, created: clock())
        return try await store.submit(task, idempotencyKey: idempotencyKey, now: task.created)
    }

    /// Those of the ids that are tasks of the licence and can still be checked.
    public func tasks(_ ids: [UUID], licence: Licence) async throws -> [UUID: SplitTask] {
        let since = clock().addingTimeInterval(-policy.taskVisibility)
        return try await store.tasks(ids, licence: licence.id, since: since)
    }
}
