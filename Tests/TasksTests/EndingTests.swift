import FileBlobs
import Foundation
import SQLiteStore
import Tasks
import TestSupport
import Testing

@Suite struct EndingTests {
    @Test func onlyOpenTasksOfOnesOwnCanBeCancelled() async throws {
        let records = try await Records()
        let store = records.store
        let queued = try await records.insertedTask(after: 1)
        let running = try await records.insertedTask()
        let lease = try #require(try await records.lease())
        #expect(lease.task.id == running.id)
        let ids = [queued.id, running.id, UUID()]
        let now = Records.start + 2
        #expect(
            try await store.cancel(ids, licence: UUID(), now: now)
                == Dictionary(uniqueKeysWithValues: ids.map { ($0, .unknown) }))
        #expect(
            try await store.cancel(ids, licence: records.licence.id, now: now)
                == [ids[0]: .cancelled, ids[1]: .cancelled, ids[2]: .unknown])
        #expect(
            try await store.cancel([queued.id], licence: records.licence.id, now: now)
                == [queued.id: .ended])
        #expect(try await records.stored(running)?.status == .cancelled)
        // The worker hears of it with its next heartbeat, and cannot publish.
        await #expect(throws: LeaseLost.self) {
            try await store.renew(lease, duration: 60, progress: 5, now: now)
        }
        await #expect(throws: LeaseLost.self) {
            try await store.complete(lease, result: someResult, now: now)
        }
        #expect(try await records.lease(at: 1000) == nil)
    }

    @Test func allOpenTasksAreCancelledAtOnce() async throws {
        let records = try await Records()
        var open: [UUID] = []
        for second in 0..<3 {
            open.append(try await records.insertedTask(after: Double(second)).id)
        }
        let store = records.store
        #expect(
            try await store.cancelAll(licence: records.licence.id, now: Records.start) == open)
        #expect(
            try await store.cancelAll(licence: records.licence.id, now: Records.start).isEmpty)
    }

    @Test func aRevokedLicenceOpensNothingAndItsTasksEnd() async throws {
        let records = try await Records()
        let store = records.store
        let task = try await records.insertedTask()
        #expect(try await store.revoke(licence: UUID(), now: Records.start) == false)
        #expect(try await store.revoke(licence: records.licence.id, now: Records.start))
        #expect(try await store.licence(keyHash: records.licence.keyHash) == nil)
        #expect(try await store.licences().first?.revoked == Records.start)
        #expect(try await records.stored(task)?.status == .cancelled)
        await #expect(throws: SubmissionRefused.licenceRevoked) {
            try await store.submit(records.task(), idempotencyKey: nil, now: Records.start)
        }
    }

    @Test func aRemovedSourceLeavesRecordsButNoFiles() async throws {
        let records = try await Records()
        let store = records.store
        let done = try await records.insertedTask()
        let lease = try #require(try await records.lease())
        try await store.complete(lease, result: someResult, now: Records.start)
        let open = try await records.insertedTask(after: 1)
        let id = records.source.id
        #expect(try await store.removeSource(id, licence: UUID(), now: Records.start) == nil)
        let files = try await store.removeSource(
            id, licence: records.licence.id, now: Records.start)
        #expect(Set(files ?? []) == Set(someResult.tracks.flatMap(\.blobs) + [records.source.blob]))
        #expect(
            try await store.removeSource(id, licence: records.licence.id, now: Records.start)
                == nil)
        #expect(try await store.referencedBlobs().isEmpty)
        #expect(try await records.stored(done)?.status == .success)
        #expect(try await records.stored(open)?.status == .cancelled)
        await #expect(throws: SubmissionRefused.unknownSource) {
            try await store.submit(records.task(), idempotencyKey: nil, now: Records.start)
        }
    }
}

@Suite struct FairnessTests {
    /// A licence with one source and some tasks.
    private func licence(
        _ records: Records, tasks: Int, from second: Double
    ) async throws -> UUID {
        let (licence, _) = try await records.store.createLicence(name: "l", now: Records.start)
        let source = Source(
            licence: licence.id, name: "a.mp3", size: 10, duration: 60, blob: BlobKey(),
            created: Records.start, expires: Records.start + 86400)
        try await records.store.insert(source)
        for number in 0..<tasks {
            try await records.store.insert(
                SplitTask(
                    licence: licence.id, source: source.id,
                    presets: .stemSeparator(.init(stem: .vocals)), servedBy: .auto,
                    created: Records.start + second + Double(number)))
        }
        return licence.id
    }

