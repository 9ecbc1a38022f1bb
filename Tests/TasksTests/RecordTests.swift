import Foundation
import SQLiteStore
import Tasks
import TestSupport
import Testing

@Suite struct RecordTests {
    @Test func keysAreLongPrintableAndOnlyTheirHashIsStored() async throws {
        let keys = Set((0..<100).map { _ in LicenceKey().rawValue })
        #expect(keys.count == 100)
        for key in keys {
            #expect(key.wholeMatch(of: /([0-9a-f]{8}-){4}[0-9a-f]{8}/) != nil)
        }
        #expect(
            LicenceKey(rawValue: "abc").hash
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")

        let records = try await Records()
        let key = LicenceKey()
        let licence = Licence(name: "Ünicode", keyHash: key.hash, created: Records.start)
        try await records.store.insert(licence)
        #expect(try await records.store.licence(keyHash: key.hash) == licence)
        #expect(try await records.store.licence(keyHash: LicenceKey().hash) == nil)
        #expect(try await records.store.licences() == [records.licence, licence])
        for name in try records.folder.files() {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(records.folder.path)/\(name)"))
            #expect(bytes.range(of: Data(key.rawValue.utf8)) == nil)
        }
    }

    @Test func sourcesAreTheirLicencesAndExpire() async throws {
        let records = try await Records()
        let (store, source) = (records.store, records.source)
        let last = source.expires - 1
        #expect(try await store.source(source.id, licence: source.licence, now: last) == source)
        #expect(try await store.source(source.id, licence: UUID(), now: last) == nil)
        #expect(
            try await store.source(source.id, licence: source.licence, now: source.expires) == nil)
    }

    @Test func tasksAreVisibleToTheirLicenceForADay() async throws {
        let records = try await Records()
        let task = try await records.insertedTask(after: 10)
        let since = Records.start + 10
        let ids = [task.id, UUID()]
        let store = records.store
        #expect(
            try await store.tasks(ids, licence: records.licence.id, since: since)
                == [task.id: task])
        #expect(try await store.tasks(ids, licence: UUID(), since: since).isEmpty)
        #expect(
            try await store.tasks(ids, licence: records.licence.id, since: since + 0.001).isEmpty)
    }

    @Test func whatWasAcceptedIsThereAfterReopening() async throws {
        let records = try await Records()
        let task = try await records.insertedTask()
        let again = try records.reopened()
        let found = try await again.tasks(
            [task.id], licence: records.licence.id, since: .distantPast)
        #expect(found == [task.id: task])
    }

    @Test func everyCommitIsSynced() async throws {
        let durability = try await Records().store.durability()
        #expect(durability.journal == "wal")
        #expect(durability.synchronous == 2)
    }

    @Test func processesThatOpenANewFileTogetherAllSucceed() async throws {
        let folder = try TemporaryFolder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let store = try SQLiteStore(path: folder.path + "/partita.sqlite")
                    try await store.insert(
                        Licence(name: "\(number)", keyHash: "\(number)", created: Records.start))
                }
            }
            try await group.waitForAll()
        }
        let store = try SQLiteStore(path: folder.path + "/partita.sqlite")
        #expect(try await store.licences().count == 8)
    }

    @Test func blobsOfSourcesAndTracksAreReferenced() async throws {
        let records = try await Records()
        _ = try await records.insertedTask()
        let lease = try #require(try await records.lease())
        try await records.store.complete(lease, result: someResult, now: Records.start)
        let expected = Set(someResult.tracks.flatMap(\.blobs) + [records.source.blob])
        #expect(try await records.store.referencedBlobs() == expected)
    }
}

@Suite struct SubmissionTests {
    @Test func aSourceMustBeOnesOwnAndThere() async throws {
        let records = try await Records()
        let foreign = SplitTask(
            licence: UUID(), source: records.source.id,
            presets: .stemSeparator(.init(stem: .vocals)), servedBy: .auto, created: Records.start)
        await #expect(throws: SubmissionRefused.unknownSource) {
            try await records.store.submit(foreign, idempotencyKey: nil, now: Records.start)
        }
        await #expect(throws: SubmissionRefused.unknownSource) {
            try await records.store.submit(
                records.task(), idempotencyKey: nil, now: records.source.expires)
        }
        #expect(try await records.lease() == nil, "nothing was queued")
    }

    @Test func manyEqualSubmissionsAreOneTask() async throws {
        let records = try await Records()
        let key = UUID()
        let stores = [records.store, try records.reopened()]
        let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
            for number in 0..<40 {
                let task = records.task(after: Double(number))
                group.addTask {
                    try await stores[number % 2].submit(
                        task, idempotencyKey: key, now: Records.start)
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try await records.lease(at: 100) != nil)
        #expect(try await records.lease(at: 100) == nil)
    }

    @Test func aKeyIsUsedUpByOtherParametersAndByTheStart() async throws {
        let records = try await Records()
        let key = UUID()
        let first = try await records.store.submit(
            records.task(), idempotencyKey: key, now: Records.start)
        await #expect(throws: SubmissionRefused.idempotencyKeyUsed) {
            try await records.store.submit(
                records.task(.init(stem: .drum)), idempotencyKey: key, now: Records.start)
        }
        let told = SplitTask(
            licence: records.licence.id, source: records.source.id,
            presets: .stemSeparator(.init(stem: .vocals)), servedBy: .perseus,
            callbackURL: "https://a.example/", created: Records.start)
        await #expect(throws: SubmissionRefused.idempotencyKeyUsed) {
            try await records.store.submit(told, idempotencyKey: key, now: Records.start)
        }
        #expect(
            try await records.store.submit(
                records.task(), idempotencyKey: key, now: Records.start) == first)
        let lease = try #require(try await records.lease())
        await #expect(throws: SubmissionRefused.idempotencyKeyUsed) {
            try await records.store.submit(
                records.task(), idempotencyKey: key, now: Records.start)
        }
        // Given back to the queue is not the same as never started.
        try await records.store.release(
            lease, failure: TaskFailure(code: "x", detail: ""), maximumAttempts: 3, delay: 0,
            now: Records.start)
        await #expect(throws: SubmissionRefused.idempotencyKeyUsed) {
            try await records.store.submit(
                records.task(), idempotencyKey: key, now: Records.start)
        }
    }

    @Test func keysOfDifferentLicencesDoNotMeet() async throws {
        let records = try await Records()
        let other = Licence(name: "other", keyHash: "other", created: Records.start)
        let source = Source(
            licence: other.id, name: "a.mp3", size: 1, duration: 1, blob: BlobKey(),
            created: Records.start, expires: Records.start + 100)
        try await records.store.insert(other)
        try await records.store.insert(source)
        let key = UUID()
        let mine = try await records.store.submit(
            records.task(), idempotencyKey: key, now: Records.start)
        let theirs = try await records.store.submit(
            SplitTask(
                licence: other.id, source: source.id,
                presets: .stemSeparator(.init(stem: .vocals)), servedBy: .auto,
                created: Records.start),
            idempotencyKey: key, now: Records.start)
        #expect(mine != theirs)
    }
}
