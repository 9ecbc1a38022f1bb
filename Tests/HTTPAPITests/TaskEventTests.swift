import Foundation
import HTTPAPI
import Tasks
import Testing

@Suite struct TaskEventTests {
    private static func open(
        _ server: TestServer, _ task: String, key: String? = nil
    ) async throws -> WireConnection {
        let connection = try WireConnection(port: server.client.port)
        let request =
            "GET /api/v1/tasks/\(task)/events HTTP/1.1\r\nHost: localhost:\(server.client.port)\r\n"
            + "X-License-Key: \(key ?? server.key)\r\n\r\n"
        try await connection.send(Array(request.utf8))
        return connection
    }

    /// The data of the events in what was received.
    private static func events(_ text: String) throws -> [JSON] {
        // Between the events stand lines that frame chunks; `\r\n` is one character.
        try text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data: ") }.map {
            try JSON(parsing: Array($0.dropFirst("data: ".count).utf8))
        }
    }

    @Test func everyChangeIsToldUntilTheEnd() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask()
            let queued = try await server.check(id)
            let connection = try await Self.open(server, id)
            let first = try await connection.receive { $0.contains("data: ") }
            for header in [
                "HTTP/1.1 200 OK", "content-type: text/event-stream", "cache-control: no-store",
                "x-accel-buffering: no", "x-request-id: ",
            ] { #expect(first.lowercased().contains(header.lowercased()), "\(header)") }
            #expect(try Self.events(first) == [queued])

            let now = server.clock.now
            let lease = try #require(
                try await server.store.lease(
                    worker: "w", duration: 60, maximumAttempts: 3, now: now))
            try await server.store.renew(lease, duration: 60, progress: 42, now: now)
            let second = try await connection.receive { $0.contains("data: ") }
            let running = try Self.events(second)
            #expect(running == [try await server.check(id)])
            #expect(running.first?["progress"] == 42)

            try await server.store.fail(
                lease, failure: TaskFailure(code: "no_audio", detail: "Silence."), now: now)
            let rest = try await connection.receive()
            #expect(try Self.events(rest) == [try await server.check(id)])
            #expect(rest.hasSuffix("\r\n0\r\n\r\n"), "the stream has an end: \(rest)")
            connection.reset()
        }
    }

    @Test func aFinishedTaskIsOneEvent() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask()
            try await server.finishTask(stem: [1])
            let text = try await Self.open(server, id).receive()
            #expect(try Self.events(text) == [try await server.check(id)])
            #expect(try Self.events(text).first?["status"] == "success")
        }
    }

    @Test func silenceIsBroken() async throws {
        try await TestServer.run {
            $0.heartbeat = 1
        } _: { server in
            let connection = try await Self.open(server, try await server.splitTask())
            let text = try await connection.receive { $0.contains("\n:\n\n") }
            #expect(text.contains("\n:\n\n"))
            #expect(try Self.events(text).count == 1)
            connection.reset()
        }
    }

    @Test func aLicenseHasOnlySoManyStreams() async throws {
        try await TestServer.run {
            $0.maximumEventStreams = 2
        } _: { server in
            let id = try await server.splitTask()
            let streams = [try await Self.open(server, id), try await Self.open(server, id)]
            for stream in streams { _ = try await stream.receive { $0.contains("data: ") } }
            let path = "/api/v1/tasks/\(id)/events"
            let refused = try await server.client.send("GET", path, [("X-License-Key", server.key)])
            #expect(refused.status == 429)
            #expect(refused["retry-after"] == "5")
            #expect(
                try refused.json == [
                    "detail": .string(
                        "This license follows 2 tasks at once, and may follow no more. "
                            + "Close a stream, or ask `check`.")
                ])
            // Whoever hangs up, however rudely, is no longer followed.
            for stream in streams { stream.reset() }
            try await server.finishTask(stem: [1])
            var status = 429
            for _ in 0..<20 where status == 429 {
                try await Task.sleep(for: .milliseconds(100))
                status = try await server.client.send(
                    "GET", path, [("X-License-Key", server.key)]
                ).status
            }
            #expect(status == 200)
        }
    }

    @Test func aServerThatStopsEndsItsStreams() async throws {
        try await TestServer.run { server in
            let connection = try await Self.open(server, try await server.splitTask())
            _ = try await connection.receive { $0.contains("data: ") }
            let start = ContinuousClock.now
            await server.stop()
            let rest = try await connection.receive()
            #expect(rest == "0\r\n\r\n")
            #expect(start.duration(to: .now) < .seconds(2))
        }
    }

    @Test func whatCheckDoesNotKnowIsNotFound() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask()
            let (_, other) = try await server.service.createLicence(name: "other")
            let ids = [
                (id, other.rawValue), (UUID().uuidString, server.key), ("nonsense", server.key),
            ]
            for (id, key) in ids {
                for file in ["events", "archive.zip"] {
                    let reply = try await server.client.send(
                        "GET", "/api/v1/tasks/\(id)/\(file)", [("X-License-Key", key)])
                    #expect(reply.status == 404, "\(id)")
                    #expect(
                        try reply.json == [
                            "detail": "This license has created no such task in the last 24 hours."
                        ])
                }
            }
            #expect(try await server.client.send("GET", "/api/v1/tasks/\(id)/events").status == 403)
        }
    }
}