    @Test func aBatchDoesNotHoldUpAnothersTask() async throws {
        let records = try await Records()
        let a = try await licence(records, tasks: 50, from: 0)
        let first = try #require(try await records.lease(at: 100))
        #expect(first.task.licence == a)
        let b = try await licence(records, tasks: 1, from: 101)
        #expect(try await records.lease(at: 102)?.task.licence == b, "B's is next")
        #expect(try await records.lease(at: 103)?.task.licence == a, "then A's again")
    }

    @Test func withOneWorkerLicencesTakeTurns() async throws {
        let records = try await Records()
        let a = try await licence(records, tasks: 5, from: 0)
        let b = try await licence(records, tasks: 3, from: 10)
        let c = try await licence(records, tasks: 1, from: 20)
        var order: [UUID] = []
        for second in 0..<9 {
            let lease = try #require(try await records.lease(at: 100 + Double(second)))
            order.append(lease.task.licence)
            try await records.store.complete(
                lease, result: someResultOfItsOwn(), now: Records.start + 100)
        }
        #expect(order == [a, b, c, a, b, a, b, a, a])
    }

    @Test func withManyWorkersEachLicenceHasItsShare() async throws {
        let records = try await Records()
        let a = try await licence(records, tasks: 10, from: 0)
        let b = try await licence(records, tasks: 10, from: 10)
        var running: [UUID: Int] = [:]
        for second in 0..<8 {
            let lease = try #require(try await records.lease(at: 100 + Double(second) / 100))
            running[lease.task.licence, default: 0] += 1
        }
        #expect(running == [a: 4, b: 4])
    }

    @Test func aTaskThatFailedWaitsBeforeItsNextAttempt() async throws {
        let records = try await Records()
        let failing = try await records.insertedTask()
        let other = try await records.insertedTask(after: 1)
        let lease = try #require(try await records.lease(at: 2))
        try await records.store.release(
            lease, failure: TaskFailure(code: "x", detail: ""), maximumAttempts: 3, delay: 10,
            now: Records.start + 2)
        #expect(try await records.lease(at: 3)?.task.id == other.id)
        #expect(try await records.lease(at: 11.9) == nil)
        #expect(try await records.lease(at: 12)?.task.id == failing.id)
    }

    private func someResultOfItsOwn() -> TaskResult {
        TaskResult(tracks: [], duration: 1, gain: 1)
    }
}

@Suite struct JanitorTests {
    private struct House {
        let records: Records
        let blobs: FileBlobs
        let janitor: Janitor
        let source: Source

        init() async throws {
            records = try await Records()
            blobs = try FileBlobs(root: records.folder.path)
            janitor = Janitor(store: records.store, blobs: blobs, policy: TaskPolicy())
            source = Source(
                licence: records.licence.id, name: "a.mp3", size: 3, duration: 60,
                blob: try await Self.blob(blobs), created: Records.start,
                expires: Records.start + 24 * 3600)
            try await records.store.insert(source)
        }

        static func blob(_ blobs: FileBlobs) async throws -> BlobKey {
            let writer = try await blobs.makeWriter()
            try await writer.write([1, 2, 3])
            return try await writer.commit()
        }

        /// A finished task with one track.
        func finishedTask(at seconds: Double) async throws -> (SplitTask, BlobKey) {
            let task = SplitTask(
                licence: records.licence.id, source: source.id,
                presets: .stemSeparator(.init(stem: .vocals)), servedBy: .auto,
                created: Records.start + seconds)
            try await records.store.insert(task)
            let lease = try #require(try await records.lease(at: seconds))
            let blob = try await Self.blob(blobs)
            let track = Track(
                kind: .stem, label: "vocals", name: "a", blob: blob, size: 3,
                contentType: "audio/wav")
            try await records.store.complete(
                lease, result: TaskResult(tracks: [track], duration: 1, gain: 1),
                now: Records.start + seconds)
            return (task, blob)
        }
    }

