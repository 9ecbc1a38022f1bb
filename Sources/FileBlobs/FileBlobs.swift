import Foundation
import Tasks

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Blobs as files: `<root>/blobs/ab/abcdef…`, and `<root>/scratch` for what is not finished.
///
/// A blob appears whole or not at all: it is written in the scratch folder, synced, renamed, and the
/// folder's entry is synced. Several processes may share a root.
public struct FileBlobs: BlobStore {
    /// Bytes that are read, written or copied at a time.
    package static let pieceSize = 256 * 1024

    private let blobs: String
    /// Where uploads and workers put what is not finished.
    public let scratch: String

    /// Opens a root, creating it where it is not there.
    ///
    /// - Throws: ``FileError`` where the folders cannot be made.
    public init(root: String) throws {
        let root = URL(fileURLWithPath: root).standardizedFileURL.path
        blobs = root + "/blobs"
        scratch = root + "/scratch"
        // Uploads are private: no other user of the machine may read them.
        for folder in [root, blobs, scratch] { try Folder.create(folder) }
    }

    /// A new file in the scratch folder.
    public func makeWriter() async throws -> any BlobWriter {
        try await offPool { try ScratchFile.create(in: scratch) }.writer(for: self)
    }

    /// Syncs a file and renames it to a blob; copies it where it is on another file system.
    public func adopt(file path: String) async throws -> BlobKey {
        let key = BlobKey()
        let moved = try await offPool {
            try Self.sync(path)
            return try move(path, to: key)
        }
        // Only a worker that was told to keep its temporary files elsewhere comes here.
        if !moved { return try await copy(path) }
        return key
    }

    /// The file of a blob.
    ///
    /// - Throws: ``FileError`` where there is no such blob.
    public func localFile(_ key: BlobKey) async throws -> String {
        let path = try path(of: key)
        guard try await size(key) != nil else {
            throw FileError(operation: "open", path: path, code: ENOENT)
        }
        return path
    }

    /// Bytes, or `nil` where there is no such blob.
    public func size(_ key: BlobKey) async throws -> Int64? {
        guard let path = try? path(of: key) else { return nil }
        var status = stat()
        if stat(path, &status) == 0 { return Int64(status.st_size) }
        guard errno == ENOENT else { throw FileError("stat", path) }
        return nil
    }

    /// The bytes of a range, in pieces of 256 KiB at most.
    public func read(
        _ key: BlobKey, range: Range<Int64>
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        let reader = try BlobReader(path: path(of: key), range: range)
        return AsyncThrowingStream { try await reader.next() }
    }

    /// Removes a blob. Harmless where there is none.
    public func delete(_ key: BlobKey) async throws {
        let path = try path(of: key)
        try await offPool {
            guard unlink(path) == 0 || errno == ENOENT else { throw FileError("delete", path) }
        }
    }

    /// Every blob with the time it was committed.
    public func list() async throws -> [(key: BlobKey, committed: Date)] {
        try await offPool {
            var found: [(key: BlobKey, committed: Date)] = []
            for shard in try Folder.entries(of: blobs) {
                for name in try Folder.entries(of: "\(blobs)/\(shard)") {
                    var status = stat()
                    // Deleted meanwhile, where there is no status.
                    guard stat("\(blobs)/\(shard)/\(name)", &status) == 0 else { continue }
                    found.append((BlobKey(rawValue: name), status.modified))
                }
            }
            return found
        }
    }

    /// Lends a folder, locked for as long as it is used.
    public func withScratchFolder<Value: Sendable>(
        _ body: (_ path: String) async throws -> Value
    ) async throws -> Value {
        let folder = try ScratchFile.createFolder(in: scratch)
        defer {
            try? FileManager.default.removeItem(atPath: folder.path)
            close(folder.descriptor)
        }
        return try await body(folder.path)
    }

    /// Removes what dead processes have left in the scratch folder, which their locks tell. To be called
    /// when a server or a worker starts.
    /// - Returns: How many entries were removed.
    @discardableResult
    public func sweepScratch() async throws -> Int {
        try await offPool {
            try Folder.entries(of: scratch).count { name in
                let path = "\(scratch)/\(name)"
                return ScratchFile.isAbandoned(path)
                    && (try? FileManager.default.removeItem(atPath: path)) != nil
            }
        }
    }

    // MARK: Moving files into place

    /// Where a blob is. Keys are ours, but a key in a signed link came from outside: nothing but
    /// hex digits gets near a path.
    private func path(of key: BlobKey) throws -> String {
        let name = key.rawValue
        guard name.utf8.count >= 8, name.utf8.allSatisfy(\.isHexDigit) else {
            throw FileError(operation: "find", path: name, code: EINVAL)
        }
        return "\(blobs)/\(name.prefix(2))/\(name)"
    }

    /// Renames a synced file to its blob and makes the entry durable.
    ///
    /// - Returns: `false` where the file is on another file system.
    func move(_ file: String, to key: BlobKey) throws -> Bool {
        let path = try path(of: key)
        let shard = "\(blobs)/\(key.rawValue.prefix(2))"
        if try Folder.create(shard) { try Self.sync(blobs) }
        if rename(file, path) != 0 {
            if errno == EXDEV { return false }
            throw FileError("rename", file)
        }
        try Self.sync(shard)
        return true
    }

    private func copy(_ path: String) async throws -> BlobKey {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError("stat", path) }
        let reader = try BlobReader(path: path, range: 0..<Int64(status.st_size))
        let writer = try await makeWriter()
        do {
            while let piece = try await reader.next() { try await writer.write(piece) }
            let key = try await writer.commit()
            unlink(path)
            return key
        } catch {
            await writer.discard()
            throw error
        }
    }

    private static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError("sync", path) }
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}
