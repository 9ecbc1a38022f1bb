import Foundation
import HTTPAPI
import Tasks
import Testing

@Suite struct RateLimitTests {
    @Test func checkIsLimitedByLicence() async throws {
        try await TestServer.run { server in
            // The next minute of the clock, so that it does not turn in the middle.
            server.clock.advance(
                by: 60
                    - server.clock.now.timeIntervalSince1970
                    .truncatingRemainder(dividingBy: 60))
            func check(_ key: String) async throws -> Reply {
                try await server.post("/api/v1/check/", #"{"task_ids":[]}"#, key: key)
            }
            for number in 1...30 {
                let reply = try await check(server.key)
                #expect(reply.status == 200)
                #expect(reply["RateLimit-Limit"] == "30")
                #expect(reply["RateLimit-Remaining"] == "\(30 - number)")
            }
            let refused = try await check(server.key)
            #expect(refused.status == 429)
            let seconds = try #require(refused["Retry-After"].flatMap { Int($0) })
            #expect((1...60).contains(seconds))
            #expect(refused["RateLimit-Reset"] == "\(seconds)")
            #expect(
                try refused.json == [
                    "detail": .string(
                        "Too many requests: 30 are answered in a minute. "
                            + "Try again in \(seconds) s.")
                ])
            #expect(try await check(try await server.key()).status == 200, "another licence")
            let other = try await server.post("/api/v1/limits/minutes_left/", "")
            #expect(other.status == 200 && other["RateLimit-Limit"] == nil)
            server.clock.advance(by: Double(seconds))
            #expect(try await check(server.key).status == 200)
        }
    }

    @Test func guessingKeysIsLimitedByAddress() async throws {
        try await TestServer.run { configuration in
            configuration.rateLimits.failedKeys = 3
        } _: { server in
            server.clock.advance(
                by: 60
                    - server.clock.now.timeIntervalSince1970
                    .truncatingRemainder(dividingBy: 60))
            var statuses: [Int] = []
            for _ in 0..<5 {
                statuses.append(
                    try await server.post("/api/v1/cancel/all/", "", key: "guess").status)
            }
            #expect(statuses == [403, 403, 403, 429, 429])
            #expect(
                try await server.post("/api/v1/cancel/all/", "").status == 200,
                "who has a key is not held up by others behind the same address")
        }
    }

    @Test func everyLimitCanBeSet() async throws {
        try await TestServer.run { configuration in
            configuration.rateLimits.check = 0
            configuration.rateLimits.upload = 1
            configuration.rateLimits.start = 2
            configuration.rateLimits.other = 1
        } _: { server in
            server.clock.advance(
                by: 60
                    - server.clock.now.timeIntervalSince1970
                    .truncatingRemainder(dividingBy: 60))
            for (path, limit) in [
                ("upload/", 1), ("split/demuser/", 2), ("voice_packs/list/", 1),
            ] {
                for number in 1...(limit + 1) {
                    let reply = try await server.post("/api/v1/\(path)", "")
                    #expect((reply.status == 429) == (number > limit), "\(path) \(number)")
                }
            }
            for _ in 0..<40 {
                let reply = try await server.post("/api/v1/check/", #"{"task_ids":[]}"#)
                #expect(reply.status == 200)
            }
        }
    }
}
