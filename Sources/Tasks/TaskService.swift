import Foundation

/// What clients may do, and the rules for it. Knows neither HTTP nor SQL.
public struct TaskService: Sendable {
    private let store: any MetadataStore
    private let blobs: any BlobStore
    private let probe: any MediaProbe
    private let catalog: any ModelCatalog
    private let voices: any VoiceCatalog
    private let policy: TaskPolicy
    private let clock: @Sendable () -> Date
    /// Licences by the hash of their key, and when they were read. A revoked key may still be answered for a
    /// second; it starts nothing, since stores look again.
    private let licences = RecentCache<String, (licence: Licence, read: Date)>(capacity: 10_000)
    /// Tasks that nothing can change any more.
    private let ended = RecentCache<UUID, SplitTask>(capacity: 2_000)

    /// - Parameter clock: Tells the time, so that tests need not wait a day.
    public init(
        store: any MetadataStore, blobs: any BlobStore, probe: any MediaProbe,
        catalog: any ModelCatalog, voices: any VoiceCatalog, policy: TaskPolicy = TaskPolicy(),
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.store = store
        self.blobs = blobs
        self.probe = probe
        self.catalog = catalog
        self.voices = voices
        self.policy = policy
        self.clock = clock
    }

    /// The time by the service's clock.
    public func now() -> Date { clock() }

    // MARK: Licences

    /// Creates a licence. The key is not kept anywhere: whoever calls this shows it to its owner.
    public func createLicence(
        name: String, terms: LicenceTerms = LicenceTerms()
    ) async throws -> (licence: Licence, key: LicenceKey) {
        try await store.createLicence(name: name, terms: terms, now: clock())
    }

    /// The licence that a key opens, or `nil`.
    public func licence(for key: LicenceKey) async throws -> Licence? {
        let (hash, now) = (key.hash, clock())
        if let known = licences[hash], (0..<1).contains(now.timeIntervalSince(known.read)) {
            return known.licence
        }
        let licence = try await store.licence(keyHash: hash)
        if let licence { licences.insert((licence, now), for: hash) }
        return licence
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

    /// Deletes a source and its tracks, and cancels its open tasks.
    /// - Returns: Whether there was such a source.
    public func deleteSource(_ id: UUID, licence: Licence) async throws -> Bool {
        guard
            let files = try await store.removeSource(id, licence: licence.id, now: clock())
        else { return false }
        // No record refers to them any more; what cannot be deleted now is swept later.
        for file in files { try? await blobs.delete(file) }
        return true
    }

    // MARK: Minutes

    /// What the licence can still spend, in minutes. Licences that are not metered have ``unmetered``.
    public func minutesLeft(licence: Licence) async throws -> Double {
        guard licence.terms.metered else { return Self.unmetered }
        return Double(try await store.balance(licence: licence.id).available) / 60_000
    }

    /// What is said of a licence that may spend without end: clients expect a number.
    public static let unmetered = 1_000_000.0

    // MARK: Voices

    /// The voices that tasks of a licence can name: those with a name in the published API, ready or not, then all others.
    public func voicePacks(licence: Licence) -> [VoicePack] {
        let installed = voices.voicePacks(visibleTo: licence.id)
        return VoicePack.named.map { pack in installed.first { $0.id == pack.id } ?? pack }
            + installed.filter { pack in !VoicePack.named.contains { $0.id == pack.id } }
    }

    // MARK: Tasks

    /// Queues a task.
    ///
    /// What no installed model can do is queued too; the worker ends it with a reason.
    /// - Parameters:
    ///   - idempotencyKey: A repeat with the same key and parameters is the same task until that task starts.
    ///   - callbackURL: Where the end of the task is told.
    /// - Returns: The id of the task, an older one's for a repeat.
    /// - Throws: ``SubmissionRefused``.
    public func submit(
        source id: UUID, presets: Presets, idempotencyKey: UUID? = nil, callbackURL: String? = nil,
        licence: Licence
    ) async throws -> UUID {
        if case .voiceChange(let presets) = presets,
            !voicePacks(licence: licence).contains(where: { $0.id == presets.voicePack })
        {
            throw SubmissionRefused.unknownVoicePack
        }
        let now = clock()
        guard let source = try await store.source(id, licence: licence.id, now: now) else {
            throw SubmissionRefused.unknownSource
        }
        let task = SplitTask(
            licence: licence.id, source: id, presets: presets, servedBy: served(presets),
            cost: Int64((source.duration * 1000).rounded(.up)) * Int64(presets.chargedStems),
            callbackURL: callbackURL, created: now)
        return try await store.submit(task, idempotencyKey: idempotencyKey, now: now)
    }

    private func served(_ presets: Presets) -> Splitter {
        switch presets {
        case .stemSeparator(let presets):
            catalog.splitter(for: presets.stem, requested: presets.splitter) ?? presets.splitter
        case .multistem(let presets):
            presets.stems.lazy.compactMap {
                catalog.splitter(for: $0, requested: presets.splitter)
            }.first ?? presets.splitter
        case .demuser(let presets): presets.splitter
        case .voiceClean(let presets): presets.splitter
        case .voiceChange: .auto
        }
    }

    /// Those of the ids that are tasks of the licence and can still be checked.
    public func tasks(_ ids: [UUID], licence: Licence) async throws -> [UUID: SplitTask] {
        let since = clock().addingTimeInterval(-policy.taskVisibility)
        var found: [UUID: SplitTask] = [:]
        var others: [UUID] = []
        for id in ids {
            guard let task = ended[id] else {
                others.append(id)
                continue
            }
            if task.licence == licence.id, task.created >= since { found[id] = task }
        }
        guard !others.isEmpty else { return found }
        for (id, task) in try await store.tasks(others, licence: licence.id, since: since) {
            found[id] = task
            if task.status.isFinal { ended.insert(task, for: id) }
        }
        return found
    }

    /// The source of a task, also where it has expired; `nil` once it is deleted.
    public func source(of task: SplitTask) async throws -> Source? {
        try await store.source(task.source, licence: task.licence, now: .distantPast)
    }

    /// Cancels tasks of the licence that are open. Their workers notice within a second.
    public func cancel(_ ids: [UUID], licence: Licence) async throws -> [UUID: Cancellation] {
        try await store.cancel(ids, licence: licence.id, now: clock())
    }

    /// Cancels every open task of the licence.
    /// - Returns: Those that were open.
    public func cancelAll(licence: Licence) async throws -> [UUID] {
        try await store.cancelAll(licence: licence.id, now: clock())
    }
}
