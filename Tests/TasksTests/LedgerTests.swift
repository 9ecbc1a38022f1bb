import Foundation
import SQLiteStore
import Tasks
import TestSupport
import Testing

@Suite struct LedgerTests {
    private static let minute: Int64 = 60_000

    /// A metered licence with some minutes, and a source of it.
    private func metered(
        _ records: Records, minutes: Int64, _ terms: (inout LicenceTerms) -> Void = { _ in }
    ) async throws -> Source {
        var wanted = LicenceTerms()
        wanted.metered = true
        terms(&wanted)
        let (licence, _) = try await records.store.createLicence(
            name: "metered", terms: wanted, now: Records.start)
        if minutes > 0 {
            try await records.store.grant(
                minutes * Self.minute, licence: licence.id, now: Records.start)
        }
        let source = Source(
            licence: licence.id, name: "a.mp3", size: 1000, duration: 60, blob: BlobKey(),
            created: Records.start, expires: Records.start + 86400)
        try await records.store.insert(source)
        return source
    }

    private func task(_ source: Source, cost: Int64 = minute) -> SplitTask {
        SplitTask(
            licence: source.licence, source: source.id,
            presets: .stemSeparator(.init(stem: .vocals)), servedBy: .auto, cost: cost,
            created: Records.start)
    }

    @Test func aTaskIsReservedThenChargedOrRefunded() async throws {
        let records = try await Records()
        let store = records.store
        let source = try await metered(records, minutes: 3)
        var expected = Balance(available: 180_000)
        #expect(try await store.balance(licence: source.licence) == expected)

        _ = try await store.submit(task(source), idempotencyKey: nil, now: Records.start)
        expected = Balance(available: 120_000, reserved: 60_000)
        #expect(try await store.balance(licence: source.licence) == expected)
        let lease = try #require(try await records.lease())
        try await store.complete(lease, result: someResult, now: Records.start)
        expected = Balance(available: 120_000)
        #expect(try await store.balance(licence: source.licence) == expected)

        _ = try await store.submit(task(source), idempotencyKey: nil, now: Records.start)
        let other = try #require(try await records.lease())
        try await store.fail(
            other, failure: TaskFailure(code: "x", detail: ""), now: Records.start)
        #expect(try await store.balance(licence: source.licence) == expected)

        let entries = try await store.ledger(licence: source.licence)
        #expect(entries.map(\.kind) == [.grant, .reservation, .charge, .reservation, .refund])
        #expect(entries.last?.after == expected)
    }

