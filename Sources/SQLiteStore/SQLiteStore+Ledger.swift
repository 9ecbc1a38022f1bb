import Foundation
import GRDB
import Tasks

extension SQLiteStore {
    /// Gives a licence time to spend.
    public func grant(_ amount: Int64, licence: UUID, now: Date) async throws {
        try await pool.write { database in
            try Self.enter(.grant, amount, licence: licence, task: nil, now: now, in: database)
        }
    }

    public func balance(licence: UUID) async throws -> Balance {
        try await pool.read { database in try Self.balance(licence: licence, in: database) }
    }

    public func ledger(licence: UUID) async throws -> [LedgerEntry] {
        try await pool.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM ledger WHERE licence = ? ORDER BY sequence",
                arguments: [licence.text]
            ).map(LedgerEntry.init(row:))
        }
    }

    // MARK: Steps of transactions

    static func balance(licence: UUID, in database: Database) throws -> Balance {
        let statement = try database.cachedStatement(
            sql: """
                SELECT available_after, reserved_after FROM ledger
                WHERE licence = ? ORDER BY sequence DESC LIMIT 1
                """)
        guard let row = try Row.fetchOne(statement, arguments: [licence.text]) else {
            return Balance()
        }
        return Balance(available: row["available_after"], reserved: row["reserved_after"])
    }

    static func enter(
        _ kind: LedgerKind, _ amount: Int64, licence: UUID, task: UUID?, now: Date,
        in database: Database
    ) throws {
        let change = kind.change(amount)
        let before = try balance(licence: licence, in: database)
        try database.execute(
            sql: """
                INSERT INTO ledger (licence, task, kind, available, reserved, available_after,
                    reserved_after, created)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                licence.text, task?.text, kind.rawValue, change.available, change.reserved,
                before.available + change.available, before.reserved + change.reserved,
                now.timeIntervalSince1970,
            ])
    }
}
