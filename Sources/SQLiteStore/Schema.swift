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
        migrator.registerMigration("2 minutes, cancellation, expiry, callbacks") { database in
            try database.execute(
                sql: """
                    ALTER TABLE licences ADD COLUMN metered INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE licences ADD COLUMN maximum_duration REAL;
                    ALTER TABLE licences ADD COLUMN maximum_size INTEGER;
                    ALTER TABLE licences ADD COLUMN batches INTEGER NOT NULL DEFAULT 1;
                    ALTER TABLE licences ADD COLUMN callback TEXT;
                    ALTER TABLE licences ADD COLUMN revoked REAL;
                    ALTER TABLE licences ADD COLUMN last_leased REAL NOT NULL DEFAULT 0;

                    -- Since when the files are given up.
                    ALTER TABLE sources ADD COLUMN removed REAL;
                    CREATE INDEX sources_by_expiry ON sources (expires) WHERE removed IS NULL;
                    CREATE INDEX sources_by_removal ON sources (removed) WHERE removed IS NOT NULL;

                    ALTER TABLE tasks ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE tasks ADD COLUMN not_before REAL NOT NULL DEFAULT 0;
                    ALTER TABLE tasks ADD COLUMN callback TEXT;
                    -- Now by licence, with all that the choice of the next task looks at.
                    DROP INDEX tasks_open;
                    CREATE INDEX tasks_open
                        ON tasks (licence, created, sequence, status, not_before, lease_expires)
                        WHERE status IN ('queued', 'running');

                    -- Milliseconds. Lines are only ever added, and stay when a task is forgotten.
                    CREATE TABLE ledger (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                        licence TEXT NOT NULL REFERENCES licences (id),
                        task TEXT,
                        kind TEXT NOT NULL,
                        available INTEGER NOT NULL,
                        reserved INTEGER NOT NULL,
                        available_after INTEGER NOT NULL,
                        reserved_after INTEGER NOT NULL,
                        created REAL NOT NULL
                    ) STRICT;
                    CREATE INDEX ledger_by_licence ON ledger (licence, sequence);
                    -- A task is reserved once, and settled once.
                    CREATE UNIQUE INDEX ledger_reservation
                        ON ledger (task) WHERE kind = 'reservation';
                    CREATE UNIQUE INDEX ledger_settlement
                        ON ledger (task) WHERE kind IN ('charge', 'refund');

                    -- Ends of tasks that somebody is still to be told of.
                    CREATE TABLE callbacks (
                        task TEXT PRIMARY KEY REFERENCES tasks (id),
                        url TEXT NOT NULL,
                        attempts INTEGER NOT NULL,
                        next_attempt REAL NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX callbacks_by_time ON callbacks (next_attempt);
                    """)
        }
        migrator.registerMigration("3 waveforms and playlists") { database in
            try database.execute(
                sql: """
                    ALTER TABLE tracks ADD COLUMN waveform TEXT;
                    ALTER TABLE tracks ADD COLUMN playlist TEXT;
                    ALTER TABLE tracks ADD COLUMN stream TEXT;

                    -- Every file of a track.
                    CREATE VIEW track_blobs AS
                        SELECT task, blob FROM tracks
                        UNION ALL SELECT task, waveform FROM tracks WHERE waveform IS NOT NULL
                        UNION ALL SELECT task, playlist FROM tracks WHERE playlist IS NOT NULL
                        UNION ALL SELECT task, stream FROM tracks WHERE stream IS NOT NULL;
                    """)
        }
        return migrator
    }
}
