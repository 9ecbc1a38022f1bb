import Foundation
import GRDB
import Tasks

extension SQLiteStore {
    // MARK: Licences

    /// Records a licence.
    ///
    /// - Throws: `DatabaseError` where the id or the hash of the key is taken.
    public func insert(_ licence: Licence) async throws {
        try await pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO licences (id, name, key_hash, created, metered, maximum_duration,
                        maximum_size, batches, callback, revoked)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    licence.id.text, licence.name, licence.keyHash,
                    licence.created.timeIntervalSince1970, licence.terms.metered,
                    licence.terms.maximumDuration, licence.terms.maximumSize,
                    licence.terms.batches, licence.terms.callbackURL,
                    licence.revoked?.timeIntervalSince1970,
                ])
        }
    }

    /// All licences, oldest first.
    public func licences() async throws -> [Licence] {
        try await pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM licences ORDER BY created, rowid")
                .map(Licence.init(row:))
        }
    }

    /// The licence with the hash of a key, unless it was revoked.
    public func licence(keyHash: String) async throws -> Licence? {
        try lookUp { database in
            let statement = try database.cachedStatement(
                sql: "SELECT * FROM licences WHERE key_hash = ? AND revoked IS NULL")
            return try Row.fetchOne(statement, arguments: [keyHash]).map(Licence.init(row:))
        }
    }

    // MARK: Sources

    /// Records a source.
    public func insert(_ source: Source) async throws {
        try await pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO sources (id, licence, name, size, duration, blob, created, expires)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    source.id.text, source.licence.text, source.name, source.size,
                    source.duration, source.blob.rawValue,
                    source.created.timeIntervalSince1970, source.expires.timeIntervalSince1970,
                ])
        }
    }

    /// A source of the licence that can be used.
    public func source(_ id: UUID, licence: UUID, now: Date) async throws -> Source? {
        try await pool.read { database in
            try Self.source(id, licence: licence, now: now, in: database)
        }
    }

    private static func source(
        _ id: UUID, licence: UUID, now: Date, in database: Database
    ) throws -> Source? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT * FROM sources
                WHERE id = ? AND licence = ? AND expires > ? AND removed IS NULL
                """)
        return try Row.fetchOne(
            statement, arguments: [id.text, licence.text, now.timeIntervalSince1970]
        ).map(Source.init(row:))
    }

    // MARK: Tasks

    /// Records a task as it is.
    public func insert(_ task: SplitTask) async throws {
        try await pool.write { database in
            try task.insert(into: database, idempotencyKey: nil)
        }
    }

    /// Accepts a task, or finds the one that it repeats.
    ///
    /// - Throws: ``SubmissionRefused``.
    public func submit(
        _ task: SplitTask, idempotencyKey: UUID?, now: Date
    ) async throws -> UUID {
        try await pool.write { database in
            if let idempotencyKey {
                let row = try Row.fetchOne(
                    database,
                    sql: "SELECT * FROM tasks WHERE licence = ? AND idempotency_key = ?",
                    arguments: [task.licence.text, idempotencyKey.text])
                if let earlier = try row.map({ try SplitTask(row: $0, database: database) }) {
                    // A task that was given back to the queue has started, too.
                    guard
                        earlier.status == .queued, earlier.attempts == 0,
                        earlier.source == task.source, earlier.presets == task.presets,
                        earlier.callbackURL == task.callbackURL
                    else { throw SubmissionRefused.idempotencyKeyUsed }
                    return earlier.id
                }
            }
            try Self.requireAllowed(task, now: now, in: database)
            try task.insert(into: database, idempotencyKey: idempotencyKey)
            if task.cost > 0 {
                try Self.enter(
                    .reservation, task.cost, licence: task.licence, task: task.id, now: now,
                    in: database)
            }
            return task.id
        }
    }

    /// - Throws: ``SubmissionRefused``.
    private static func requireAllowed(
        _ task: SplitTask, now: Date, in database: Database
    ) throws {
        guard let source = try source(task.source, licence: task.licence, now: now, in: database)
        else { throw SubmissionRefused.unknownSource }
        let row = try Row.fetchOne(
            database, sql: "SELECT * FROM licences WHERE id = ?", arguments: [task.licence.text])
        guard let licence = try row.map(Licence.init(row:)), licence.revoked == nil else {
            throw SubmissionRefused.licenceRevoked
        }
        if let limit = licence.terms.maximumSize, source.size > limit {
            throw SubmissionRefused.tooLarge(limit: limit)
        }
        if let limit = licence.terms.maximumDuration, source.duration > limit {
            throw SubmissionRefused.tooLong(limit: limit)
        }
        guard licence.terms.metered else { return }
        let available = try balance(licence: task.licence, in: database).available
        guard task.cost <= available else {
            throw SubmissionRefused.exceededDuration(cost: task.cost, available: available)
        }
    }

    /// Those of the ids that are tasks of the licence, created at `since` or later.
    public func tasks(
        _ ids: [UUID], licence: UUID, since: Date
    ) async throws -> [UUID: SplitTask] {
        try lookUp { database in
            let statement = try database.cachedStatement(
                sql: "SELECT * FROM tasks WHERE id = ? AND licence = ? AND created >= ?")
            var found: [UUID: SplitTask] = [:]
            for id in Set(ids) {
                let row = try Row.fetchOne(
                    statement,
                    arguments: [id.text, licence.text, since.timeIntervalSince1970])
                found[id] = try row.map { try SplitTask(row: $0, database: database) }
            }
            return found
        }
    }

    // MARK: Blobs

    /// Every blob of a source that is not given up, and of its tracks.
    public func referencedBlobs() async throws -> Set<BlobKey> {
        try await pool.read { database in
            let keys = try String.fetchAll(
                database,
                sql: """
                    SELECT blob FROM sources WHERE removed IS NULL
                    UNION
                    SELECT track_blobs.blob FROM track_blobs
                    JOIN tasks ON tasks.id = track_blobs.task JOIN sources ON sources.id = tasks.source
                    WHERE sources.removed IS NULL
                    """)
            return Set(keys.map(BlobKey.init(rawValue:)))
        }
    }
}
