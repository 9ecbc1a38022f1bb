import Foundation
import SQLiteStore
import Tasks
import Testing

@Suite struct LeaseTests {
    @Test func theOldestTaskComesFirst() async throws {
        let records = try await Records()
        let younger = try await records.insertedTask(after: 2)
        let older = try await records.insertedTask(after: 1)
        let leases = [
            try await records.lease(at: 3), try await records.lease(at: 3),
            try await records.lease(at: 3),
        ]
        #expect(leases.map(\.?.task.id) == [older.id, younger.id, nil])
    }

    @Test func aLeaseCarriesWhatAWorkerNeeds() async throws {
        let records = try await Records()
        let task = try await records.insertedTask()
        let lease = try #require(try await records.lease())
        #expect(lease.source == records.source)
        #expect(lease.task.id == task.id)
        #expect(lease.task.presets == task.presets)
        #expect(lease.task.status == .running)
        #expect(lease.task.progress == 1)
        #expect(lease.task.attempts == 1)
        #expect(try await records.stored(task) == lease.task)
    }

    @Test func manyWorkersOfSeveralProcessesNeverShareATask() async throws {
        let records = try await Records()
        for second in 0..<20 { _ = try await records.insertedTask(after: Double(second)) }
        let stores = [records.store, try records.reopened(), try records.reopened()]
        let leased = try await withThrowingTaskGroup(of: [UUID].self) { group in
            for worker in 0..<6 {
                group.addTask {
                    var mine: [UUID] = []
                    while let lease = try await stores[worker % 3].lease(
                        worker: "w\(worker)", duration: 60, maximumAttempts: 3,
                        now: Records.start + 30)
                    {
                        mine.append(lease.task.id)
                    }
                    return mine
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(leased.count == 20)
        #expect(Set(leased).count == 20)
    }

    @Test func anExpiredLeaseIsGivenAwayAndTheOldOneIsWorthless() async throws {
        let records = try await Records()
        let task = try await records.insertedTask()
        let old = try #require(try await records.lease(at: 0))
        #expect(try await records.lease(at: 59) == nil)
        let new = try #require(try await records.lease(at: 60))
        #expect(new.fence > old.fence)
        #expect(new.task.attempts == 2)

        let now = Records.start + 61
        let failure = TaskFailure(code: "decode_failed", detail: "No.")
        await #expect(throws: LeaseLost.self) {
            try await records.store.renew(old, duration: 60, progress: 90, now: now)
        }
        await #expect(throws: LeaseLost.self) {
            try await records.store.complete(old, result: someResult, now: now)
        }
        await #expect(throws: LeaseLost.self) {
            try await records.store.fail(old, failure: failure, now: now)
        }
        await #expect(throws: LeaseLost.self) {
            try await records.store.release(
                old, failure: failure, maximumAttempts: 3, delay: 0, now: now)
        }
        #expect(try await records.stored(task) == new.task)
        #expect(try await !records.store.referencedBlobs().contains(someResult.tracks[0].blob))

        try await records.store.complete(new, result: someResult, now: now)
        #expect(try await records.stored(task)?.status == .success)
    }

    @Test func renewingKeepsALeaseAndProgressOnlyRises() async throws {
        let records = try await Records()
        let task = try await records.insertedTask()
        let lease = try #require(try await records.lease(at: 0))
        for (progress, expected) in [(40, 40), (20, 40), (0, 40), (100, 99), (99, 99)] {
            try await records.store.renew(
                lease, duration: 60, progress: progress, now: Records.start + 50)
            #expect(try await records.stored(task)?.progress == expected)
        }
        #expect(try await records.lease(at: 109) == nil)
        let next = try #require(try await records.lease(at: 110))
        #expect(next.task.progress == 99, "a second attempt does not take progress back")
    }

    @Test func aCompletedTaskHasItsTracksAndIsDone() async throws {
        let records = try await Records()
        let task = try await records.insertedTask()
        let lease = try #require(try await records.lease())
        try await records.store.complete(lease, result: someResult, now: Records.start + 5)
        let stored = try #require(try await records.stored(task))
        #expect(stored.status == .success)
        #expect(stored.progress == 100)
        #expect(stored.tracks == someResult.tracks)
        #expect(stored.duration == 12.5)
        #expect(try await records.lease(at: 1000) == nil)
        await #expect(throws: LeaseLost.self) {
            try await records.store.complete(lease, result: someResult, now: Records.start + 6)
        }
    }

    @Test func aFailedTaskSaysWhy() async throws {
        let records = try await Records()
        let task = try await records.insertedTask()
        let lease = try #require(try await records.lease())
        let failure = TaskFailure(code: "not_installed", detail: "No model for wind.")
        try await records.store.fail(lease, failure: failure, now: Records.start + 5)
        let stored = try #require(try await records.stored(task))
        #expect(stored.status == .error)
        #expect(stored.failure == failure)
        #expect(try await records.lease(at: 1000) == nil)
    }

    @Test func aWorkerThatDiesThreeTimesEndsTheTask() async throws {
        let records = try await Records()
        let task = try await records.insertedTask()
        let next = try await records.insertedTask(after: 1)
        for attempt in 1...3 {
            let lease = try #require(try await records.lease(at: Double(attempt) * 100))
            #expect(lease.task.id == task.id)
            #expect(lease.task.attempts == attempt)
        }
        let after = try #require(try await records.lease(at: 400))
        #expect(after.task.id == next.id, "the next task is not held up")
        let stored = try #require(try await records.stored(task))
        #expect(stored.status == .error)
        #expect(stored.failure?.code == "attempts_exhausted")
        #expect(
            stored.failure?.detail == "Processing was interrupted 3 times and was given up.")
    }

    @Test func aReleasedTaskIsTriedAgainUntilItsLastAttempt() async throws {
        let records = try await Records()
        let task = try await records.insertedTask()
        let failure = TaskFailure(code: "disk_full", detail: "No space.")
        for attempt in 1...3 {
            let lease = try #require(try await records.lease(at: Double(attempt)))
            try await records.store.release(
                lease, failure: failure, maximumAttempts: 3, delay: 0,
                now: Records.start + Double(attempt))
            let stored = try #require(try await records.stored(task))
            #expect(stored.status == (attempt < 3 ? .queued : .error))
            #expect(stored.failure == (attempt < 3 ? nil : failure))
            await #expect(throws: LeaseLost.self, "what was given back is gone") {
                try await records.store.complete(
                    lease, result: someResult, now: Records.start + 11)
            }
        }
    }
}
