import Foundation
import GRDB
import Tasks

/// The queue. A write transaction of SQLite excludes all others, in every process, so what is read
/// here cannot change before it is written.
extension SQLiteStore {
    /// Leases the next task that is queued, or whose lease has expired.
    public func lease(
        worker: String, duration: Double, maximumAttempts: Int, now: Date
    ) async throws -> Lease? {
        // Idle workers ask often. Reading first spares them, and everybody, the write lock.
        let isIdle = try await pool.read { database in
            try Self.next(at: now, in: database) == nil
        }
        if isIdle { return nil }
        return try await pool.write { database in
            while let row = try Self.next(at: now, in: database) {
                let task = try SplitTask(row: row, database: database)
                guard task.attempts < maximumAttempts else {
                    try Self.end(
                        task.id, as: .error,
                        failure: TaskFailure(
                            code: "attempts_exhausted",
                            detail: "Processing was interrupted \(task.attempts) times "
                                + "and was given up."),
                        now: now, in: database)
                    continue
                }
                return try Self.lease(
                    task, fence: row["fence"] + 1, worker: worker, now: now,
                    expires: now.addingTimeInterval(duration), in: database)
            }
            return nil
        }
    }

    /// Renews a lease and records progress.
    ///
    /// - Throws: ``LeaseLost``.
    public func renew(
        _ lease: Lease, duration: Double, progress: Int, now: Date
    ) async throws {
        try await pool.write { database in
            try database.execute(
                sql: """
                    UPDATE tasks SET lease_expires = ?, progress = MAX(progress, ?)
                    WHERE id = ? AND fence = ? AND status = 'running'
                    """,
                arguments: [
                    now.addingTimeInterval(duration).timeIntervalSince1970,
                    // 100 would promise tracks that are not there yet.
                    min(99, max(1, progress)), lease.task.id.text, lease.fence,
                ])
            if database.changesCount == 0 { throw LeaseLost() }
        }
    }

    /// Publishes a result.
    ///
    /// - Throws: ``LeaseLost``.
    public func complete(_ lease: Lease, result: TaskResult, now: Date) async throws {
        try await pool.write { database in
            try Self.requireHeld(lease, in: database)
            try database.execute(
                sql: """
                    UPDATE tasks SET progress = 100, duration = ?, gain = ? WHERE id = ?
                    """,
                arguments: [result.duration, result.gain, lease.task.id.text])
            try Track.insert(result.tracks, of: lease.task.id, into: database)
            try Self.end(lease.task.id, as: .success, now: now, in: database)
        }
    }

    /// Ends a task in `error`.
    ///
    /// - Throws: ``LeaseLost``.
    public func fail(_ lease: Lease, failure: TaskFailure, now: Date) async throws {
        try await pool.write { database in
            try Self.requireHeld(lease, in: database)
            try Self.end(lease.task.id, as: .error, failure: failure, now: now, in: database)
        }
    }

    /// Gives a task back to the queue, or ends it after its last attempt.
    ///
    /// - Throws: ``LeaseLost``.
    public func release(
        _ lease: Lease, failure: TaskFailure, maximumAttempts: Int, delay: Double, now: Date
    ) async throws {
        try await pool.write { database in
            let attempts = try Self.requireHeld(lease, in: database)
            guard attempts < maximumAttempts else {
                return try Self.end(
                    lease.task.id, as: .error, failure: failure, now: now, in: database)
            }
            try database.execute(
                sql: """
                    UPDATE tasks SET status = 'queued', worker = NULL, lease_expires = NULL,
                        not_before = ?
                    WHERE id = ?
                    """,
                arguments: [now.timeIntervalSince1970 + delay, lease.task.id.text])
        }
    }

    public func handBack(_ lease: Lease, now: Date) async throws {
        try await pool.write { database in
            try Self.requireHeld(lease, in: database)
            try database.execute(
                sql: """
                    UPDATE tasks SET status = 'queued', worker = NULL, lease_expires = NULL,
                        attempts = attempts - 1
                    WHERE id = ?
                    """,
                arguments: [lease.task.id.text])
        }
    }

    // MARK: Steps of the transactions above

    /// The task that is next: of the licence with the fewest running tasks, of these the one that was served
    /// least recently, the oldest.
    private static func next(at now: Date, in database: Database) throws -> Row? {
        let canBeLeased = """
            ((tasks.status = 'queued' AND tasks.not_before <= :now)
                OR (tasks.status = 'running' AND tasks.lease_expires <= :now))
            """
        let statement = try database.cachedStatement(
            sql: """
                SELECT * FROM tasks
                WHERE status IN ('queued', 'running') AND \(canBeLeased) AND licence = (
                    SELECT tasks.licence FROM tasks
                    JOIN licences ON licences.id = tasks.licence
                    WHERE tasks.status IN ('queued', 'running')
                    GROUP BY tasks.licence
                    HAVING MAX(\(canBeLeased))
                    ORDER BY SUM(tasks.status = 'running' AND tasks.lease_expires > :now),
                        licences.last_leased, MIN(tasks.created)
                    LIMIT 1)
                ORDER BY created, sequence LIMIT 1
                """)
        return try Row.fetchOne(statement, arguments: ["now": now.timeIntervalSince1970])
    }

    private static func lease(
        _ task: SplitTask, fence: Int, worker: String, now: Date, expires: Date,
        in database: Database
    ) throws -> Lease {
        var task = task
        task.status = .running
        task.progress = max(1, task.progress)
        task.attempts += 1
        try database.execute(
            sql: """
                UPDATE tasks SET status = 'running', progress = ?, attempts = ?, fence = ?,
                    worker = ?, lease_expires = ?
                WHERE id = ?
                """,
            arguments: [
                task.progress, task.attempts, fence, worker, expires.timeIntervalSince1970,
                task.id.text,
            ])
        try database.execute(
            sql: "UPDATE licences SET last_leased = ? WHERE id = ?",
            arguments: [now.timeIntervalSince1970, task.licence.text])
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM sources WHERE id = ?",
                arguments: [task.source.text])
        else { throw UnreadableRow(column: "source", value: task.source.text) }
        return Lease(task: task, source: try Source(row: row), fence: fence)
    }

    /// - Returns: How often the task has been leased.
    /// - Throws: `LeaseLost` where the fence has moved on, or the task is no longer running.
    @discardableResult
    private static func requireHeld(_ lease: Lease, in database: Database) throws -> Int {
        let attempts = try Int.fetchOne(
            database,
            sql: "SELECT attempts FROM tasks WHERE id = ? AND fence = ? AND status = 'running'",
            arguments: [lease.task.id.text, lease.fence])
        guard let attempts else { throw LeaseLost() }
        return attempts
    }
}