    @Test func whatIsNotPaidForIsRefusedAndNothingIsQueued() async throws {
        let records = try await Records()
        let source = try await metered(records, minutes: 1)
        await #expect(
            throws: SubmissionRefused.exceededDuration(cost: 60_001, available: 60_000)
        ) {
            try await records.store.submit(
                task(source, cost: 60_001), idempotencyKey: nil, now: Records.start)
        }
        #expect(try await records.lease() == nil)
        #expect(try await records.store.ledger(licence: source.licence).count == 1)
        _ = try await records.store.submit(
            task(source, cost: 60_000), idempotencyKey: nil, now: Records.start)
    }

    @Test func filesBeyondTheTermsAreRefused() async throws {
        let records = try await Records()
        let long = try await metered(records, minutes: 9) { $0.maximumDuration = 59.9 }
        await #expect(throws: SubmissionRefused.tooLong(limit: 59.9)) {
            try await records.store.submit(task(long), idempotencyKey: nil, now: Records.start)
        }
        let large = try await metered(records, minutes: 9) { $0.maximumSize = 999 }
        await #expect(throws: SubmissionRefused.tooLarge(limit: 999)) {
            try await records.store.submit(task(large), idempotencyKey: nil, now: Records.start)
        }
    }

    @Test func manyProcessesNeverSpendTheSameMinute() async throws {
        let records = try await Records()
        let source = try await metered(records, minutes: 7)
        let stores = [records.store, try records.reopened(), try records.reopened()]
        let accepted = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<30 {
                let task = task(source)
                group.addTask {
                    let id = try? await stores[number % 3].submit(
                        task, idempotencyKey: nil, now: Records.start)
                    return id != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(accepted == 7)
        #expect(
            try await records.store.balance(licence: source.licence)
                == Balance(available: 0, reserved: 420_000))
    }

    @Test func aHundredEqualSubmissionsAreChargedOnce() async throws {
        let records = try await Records()
        let source = try await metered(records, minutes: 7)
        let key = UUID()
        let stores = [records.store, try records.reopened()]
        let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
            for number in 0..<100 {
                let task = task(source)
                group.addTask {
                    try await stores[number % 2].submit(
                        task, idempotencyKey: key, now: Records.start)
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(
            try await records.store.balance(licence: source.licence)
                == Balance(available: 360_000, reserved: 60_000))
    }

    /// Random sequences of all that can happen to tasks. After every step the ledger must say what the
    /// outcomes of the tasks add up to.
    @Test(arguments: 1...12)
    func theLedgerNeverDisagreesWithTheTasks(seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let records = try await Records()
        var store = records.store
        var now = Records.start
        let first = try await metered(records, minutes: 20)
        var sources = [first]
        var leases: [Lease] = []
        var granted: Int64 = 20 * Self.minute
        // Cost and last known state of every task that was accepted.
        var costs: [UUID: Int64] = [:]
        var spent: [UUID: TaskStatus] = [:]

        for step in 0..<120 {
            now += Double.random(in: 0...40, using: &random)
            switch Int.random(in: 0..<13, using: &random) {
            case 0...3:
                guard let source = sources.randomElement(using: &random) else { break }
                let cost = Int64.random(in: 1...(3 * Self.minute), using: &random)
                let available = try await store.balance(licence: first.licence).available
                let id = try? await store.submit(
                    task(source, cost: cost),
                    idempotencyKey: Bool.random(using: &random) ? UUID() : nil, now: now)
                let isAllowed = cost <= available && source.expires > now
                #expect((id != nil) == isAllowed, "step \(step)")
                if let id { costs[id] = cost }
            case 4...5:
                let lease = try await store.lease(
                    worker: "w", duration: 60, maximumAttempts: 3, now: now)
                if let lease { leases.append(lease) }
            case 6:
                guard let lease = leases.randomElement(using: &random) else { break }
                try? await store.complete(lease, result: someResult, now: now)
            case 7:
                guard let lease = leases.randomElement(using: &random) else { break }
                let failure = TaskFailure(code: "x", detail: "")
                if Bool.random(using: &random) {
                    try? await store.fail(lease, failure: failure, now: now)
                } else {
                    try? await store.release(
                        lease, failure: failure, maximumAttempts: 3, delay: 5, now: now)
                }
            case 8:
                guard let id = costs.keys.randomElement(using: &random) else { break }
                _ = try await store.cancel([id], licence: first.licence, now: now)
            case 9:
                if Int.random(in: 0..<5, using: &random) == 0 {
                    _ = try await store.cancelAll(licence: first.licence, now: now)
                }
                let source = Source(
                    licence: first.licence, name: "b.mp3", size: 10, duration: 60,
                    blob: BlobKey(), created: now,
                    expires: now + Double.random(in: 1...600, using: &random))
                try await store.insert(source)
                sources.append(source)
            case 10:
                guard let source = sources.randomElement(using: &random) else { break }
                _ = try await store.removeSource(
                    source.id, licence: first.licence, now: now)
                sources.removeAll { $0.id == source.id }
            case 11:
                let amount = Int64.random(in: 1...(4 * Self.minute), using: &random)
                try await store.grant(amount, licence: first.licence, now: now)
                granted += amount
            default:
                _ = try await store.removeExpiredSources(grace: 60, limit: 10, now: now)
                _ = try await store.forgetSources(removedBefore: now - 300, limit: 10)
                store = try records.reopened()
            }
            // What was forgotten keeps its last state: it had ended.
            let known = try await store.tasks(
                Array(costs.keys), licence: first.licence, since: .distantPast)
            for (id, task) in known { spent[id] = task.status }
            var expected = Balance(available: granted)
            for (id, cost) in costs {
                switch spent[id] {
                case .queued, .running:
                    expected.available -= cost
                    expected.reserved += cost
                case .success: expected.available -= cost
                default: break
                }
            }
            #expect(try await store.balance(licence: first.licence) == expected, "step \(step)")
            try await expectSums(store, first.licence, expected)
        }
        #expect(costs.count > 5)
    }

    /// Every line says what the lines before it add up to, and no balance was ever negative.
    private func expectSums(
        _ store: SQLiteStore, _ licence: UUID, _ expected: Balance
    ) async throws {
        var sum = Balance()
        for entry in try await store.ledger(licence: licence) {
            sum.available += entry.change.available
            sum.reserved += entry.change.reserved
            #expect(entry.after == sum)
            #expect(sum.available >= 0 && sum.reserved >= 0)
        }
        #expect(sum == expected)
    }
}

/// Numbers that are the same in every run (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
