import Foundation
import GRDB
import Tasks

extension SQLiteStore {
    public func dueCallbacks(limit: Int, now: Date) async throws -> [Callback] {
        try await pool.read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT callbacks.task, callbacks.url, callbacks.attempts, licences.key_hash
                    FROM callbacks JOIN tasks ON tasks.id = callbacks.task
                    JOIN licences ON licences.id = tasks.licence
                    WHERE next_attempt <= ? ORDER BY next_attempt LIMIT ?
                    """)
            return try Row.fetchAll(
                statement, arguments: [now.timeIntervalSince1970, limit]
            ).compactMap { row in
                let task = try Row.fetchOne(
                    database, sql: "SELECT * FROM tasks WHERE id = ?",
                    arguments: [row["task"] as String])
                return try task.map {
                    Callback(
                        url: row["url"], secret: row["key_hash"],
                        task: try SplitTask(row: $0, database: database),
                        attempts: row["attempts"])
                }
            }
        }
    }

    public func finish(_ callback: Callback) async throws {
        try await pool.write { database in
            try database.execute(
                sql: "DELETE FROM callbacks WHERE task = ?", arguments: [callback.task.id.text])
        }
    }

    public func postpone(_ callback: Callback, until: Date) async throws {
        try await pool.write { database in
            try database.execute(
                sql: "UPDATE callbacks SET attempts = ?, next_attempt = ? WHERE task = ?",
                arguments: [
                    callback.attempts + 1, until.timeIntervalSince1970, callback.task.id.text,
                ])
        }
    }
}
