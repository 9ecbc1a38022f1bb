import Crypto
import Foundation
import Logging
import SQLiteStore
import ServiceLifecycle
import Tasks
import TestSupport
import Testing
import Webhooks

@Suite struct CallbackTests {
    private struct House {
        let folder: TemporaryFolder
        let store: SQLiteStore
        let licence: Licence
        let source: Source

        init() async throws {
            folder = try TemporaryFolder()
            store = try SQLiteStore(path: folder.path + "/partita.sqlite")
            licence = try await store.createLicence(name: "l").licence
            source = Source(
                licence: licence.id, name: "a.mp3", size: 1, duration: 1, blob: BlobKey(),
                created: Date(), expires: Date() + 3600)
            try await store.insert(source)
        }

        /// A task that was cancelled, with a callback.
        func endedTask(_ url: String) async throws -> UUID {
            let id = try await store.submit(
                SplitTask(
                    licence: licence.id, source: source.id,
                    presets: .stemSeparator(.init(stem: .vocals)), servedBy: .auto,
                    callbackURL: url, created: Date()), idempotencyKey: nil, now: Date())
            _ = try await store.cancel([id], licence: licence.id, now: Date())
            return id
        }

        /// Runs the service for the length of a test.
        func run(
            allowsPrivate: Bool = true, delays: [Double] = [0, 0],
            _ test: () async throws -> Void
        ) async throws {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let service = CallbackService(
                store: store, allowsPrivate: allowsPrivate, delays: delays, logger: logger,
                body: { Array(#"{"task_id":"\#($0.id)","name":"\"ü\\"}"#.utf8) })
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: service)], logger: logger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await test()
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }

        func waitUntilNothingIsDue() async throws {
            for _ in 0..<3000 {
                let far = Date() + 86400
                if try await store.dueCallbacks(limit: 1, now: far).isEmpty { return }
                try await Task.sleep(for: .milliseconds(20))
            }
            Issue.record("a callback is still waiting")
        }
    }

    @Test func theEndOfATaskIsToldAndSigned() async throws {
        let house = try await House()
        let receiver = try await Receiver(answering: [200])
        let id = try await house.endedTask("http://127.0.0.1:\(receiver.port)?x=$1&y=\\")
        try await house.run {
            _ = try await receiver.deliveries(count: 1)
            try await house.waitUntilNothingIsDue()
        }
        let delivery = try #require(receiver.deliveries.first)
        #expect(receiver.deliveries.count == 1)
        #expect(delivery.requestLine == "POST /?x=$1&y=\\ HTTP/1.1")
        #expect(delivery.headers["content-type"] == "application/json")
        #expect(delivery.headers["partita-event"] == "task.finished")
        #expect(delivery.headers["partita-delivery"] == id.uuidString.lowercased())
        #expect(
            String(decoding: delivery.body, as: UTF8.self)
                == #"{"task_id":"\#(id)","name":"\"ü\\"}"#)
        let signature = try #require(delivery.headers["partita-signature"])
        let match = try #require(signature.wholeMatch(of: /t=([0-9]+),v1=([0-9a-f]{64})/))
        // As docs/webhooks.md tells receivers to.
        let signed = Array("\(match.output.1).".utf8) + delivery.body
        let code = HMAC<SHA256>.authenticationCode(
            for: signed, using: SymmetricKey(data: Data(house.licence.keyHash.utf8)))
        #expect(code.map { String(format: "%02x", $0) }.joined() == match.output.2)
        #expect(abs(Date().timeIntervalSince1970 - (Double(match.output.1) ?? 0)) < 60)
    }

    @Test func whatFailsIsTriedAgainAndRedirectsAreNotFollowed() async throws {
        let house = try await House()
        let receiver = try await Receiver(answering: [500, 302, 204])
        _ = try await house.endedTask("http://127.0.0.1:\(receiver.port)/hook")
        try await house.run { _ = try await receiver.deliveries(count: 3) }
        #expect(receiver.deliveries.count == 3)
        #expect(receiver.deliveries.allSatisfy { $0.requestLine.hasPrefix("POST /hook ") })
        try await house.waitUntilNothingIsDue()
    }

    @Test(arguments: [([500], 3), ([410], 1)])
    func itIsGivenUpInTheEnd(answers: [Int], attempts: Int) async throws {
        let house = try await House()
        let receiver = try await Receiver(answering: answers)
        _ = try await house.endedTask("http://127.0.0.1:\(receiver.port)/")
        try await house.run { try await house.waitUntilNothingIsDue() }
        #expect(receiver.deliveries.count == attempts)
    }

    @Test func aReceiverThatIsDownGetsItsCallbackLater() async throws {
        let house = try await House()
        let receiver = try await Receiver(answering: [200])
        let port = receiver.port
        try await receiver.stop()
        _ = try await house.endedTask("http://127.0.0.1:\(port)/")
        try await house.run(delays: [3600]) {
            // Nobody listens: it waits for its next attempt.
            for _ in 0..<3000 {
                if try await house.store.dueCallbacks(limit: 1, now: Date()).isEmpty { break }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        let waiting = try await house.store.dueCallbacks(limit: 1, now: Date() + 3700)
        #expect(waiting.map(\.attempts) == [1])
    }

    @Test(arguments: [
        "127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0",
    ])
    func privateAddressesAreRefusedHoweverTheyAreSpelled(host: String) async throws {
        let house = try await House()
        let receiver = try await Receiver(answering: [200])
        _ = try await house.endedTask("http://\(host):\(receiver.port)/")
        try await house.run(allowsPrivate: false) { try await house.waitUntilNothingIsDue() }
        #expect(receiver.deliveries.isEmpty)
    }
}

@Suite struct CallbackURLTests {
    @Test(arguments: [
        "http://a.example", "https://a.example:8443/x/y?z=1", "http://127.0.0.1:80/",
        "https://[2001:db8::1]:65535/", "http://a?b=c@d",
    ])
    func addressesOfServersAreAccepted(url: String) { #expect(CallbackURL.isValid(url)) }

    @Test(arguments: [
        "", "a.example", "ftp://a.example/", "http://", "http:///x", "http://user@a.example/",
        "http://user:pw@a.example/", "http://a.example:0/", "http://a.example:65536/",
        "http://a.example/ x", "http://a.example/\n", "http://a.example/#x", "http://a.example/ü",
        "file:///etc/passwd", "http://a.example/\"x", "http://[::1", "HTTP://a.example/",
        "http://a.example/" + String(repeating: "x", count: 2048),
    ])
    func othersAreRefused(url: String) { #expect(!CallbackURL.isValid(url)) }
}
