import Foundation

/// Removes what has expired, and what crashes left behind.
public struct Janitor: Sendable {
    private let store: any MetadataStore
    private let blobs: any BlobStore
    private let policy: TaskPolicy
    /// Sources that one transaction gives up: others wait no longer than for a few milliseconds.
    private static let portion = 100
    /// Seconds for which a blob without a record may belong to one that is about to be written.
    private static let settling = 3600.0

    /// A janitor for a store and its blobs.
    public init(store: any MetadataStore, blobs: any BlobStore, policy: TaskPolicy) {
        self.store = store
        self.blobs = blobs
        self.policy = policy
    }

    /// Removes the files of expired sources and, in their time, the records.
    /// - Returns: How many files and how many sources' records went.
    @discardableResult
    public func removeExpired(now: Date = Date()) async throws -> (files: Int, records: Int) {
        var (files, records) = (0, 0)
        while !Task.isCancelled {
            let found = try await store.removeExpiredSources(
                grace: policy.trackGrace, limit: Self.portion, now: now)
            if found.isEmpty { break }
            // No record refers to them any more; what cannot be deleted now is an orphan.
            for file in found { try? await blobs.delete(file) }
            files += found.count
        }
        let before = now.addingTimeInterval(-policy.recordLifetime)
        while !Task.isCancelled {
            let count = try await store.forgetSources(
                removedBefore: before, limit: Self.portion)
            if count == 0 { break }
            records += count
        }
        return (files, records)
    }

    /// Removes files that no record refers to.
    /// - Returns: How many.
    @discardableResult
    public func removeOrphans(now: Date = Date()) async throws -> Int {
        var removed = 0
        // Listed before the records are read: what is recorded meanwhile is then known.
        let listed = try await blobs.list()
        let known = try await store.referencedBlobs()
        for blob in listed
        where blob.committed < now.addingTimeInterval(-Self.settling) && !known.contains(blob.key) {
            try await blobs.delete(blob.key)
            removed += 1
        }
        return removed
    }
}
