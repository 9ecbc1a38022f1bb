import Foundation
import GRDB
import Tasks

/// How open tasks end other than by their worker's word, and what every end has in common.
extension SQLiteStore {
    /// Ends a task: its reservation is settled, and whoever waits for word of it gets some, in the
    /// transaction in which the status changes.
    static func end(
        _ task: UUID, as status: TaskStatus, failure: TaskFailure? = nil, now: Date,
        in database: Database
    ) throws {
        try database.execute(
            sql: """
                UPDATE tasks SET status = ?, failure_code = ?, failure_detail = ?, finished = ?,
                    lease_expires = NULL
                WHERE id = ?
                """,
            arguments: [
                status.rawValue, failure?.code, failure?.detail, now.timeIntervalSince1970,
                task.text,
            ])
        let reservation = try Row.fetchOne(
            database,
            sql: "SELECT licence, reserved FROM ledger WHERE task = ? AND kind = 'reservation'",
            arguments: [task.text])
        if let reservation {
            try enter(
                status == .success ? .charge : .refund, reservation["reserved"],
                licence: reservation.uuid("licence"), task: task, now: now, in: database)
        }
        try database.execute(
            sql: """
                INSERT INTO callbacks (task, url, attempts, next_attempt)
                SELECT tasks.id, COALESCE(tasks.callback, licences.callback), 0, ?
                FROM tasks JOIN licences ON licences.id = tasks.licence
                WHERE tasks.id = ? AND COALESCE(tasks.callback, licences.callback) IS NOT NULL
                """,
            arguments: [now.timeIntervalSince1970, task.text])
    }

    // MARK: Cancelling

    /// Cancels tasks of a licence that are open.
    public func cancel(
        _ ids: [UUID], licence: UUID, now: Date
    ) async throws -> [UUID: Cancellation] {
        try await pool.write { database in
            var outcomes: [UUID: Cancellation] = [:]
            for id in Set(ids) {
                let status = try String.fetchOne(
                    database, sql: "SELECT status FROM tasks WHERE id = ? AND licence = ?",
                    arguments: [id.text, licence.text])
                switch status.flatMap(TaskStatus.init(rawValue:)) {
                case nil: outcomes[id] = .unknown
                case .some(let status) where status.isFinal: outcomes[id] = .ended
                default:
                    try Self.end(id, as: .cancelled, now: now, in: database)
                    outcomes[id] = .cancelled
                }
            }
            return outcomes
        }
    }

    public func cancelAll(licence: UUID, now: Date) async throws -> [UUID] {
        try await pool.write { database in
            try Self.cancelOpen("licence", licence, now: now, in: database)
        }
    }

    /// - Parameter column: Of `tasks`.
    /// - Returns: The tasks that were open, oldest first.
    private static func cancelOpen(
        _ column: String, _ id: UUID, now: Date, in database: Database
    ) throws -> [UUID] {
        let open = try Row.fetchAll(
            database,
            sql: """
                SELECT id FROM tasks WHERE \(column) = ? AND status IN ('queued', 'running')
                ORDER BY created, sequence
                """,
            arguments: [id.text]
        ).map { try $0.uuid("id") }
        for task in open { try end(task, as: .cancelled, now: now, in: database) }
        return open
    }

    /// Makes a licence's key worthless and cancels its open tasks.
    public func revoke(licence: UUID, now: Date) async throws -> Bool {
        try await pool.write { database in
            try database.execute(
                sql: "UPDATE licences SET revoked = COALESCE(revoked, ?) WHERE id = ?",
                arguments: [now.timeIntervalSince1970, licence.text])
            guard database.changesCount > 0 else { return false }
            _ = try Self.cancelOpen("licence", licence, now: now, in: database)
            return true
        }
    }

    // MARK: Removing

    public func removeSource(_ id: UUID, licence: UUID, now: Date) async throws -> [BlobKey]? {
        try await pool.write { database in
            let isThere = try Bool.fetchOne(
                database,
                sql: "SELECT removed IS NULL FROM sources WHERE id = ? AND licence = ?",
                arguments: [id.text, licence.text])
            guard isThere == true else { return nil }
            _ = try Self.cancelOpen("source", id, now: now, in: database)
            return try Self.giveUp(id, now: now, in: database)
        }
    }

    public func removeExpiredSources(
        grace: Double, limit: Int, now: Date
    ) async throws -> [BlobKey] {
        try await pool.write { database in
            let expired = try Row.fetchAll(
                database,
                sql: """
                    SELECT id FROM sources
                    WHERE removed IS NULL AND expires <= ?1 AND NOT EXISTS (
                        SELECT 1 FROM tasks WHERE tasks.source = sources.id
                            AND (status IN ('queued', 'running') OR finished > ?2))
                    ORDER BY expires LIMIT ?3
                    """,
                arguments: [
                    now.timeIntervalSince1970, now.timeIntervalSince1970 - grace, limit,
                ])
            return try expired.flatMap {
                try Self.giveUp($0.uuid("id"), now: now, in: database)
            }
        }
    }

    /// - Returns: The files of a source and its tasks.
    private static func giveUp(
        _ source: UUID, now: Date, in database: Database
    ) throws -> [BlobKey] {
        try database.execute(
            sql: "UPDATE sources SET removed = ? WHERE id = ?",
            arguments: [now.timeIntervalSince1970, source.text])
        return try String.fetchAll(
            database,
            sql: """
                SELECT blob FROM sources WHERE id = ?1
                UNION ALL
                SELECT track_blobs.blob FROM track_blobs JOIN tasks ON tasks.id = track_blobs.task
                WHERE tasks.source = ?1
                """,
            arguments: [source.text]
        ).map(BlobKey.init(rawValue:))
    }

    public func forgetSources(removedBefore before: Date, limit: Int) async throws -> Int {
        try await pool.write { database in
            let old = try String.fetchAll(
                database,
                sql: "SELECT id FROM sources WHERE removed < ? ORDER BY removed LIMIT ?",
                arguments: [before.timeIntervalSince1970, limit])
            for source in old {
                let ofItsTasks = "task IN (SELECT id FROM tasks WHERE source = ?)"
                for statement in [
                    "DELETE FROM tracks WHERE \(ofItsTasks)",
                    "DELETE FROM callbacks WHERE \(ofItsTasks)",
                    "DELETE FROM tasks WHERE source = ?",
                    "DELETE FROM sources WHERE id = ?",
                ] {
                    try database.execute(sql: statement, arguments: [source])
                }
            }
            return old.count
        }
    }
}
