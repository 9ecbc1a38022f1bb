import GRDB

/// The tables. A migration that was released is never edited: add another one.
enum Schema {
    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 licences, sources, tasks, tracks") { database in
            // Ids are lower-case text, so that they can be read and searched with any tool.
            // Times are seconds since 1970.
            try database.execute(
                sql: """
                    CREATE TABLE licences (
                        id TEXT PRIMARY KEY,
                        name TEXT NOT NULL,
                        key_hash TEXT NOT NULL UNIQUE,
                        created REAL NOT NULL
                    ) STRICT;

                    CREATE TABLE sources (
                        id TEXT PRIMARY KEY,
                        licence TEXT NOT NULL REFERENCES licences (id),
                        name TEXT NOT NULL,
                        size INTEGER NOT NULL,
                        duration REAL NOT NULL,
                        blob TEXT NOT NULL,
                        created REAL NOT NULL,
                        expires REAL NOT NULL
                    ) STRICT;

                    CREATE TABLE tasks (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                        id TEXT NOT NULL UNIQUE,
                        licence TEXT NOT NULL REFERENCES licences (id),
                        source TEXT NOT NULL REFERENCES sources (id),
                        presets TEXT NOT NULL,
                        served_by TEXT NOT NULL,
                        status TEXT NOT NULL,
                        progress INTEGER NOT NULL,
                        attempts INTEGER NOT NULL,
                        idempotency_key TEXT,
                        duration REAL,
                        gain REAL,
                        failure_code TEXT,
                        failure_detail TEXT,
                        created REAL NOT NULL,
                        finished REAL,
                        worker TEXT,
                        fence INTEGER NOT NULL DEFAULT 0,
                        lease_expires REAL
                    ) STRICT;

                    CREATE UNIQUE INDEX tasks_by_idempotency_key
                        ON tasks (licence, idempotency_key) WHERE idempotency_key IS NOT NULL;
                    -- What a worker looks for; stays small however many tasks are done.
                    CREATE INDEX tasks_open
                        ON tasks (created, sequence) WHERE status IN ('queued', 'running');
                    CREATE INDEX tasks_by_source ON tasks (source);

                    CREATE TABLE tracks (
                        task TEXT NOT NULL REFERENCES tasks (id),
                        position INTEGER NOT NULL,
                        kind TEXT NOT NULL,
                        label TEXT NOT NULL,
                        name TEXT NOT NULL,
                        blob TEXT NOT NULL,
                        size INTEGER NOT NULL,
                        content_type TEXT NOT NULL,
                        PRIMARY KEY (task, position)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("3 waveforms and playlists") { database in
            for column in ["waveform", "playlist", "stream"] {
                try database.execute(sql: "ALTER TABLE tracks ADD COLUMN \(column) TEXT")
            }
        }
        return migrator
    }
}
