import Foundation
import TestSupport
import Testing

/// `partita license`, beside a server that runs.
@Suite final class LicenseTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func license(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let shell = "exec \"$0\" license \"$@\" --data \(folder.file("data").path) 2>&1"
        let finished = try run("sh", ["-c", shell, TestServer.program.path] + arguments)
        return (finished.status, String(decoding: finished.output, as: UTF8.self))
    }

    private func report(_ arguments: [String]) throws -> [String: Any] {
        let result = try license(arguments + ["--json"])
        try #require(result.status == 0, "\(result.output)")
        let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        return try #require((json as? [Any])?.last as? [String: Any] ?? json as? [String: Any])
    }

    @Test func aLicenseHasTermsIsToppedUpAndRevoked() throws {
        let made = try report([
            "create", "Studio", "--minutes", "10", "--max-duration", "5", "--max-size", "1000",
            "--no-batches", "--callback-url", "https://a.example/hook",
        ])
        #expect((made["key"] as? String)?.count == 44)
        let id = try #require(made["id"] as? String)
        let listed = try report(["list"])
        #expect(listed["id"] as? String == id)
        #expect(listed["name"] as? String == "Studio")
        #expect(listed["minutesLeft"] as? Double == 10)
        #expect(listed["minutesReserved"] as? Double == 0)
        #expect(listed["maxDurationMinutes"] as? Double == 5)
        #expect(listed["maxSize"] as? Int == 1000)
        #expect(listed["batches"] as? Bool == false)
        #expect(listed["callbackURL"] as? String == "https://a.example/hook")
        #expect(try report(["top-up", "Studio", "2.5"])["minutesLeft"] as? Double == 12.5)
        #expect(try report(["top-up", id, "1"])["minutesLeft"] as? Double == 13.5)
        #expect(try license(["list"]).output.contains("13.5 minutes"))
        #expect(try report(["revoke", id])["revoked"] is String)
        #expect(try license(["list"]).output.contains("revoked"))
        let again = try license(["top-up", id, "1"])
        #expect(again.status == 2 && again.output.contains("The license Studio was revoked."))
    }

    @Test(arguments: [
        (["create", " "], "A license needs a name."),
        (
            ["create", "x", "--minutes=-1"],
            "--minutes is -1.0; it must be between 0 and 526000000."
        ),
        (["create", "x", "--max-size", "0"], "--max-size is 0; it must be 1 or more."),
        (
            ["create", "x", "--callback-url", "mailto:a@b"],
            "--callback-url is “mailto:a@b”; it must begin with http:// or https://, name a host, and hold no credentials."
        ),
        (["top-up", "nobody", "1"], "There is no license with the id or name “nobody”."),
        (["top-up", "free", "1"], "The license free has no limit of minutes."),
        (["top-up", "free", "0"], "minutes is 0.0; it must be more than none."),
        (["revoke", "nobody"], "There is no license with the id or name “nobody”."),
        (["revoke", "twin"], "2 licenses have the name “twin”. Use the id: license list."),
    ])
    func wrongUsageIsSaid(arguments: [String], sentence: String) throws {
        for name in ["free", "twin", "twin"] {
            #expect(try license(["create", name]).status == 0)
        }
        let result = try license(arguments)
        #expect(result.status == 2)
        #expect(result.output.contains(sentence), "\(result.output)")
    }

    /// The whole way: minutes are given, used, given back, and a key dies while its task runs.
    @Test func minutesFollowTheTasksOfARunningServer() async throws {
        let server = try TestServer(["--workers", "1"])
        func report(_ arguments: [String]) throws -> [String: Any] {
            let finished = try run(
                TestServer.program.path,
                ["license"] + arguments + ["--data", server.data.path, "--json"])
            let json = try JSONSerialization.jsonObject(with: finished.output)
            return try #require((json as? [Any])?.last as? [String: Any] ?? json as? [String: Any])
        }
        let made = try report(["create", "metered", "--minutes", "1"])
        server.key = try #require(made["key"] as? String)
        let song = try folder.make(
            "song.wav", from: "music/vocadito1_plus_vibe_ace/mixture.flac", ["-t", "6"])
        let done = try await server.split(song, stem: "vocals")
        let state = try await server.waitForEnd(done)
        #expect(state["status"] as? String == "success")
        let left = try await server.post("limits/minutes_left/", [:]).json["minutes_left"]
        #expect(left as? Double == 0.9)
        // Nobody sings in it.
        let band = try folder.make(
            "band.wav", from: "music/vocadito1_plus_vibe_ace/accompaniment.flac", ["-t", "6"])
        let source = try await server.upload(band, name: "band.wav")
        let failed = try await server.post(
            "change_voice/",
            ["source_id": source.json["id"]!, "presets": ["voice_pack_id": "VETRANA"]])
        let failure = try await server.waitForEnd(
            try #require(failed.json["task_id"] as? String, "\(failed.json)"))
        #expect(
            (failure["error"] as? [String: Any])?["code"] as? String == "inference_error",
            "\(failure)")
        #expect(try report(["list"])["minutesLeft"] as? Double == 0.9)
        #expect(try report(["top-up", "metered", "4"])["minutesLeft"] as? Double == 4.9)

        let long = try folder.make(
            "long.wav", from: "music/vocadito1_plus_vibe_ace/mixture.flac", ["-t", "30"])
        let running = try await server.split(long, stem: "vocals")
        _ = try await server.wait(for: running) { ($0["progress"] as? Int ?? 0) > 1 }
        let cancelled = try await server.post("cancel/", ["task_ids": [running]])
        #expect(cancelled.status == 200)
        #expect(try await server.check(running)["status"] as? String == "cancelled")
        #expect(try report(["list"])["minutesLeft"] as? Double == 4.9)
        _ = try report(["revoke", "metered"])
        try await Task.sleep(for: .seconds(1.2))
        #expect(try await server.post("check/", ["task_ids": [running]]).status == 403)
    }
}