    @Test func aSourceGoesWithItsTracksADayAfterTheUpload() async throws {
        let house = try await House()
        let (task, track) = try await house.finishedTask(at: 10)
        let day = 24.0 * 3600
        try await house.janitor.removeExpired(now: Records.start + day - 1)
        #expect(try await house.blobs.size(house.source.blob) == 3)
        try await house.janitor.removeExpired(now: Records.start + day)
        #expect(try await house.blobs.size(house.source.blob) == nil)
        #expect(try await house.blobs.size(track) == nil)
        #expect(try await house.records.stored(task) != nil, "records stay for a while")
        try await house.janitor.removeExpired(now: Records.start + day + 30 * day + 1)
        #expect(try await house.records.stored(task) == nil)
    }

    @Test func whatIsStillNeededStays() async throws {
        let house = try await House()
        let day = 24.0 * 3600
        let (_, track) = try await house.finishedTask(at: day - 60)
        try await house.janitor.removeExpired(now: Records.start + day + 60)
        #expect(try await house.blobs.size(track) == 3, "a result can be fetched for an hour")
        try await house.janitor.removeExpired(now: Records.start + day + 3600)
        #expect(try await house.blobs.size(track) == nil)

        let queued = try await House()
        try await queued.records.store.insert(
            SplitTask(
                licence: queued.records.licence.id, source: queued.source.id,
                presets: .stemSeparator(.init(stem: .vocals)), servedBy: .auto,
                created: Records.start))
        try await queued.janitor.removeExpired(now: Records.start + 2 * day)
        #expect(try await queued.blobs.size(queued.source.blob) == 3, "it waits for a worker")
    }

    @Test func orphansGoOnceTheyCannotBelongToAnybody() async throws {
        let house = try await House()
        let orphan = try await House.blob(house.blobs)
        #expect(try await house.janitor.removeOrphans(now: Date()) == 0)
        #expect(try await house.janitor.removeOrphans(now: Date() + 3700) == 1)
        #expect(try await house.blobs.size(orphan) == nil)
        #expect(try await house.blobs.size(house.source.blob) == 3)
    }
}

@Suite struct CallbackRecordTests {
    @Test func anEndIsToldWhereTheTaskOrElseTheLicenceSays() async throws {
        let records = try await Records()
        let store = records.store
        var terms = LicenceTerms()
        terms.callbackURL = "https://licence.example/"
        let (licence, _) = try await store.createLicence(
            name: "l", terms: terms, now: Records.start)
        let source = Source(
            licence: licence.id, name: "a", size: 1, duration: 1, blob: BlobKey(),
            created: Records.start, expires: Records.start + 86400)
        try await store.insert(source)
        func task(_ url: String?, after second: Double) -> SplitTask {
            SplitTask(
                licence: licence.id, source: source.id,
                presets: .stemSeparator(.init(stem: .vocals)), servedBy: .auto,
                callbackURL: url, created: Records.start + second)
        }
        let own = task("https://task.example/", after: 0)
        let general = task(nil, after: 1)
        try await store.insert(own)
        try await store.insert(general)
        let silent = try await records.insertedTask()
        #expect(try await store.dueCallbacks(limit: 10, now: Records.start + 60).isEmpty)
        _ = try await store.cancelAll(licence: licence.id, now: Records.start + 60)
        _ = try await store.cancelAll(licence: records.licence.id, now: Records.start + 60)

        let due = try await store.dueCallbacks(limit: 10, now: Records.start + 60)
        #expect(
            Dictionary(uniqueKeysWithValues: due.map { ($0.task.id, $0.url) })
                == [own.id: "https://task.example/", general.id: "https://licence.example/"])
        #expect(due.allSatisfy { $0.task.status == .cancelled && $0.attempts == 0 })
        #expect(!due.contains { $0.task.id == silent.id })

        try await store.finish(due[0])
        try await store.postpone(due[1], until: Records.start + 100)
        #expect(try await store.dueCallbacks(limit: 10, now: Records.start + 99).isEmpty)
        let again = try await store.dueCallbacks(limit: 10, now: Records.start + 100)
        #expect(again.map(\.task.id) == [due[1].task.id])
        #expect(again.map(\.attempts) == [1])
    }
}
