import FileBlobs
import Foundation
import SQLiteStore
import Tasks
import TestSupport

/// A store on a new file, with a licence and a source.
struct Records {
    static let start = Date(timeIntervalSince1970: 1_800_000_000)

    let folder: TemporaryFolder
    let store: SQLiteStore
    let licence: Licence
    let source: Source

    init() async throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore(path: folder.path + "/partita.sqlite")
        licence = Licence(name: "test", keyHash: LicenceKey().hash, created: Self.start)
        source = Source(
            licence: licence.id, name: "Füße.mp3", size: 1234, duration: 12.5, blob: BlobKey(),
            created: Self.start, expires: Self.start + 24 * 3600)
        try await store.insert(licence)
        try await store.insert(source)
    }

    /// The store as another process would open it.
    func reopened() throws -> SQLiteStore { try SQLiteStore(path: folder.path + "/partita.sqlite") }

    func task(
        _ presets: StemSeparatorPresets = StemSeparatorPresets(stem: .vocals),
        after seconds: Double = 0
    ) -> SplitTask {
        SplitTask(
            licence: licence.id, source: source.id, presets: .stemSeparator(presets),
            servedBy: .perseus, created: Self.start + seconds)
    }

    func insertedTask(after seconds: Double = 0) async throws -> SplitTask {
        let task = task(after: seconds)
        try await store.insert(task)
        return task
    }

    func lease(at seconds: Double = 0, worker: String = "w") async throws -> Lease? {
        try await store.lease(
            worker: worker, duration: 60, maximumAttempts: 3, now: Self.start + seconds)
    }

    func stored(_ task: SplitTask) async throws -> SplitTask? {
        try await store.tasks([task.id], licence: licence.id, since: .distantPast)[task.id]
    }
}

let someResult = TaskResult(
    tracks: [
        Track(
            kind: .stem, label: "vocals", name: "Füße_vocals.wav", blob: BlobKey(), size: 5,
            contentType: "audio/wav", waveform: BlobKey(), playlist: BlobKey(), stream: BlobKey()),
        Track(
            kind: .back, label: "no_vocals", name: "Füße_no_vocals.wav", blob: BlobKey(), size: 6,
            contentType: "audio/wav"),
    ], duration: 12.5, gain: 0.75)
