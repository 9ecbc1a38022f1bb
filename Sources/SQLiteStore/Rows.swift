import Foundation
import GRDB
import Tasks

extension UUID {
    /// As ids are stored and sent: lower case.
    var text: String { uuidString.lowercased() }
}

/// A stored value that this version of the program cannot read.
struct UnreadableRow: Error, CustomStringConvertible {
    let column: String
    let value: String

    var description: String { "the database holds \(value) as \(column), which is not known" }
}

extension Row {
    func uuid(_ column: String) throws -> UUID {
        let text: String = self[column]
        guard let id = UUID(uuidString: text) else {
            throw UnreadableRow(column: column, value: text)
        }
        return id
    }

    func blob(_ column: String) -> BlobKey? {
        (self[column] as String?).map(BlobKey.init(rawValue:))
    }

    func date(_ column: String) -> Date { Date(timeIntervalSince1970: self[column]) }

    func optionalDate(_ column: String) -> Date? {
        (self[column] as Double?).map(Date.init(timeIntervalSince1970:))
    }

    func value<Value: RawRepresentable<String>>(_ column: String) throws -> Value {
        let text: String = self[column]
        guard let value = Value(rawValue: text) else {
            throw UnreadableRow(column: column, value: text)
        }
        return value
    }
}

extension Licence {
    init(row: Row) throws {
        try self.init(
            id: row.uuid("id"), name: row["name"], keyHash: row["key_hash"],
            created: row.date("created"), terms: LicenceTerms(row: row),
            revoked: row.optionalDate("revoked"))
    }
}

extension LicenceTerms {
    init(row: Row) {
        self.init()
        metered = row["metered"]
        maximumDuration = row["maximum_duration"]
        maximumSize = row["maximum_size"]
        batches = row["batches"]
        callbackURL = row["callback"]
    }
}

extension LedgerEntry {
    init(row: Row) throws {
        let task: String? = row["task"]
        try self.init(
            kind: row.value("kind"), task: task == nil ? nil : row.uuid("task"),
            change: Balance(available: row["available"], reserved: row["reserved"]),
            after: Balance(available: row["available_after"], reserved: row["reserved_after"]),
            created: row.date("created"))
    }
}

extension Source {
    init(row: Row) throws {
        try self.init(
            id: row.uuid("id"), licence: row.uuid("licence"), name: row["name"],
            size: row["size"], duration: row["duration"], blob: BlobKey(rawValue: row["blob"]),
            created: row.date("created"), expires: row.date("expires"))
    }
}

extension Track {
    init(row: Row) throws {
        try self.init(
            kind: row.value("kind"), label: row["label"], name: row["name"],
            blob: BlobKey(rawValue: row["blob"]), size: row["size"],
            contentType: row["content_type"], waveform: row.blob("waveform"),
            playlist: row.blob("playlist"), stream: row.blob("stream"))
    }
}

extension Presets {
    /// JSON, with a fixed order of keys.
    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    init(row: Row) throws {
        let text: String = row["presets"]
        self = try JSONDecoder().decode(Presets.self, from: Data(text.utf8))
    }
}

extension SplitTask {
    /// - Parameter database: Where the tracks are read from, for a task that has some.
    init(row: Row, database: Database) throws {
        let status: TaskStatus = try row.value("status")
        let code: String? = row["failure_code"]
        var tracks: [Track] = []
        if status == .success {
            tracks = try Row.fetchAll(
                database.cachedStatement(
                    sql: "SELECT * FROM tracks WHERE task = ? ORDER BY position"),
                arguments: [row["id"] as String]
            ).map(Track.init(row:))
        }
        try self.init(
            id: row.uuid("id"), licence: row.uuid("licence"), source: row.uuid("source"),
            presets: Presets(row: row), servedBy: row.value("served_by"), cost: row["cost"],
            callbackURL: row["callback"], status: status, progress: row["progress"],
            attempts: row["attempts"], tracks: tracks,
            duration: row["duration"],
            failure: code.map { TaskFailure(code: $0, detail: row["failure_detail"] ?? "") },
            created: row.date("created"))
    }

    func insert(into database: Database, idempotencyKey: UUID?) throws {
        try database.execute(
            sql: """
                INSERT INTO tasks (id, licence, source, presets, served_by, cost, callback, status,
                    progress, attempts, idempotency_key, duration, failure_code, failure_detail,
                    created)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id.text, licence.text, source.text, try presets.text(), servedBy.rawValue,
                cost, callbackURL, status.rawValue, progress, attempts, idempotencyKey?.text,
                duration,
                failure?.code, failure?.detail, created.timeIntervalSince1970,
            ])
        try Track.insert(tracks, of: id, into: database)
    }
}

extension Track {
    static func insert(_ tracks: [Track], of task: UUID, into database: Database) throws {
        for (position, track) in tracks.enumerated() {
            try database.execute(
                sql: """
                    INSERT INTO tracks (task, position, kind, label, name, blob, size,
                        content_type, waveform, playlist, stream)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    task.text, position, track.kind.rawValue, track.label, track.name,
                    track.blob.rawValue, track.size, track.contentType,
                    track.waveform?.rawValue, track.playlist?.rawValue, track.stream?.rawValue,
                ])
        }
    }
}
