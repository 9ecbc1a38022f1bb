import Foundation
import Tasks

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An open file or folder in the scratch folder, locked for as long as its process works on it.
struct ScratchFile: Sendable {
    let path: String
    let descriptor: Int32

    static func create(in folder: String) throws -> ScratchFile {
        try create("\(folder)/upload-", remove: unlink) { path in
            open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
    }

    /// A folder, held open and locked like a file.
    static func createFolder(in folder: String) throws -> ScratchFile {
        try create("\(folder)/task-", remove: rmdir) { path in
            mkdir(path, 0o700) == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1
        }
    }

    private static func create(
        _ prefix: String, remove: (UnsafePointer<CChar>) -> Int32, make: (String) -> Int32
    ) throws -> ScratchFile {
        while true {
            let path = "\(prefix)\(BlobKey().rawValue)"
            let descriptor = make(path)
            guard descriptor >= 0 else { throw FileError("create", path) }
            var status = stat()
            let isOurs =
                flock(descriptor, LOCK_EX | LOCK_NB) == 0
                && fstat(descriptor, &status) == 0 && status.st_nlink > 0
            if isOurs { return ScratchFile(path: path, descriptor: descriptor) }
            // A sweep saw it in the moment before it was locked, and took it for abandoned.
            _ = path.withCString(remove)
            close(descriptor)
        }
    }

    /// Whether no living process holds the file or folder.
    static func isAbandoned(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    func writer(for store: FileBlobs) -> FileBlobWriter { FileBlobWriter(file: self, store: store) }

    func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw FileError("write", path)
            }
        }
    }

    func sync() throws {
        guard fsync(descriptor) == 0 else { throw FileError("sync", path) }
    }
}

/// Writes a blob. One caller at a time, as for every ``BlobWriter``.
actor FileBlobWriter: BlobWriter {
    /// What is gathered before it is written: the bodies of requests come in small pieces.
    private static let bufferSize = 1024 * 1024

    private let file: ScratchFile
    private let store: FileBlobs
    private var buffer: [UInt8] = []
    private var isOpen = true

    init(file: ScratchFile, store: FileBlobs) {
        self.file = file
        self.store = store
    }

    // Also what happens to a writer that was dropped without a word.
    deinit { if isOpen { Self.remove(file) } }

    func write(_ bytes: some Collection<UInt8> & Sendable) async throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferSize { try await flush() }
    }

    func localFile() async throws -> String {
        try await flush()
        return file.path
    }

    func commit() async throws -> BlobKey {
        try await flush()
        let (file, store) = (file, store)
        let key = try await offPool {
            try file.sync()
            let key = BlobKey()
            guard try store.move(file.path, to: key) else {
                throw FileError(operation: "rename", path: file.path, code: EXDEV)
            }
            return key
        }
        isOpen = false
        close(file.descriptor)
        return key
    }

    func discard() {
        guard isOpen else { return }
        isOpen = false
        buffer = []
        Self.remove(file)
    }

    private func flush() async throws {
        guard isOpen else { throw FileError(operation: "write", path: file.path, code: EBADF) }
        guard !buffer.isEmpty else { return }
        let (file, bytes) = (file, buffer)
        // Not `removeAll`: the writing thread still holds these bytes, and they would be copied.
        buffer = []
        buffer.reserveCapacity(bytes.capacity)
        try await offPool { try file.write(bytes) }
    }

    private static func remove(_ file: ScratchFile) {
        unlink(file.path)
        close(file.descriptor)
    }
}
