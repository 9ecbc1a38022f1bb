import Foundation
import HTTPAPI
import Synchronization
import Testing

@Suite struct ReadinessTests {
    @Test func aServerThatCanWorkSaysSo() async throws {
        try await TestServer.run(readiness: [ReadinessCheck("moon") { nil }]) { _ in
        } _: { server in
            let reply = try await server.client.send("GET", "/readyz")
            #expect(reply.status == 200)
            #expect(reply["content-type"] == "application/json")
            #expect(reply["cache-control"] == "no-store")
            #expect(
                try reply.json == [
                    "status": "ok", "checks": ["database": "ok", "files": "ok", "moon": "ok"],
                ])
            let head = try await server.client.send("HEAD", "/readyz")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(try server.files().isEmpty, "the file that was tried is gone")
        }
    }

    @Test func whatTheMatterIsIsSaid() async throws {
        try await TestServer.run(readiness: [ReadinessCheck("moon") { "The moon is down." }]) { _ in
        } _: { server in
            try FileManager.default.removeItem(atPath: server.blobs.scratch)
            let renaming = """
                import sqlite3, sys
                sqlite3.connect(sys.argv[1]).execute("ALTER TABLE licences RENAME TO others")
                """
            let database = server.root + "/partita.sqlite"
            #expect(try await output(of: ["python3", "-c", renaming, database]).status == 0)
            let reply = try await server.client.send("GET", "/readyz")
            #expect(reply.status == 503)
            #expect(
                try reply.json == [
                    "status": .string(
                        "The database cannot be read. The data folder cannot be written. "
                            + "The moon is down."),
                    "checks": [
                        "database": "The database cannot be read.",
                        "files": "The data folder cannot be written.",
                        "moon": "The moon is down.",
                    ],
                ])
            #expect(try await server.client.send("HEAD", "/readyz").status == 503)
            #expect(try await server.client.send("GET", "/healthz").status == 200)
        }
    }

    @Test func manyWhoAskCostNoMoreThanOne() async throws {
        let count = Mutex(0)
        let check = ReadinessCheck("moon") {
            count.withLock { $0 += 1 }
            return nil
        }
        try await TestServer.run(readiness: [check]) { _ in
        } _: { server in
            for _ in 0..<20 { _ = try await server.client.send("GET", "/readyz") }
        }
        #expect((1...3).contains(count.withLock { $0 }))
    }
}
