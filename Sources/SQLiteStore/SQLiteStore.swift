import Foundation
import GRDB
import Tasks

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Licences, sources and tasks in one SQLite file that several processes share.
///
/// The journal is a write-ahead log, so readers never wait for a writer, and each commit is synced to
/// disk before it is answered: a task that a client was told of survives a power cut.
public struct SQLiteStore: MetadataStore {
    let pool: DatabasePool

    /// Opens the file, creating it and bringing its tables up to date where needed.
    ///
    /// - Parameter path: The file. Its folder must exist.
    /// - Throws: `DatabaseError` where the file cannot be opened or is not a database;
    ///   ``StoreIsNewer`` where a newer version of the program has written it.
    public init(path: String) throws {
        var configuration = Configuration()
        // Another process may be writing. Transactions here take milliseconds.
        configuration.busyMode = .timeout(30)
        // Processes start together. Switching a new file to a write-ahead log and creating the
        // tables are the two things that SQLite's own locks do not make wait for each other.
        let lock = try OpeningLock(path: path + ".lock")
        defer { lock.release() }
        pool = try DatabasePool(path: path, configuration: configuration)
        // After opening, because the pool itself chooses NORMAL, which may lose the last commits.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        let migrator = Schema.migrator()
        if try pool.read(migrator.hasBeenSuperseded) { throw StoreIsNewer(path: path) }
        try migrator.migrate(pool)
    }

    /// Reads a few rows by their keys, on the calling thread: to change threads and back takes longer than
    /// such a read, which in a write-ahead log never waits. Each statement sees its own state of the database.
    func lookUp<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try pool.unsafeRead(body)
    }

    /// The journal mode, and the level of syncing (2 is FULL), of the connection that writes.
    package func durability() throws -> (journal: String?, synchronous: Int?) {
        try pool.writeWithoutTransaction { database in
            try (
                String.fetchOne(database, sql: "PRAGMA journal_mode"),
                Int.fetchOne(database, sql: "PRAGMA synchronous")
            )
        }
    }
}

/// The database was written by a newer version of the program.
public struct StoreIsNewer: Error, Sendable, CustomStringConvertible {
    /// The database file.
    public let path: String
    /// A sentence for the operator.
    public var description: String {
        "The database \(path) was written by a newer version of Partita. "
            + "Update this installation, or use another data directory."
    }
}

/// An advisory lock on a file beside the database. It dies with its process.
private struct OpeningLock {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw DatabaseError(
                resultCode: .SQLITE_CANTOPEN,
                message: "\(path): \(String(cString: strerror(errno)))")
        }
        while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
    }

    func release() { close(descriptor) }
}
