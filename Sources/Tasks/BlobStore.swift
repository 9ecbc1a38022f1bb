import Foundation

/// The name of a blob: made by us, safe as a file name and as an S3 key.
public struct BlobKey: RawRepresentable, Sendable, Codable, Hashable {
    /// Lower-case hex.
    public let rawValue: String

    /// A key that was stored, or that came in a signed link.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A new, unused key: lower-case hex.
    public init() {
        rawValue = UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
    }
}

/// A file under construction. It becomes a blob by ``commit()``, or leaves nothing.
public protocol BlobWriter: Sendable {
    func write(_ bytes: some Collection<UInt8> & Sendable) async throws
    /// A file of this machine that holds what was written, for looking into it before it is committed.
    func localFile() async throws -> String
    /// Makes the bytes durable (written, synced, renamed) under the key.
    func commit() async throws -> BlobKey
    /// Removes what was written. Harmless after a commit.
    func discard() async
}

/// Where bytes live: files, or S3.
public protocol BlobStore: Sendable {
    func makeWriter() async throws -> any BlobWriter
    /// Makes a finished local file a blob. The file is moved where it can be, and is gone afterwards.
    func adopt(file path: String) async throws -> BlobKey
    /// A file of this machine with the blob's bytes, which stays until the blob is deleted.
    func localFile(_ key: BlobKey) async throws -> String
    /// Lends a new folder on this machine for temporary files, on the same file system where
    /// ``adopt(file:)`` can then rename. It is removed afterwards, or by a later sweep should this process die.
    func withScratchFolder<Value: Sendable>(
        _ body: (_ path: String) async throws -> Value
    ) async throws -> Value
    /// Bytes, or `nil` where there is no such blob.
    func size(_ key: BlobKey) async throws -> Int64?
    /// The bytes of a range of the blob, in pieces of bounded size.
    func read(
        _ key: BlobKey, range: Range<Int64>
    ) async throws -> AsyncThrowingStream<[UInt8], any Error>
    func delete(_ key: BlobKey) async throws
    /// Every key in the store with the time it was committed.
    func list() async throws -> [(key: BlobKey, committed: Date)]
}
