import ArgumentParser
import Crypto
import FileBlobs
import Foundation
import SQLiteStore
import Tasks

/// The data folder of a server: `partita.sqlite`, `blobs/`, `scratch/`, `license.key`, `link.secret`.
struct DataFolder {
    let url: URL
    let store: SQLiteStore
    let blobs: FileBlobs

    /// Opens the folder, which is created (mode 0700) where it is not there.
    init(_ url: URL) throws {
        // Recordings, names and key hashes are for nobody else, in a folder that was there before too.
        umask(0o077)
        self.url = url
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ValidationError(
                "The data folder \(url.path) cannot be made: there is a file of this name, or the folder above it cannot be written."
            )
        }
        store = try SQLiteStore(path: url.appendingPathComponent("partita.sqlite").path)
        blobs = try FileBlobs(root: url.path)
    }

    /// Signs download links; made at the first start.
    func linkSecret() throws -> [UInt8] {
        let file = url.appendingPathComponent("link.secret")
        if let data = try? Data(contentsOf: file), data.count == 32 { return Array(data) }
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        try DataFolder.writePrivate(Data(secret), to: file)
        return secret
    }

    /// The first start creates a licence, whose key is kept in a file that only the owner can read. The key
    /// is written before the licence: a crash between the two leaves a key that opens nothing, and the next
    /// start makes both anew.
    /// - Returns: The key's file, where it exists.
    func ensureLicence(_ tasks: TaskService) async throws -> URL? {
        let file = url.appendingPathComponent("license.key")
        if try await store.licences().isEmpty {
            let key = LicenceKey()
            try DataFolder.writePrivate(Data((key.rawValue + "\n").utf8), to: file)
            try await store.insert(
                Licence(name: "default", keyHash: key.hash, created: Date()))
        }
        return FileManager.default.fileExists(atPath: file.path) ? file : nil
    }

    private static func writePrivate(_ data: Data, to file: URL) throws {
        let temporary = file.appendingPathExtension("new")
        try? FileManager.default.removeItem(at: temporary)
        guard
            FileManager.default.createFile(
                atPath: temporary.path, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown) }
        let handle = try FileHandle(forWritingTo: temporary)
        try handle.write(contentsOf: data)
        try handle.synchronize()
        try handle.close()
        guard rename(temporary.path, file.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}
