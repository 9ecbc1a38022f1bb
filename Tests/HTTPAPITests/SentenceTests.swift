import Foundation
import HTTPAPI
import Tasks
import Testing

/// What people read when a request is refused, word for word. (What is wrong with a body stands in
/// `ValidationTests`; minutes, voices and batches in `OperationTests`; limits in `RateLimitTests`; archives and
/// events in suites of their own.)
@Suite struct SentenceTests {
    private func refusal(_ detail: String, _ code: String? = nil) -> JSON {
        let members: [JSON.Member] =
            [.init("detail", .string(detail))] + (code.map { [.init("code", .string($0))] } ?? [])
        return .object(members)
    }

    @Test func pathsMethodsAndKeys() async throws {
        try await TestServer.run { server in
            let key = ("X-License-Key", server.key)
            let cases: [(String, String, [(String, String)], Int, String)] = [
                ("GET", "/nowhere", [], 404, "Not Found"),
                ("GET", "/api/v1/check/", [key], 405, "Method Not Allowed"),
                (
                    "POST", "/api/v1/check/", [], 403,
                    "Provide license key in 'X-License-Key' header"
                ),
                (
                    "POST", "/api/v1/check/", [("X-License-Key", "wrong")], 403,
                    "The license key in the 'X-License-Key' header is not known to this server"
                ),
                (
                    "GET", "/download/a/b", [], 403,
                    "The link is not complete, or is not of this server."
                ),
            ]
            for (method, path, headers, status, sentence) in cases {
                let reply = try await server.client.send(method, path, headers)
                #expect(reply.status == status)
                #expect(try reply.json == refusal(sentence))
            }
        }
    }

    @Test func bodies() async throws {
        try await TestServer.run { server in
            let long = try await server.post(
                "/api/v1/check/", String(repeating: " ", count: 1_100_000))
            #expect(long.status == 413)
            #expect(try long.json == refusal("The body is longer than 1 MiB."))
            let broken = try await server.client.send(
                "POST", "/api/v1/check/",
                [("X-License-Key", server.key), ("Content-Length", "100")], body: [0x7B],
                halfClose: true)
            #expect(broken.status == 400)
            #expect(
                try broken.json
                    == refusal("The body broke off before its end.", "incomplete_body"))
        }
    }

    @Test func uploads() async throws {
        try await TestServer.run {
            $0.maximumUploadSize = 1_000_000
        } _: { server in
            let nameless = try await server.upload([1], disposition: nil)
            #expect(
                try nameless.json
                    == refusal(
                        "Name the file in the Content-Disposition header: "
                            + "attachment; filename=song.mp3", "missing_filename"))
            let empty = try await server.upload([])
            #expect(try empty.json == refusal("The file is empty.", "empty_file"))
            let large = try await server.upload([], [("Content-Length", "1000001")])
            #expect(
                try large.json
                    == refusal(
                        "The file is larger than this server allows (1000000 bytes).",
                        "exceeded_size"))
            let broken = try await server.upload(
                [1, 2, 3], [("Content-Length", "100")], halfClose: true)
            #expect(
                try broken.json
                    == refusal(
                        "The upload broke off before its end. Nothing was kept.",
                        "incomplete_body"))
            let text = try await server.upload(Array("Not a song at all.".utf8))
            #expect(
                try text.json
                    == refusal(
                        "The file is not audio or video in a format that can be read.",
                        "unreadable_media"))
            let film = try await server.upload(try await file("-i testsrc=d=1:s=64x64 -f matroska"))
            #expect(
                try film.json == refusal("The file has no audio track.", "no_audio"))
            let silent = try await server.upload(try await file("-i anullsrc=d=0 -f wav"))
            #expect(
                try silent.json
                    == refusal(
                        "The file has no audio in it: its length is zero.", "empty_media"))
            #expect(try server.files().isEmpty)
        }
    }

    @Test func tasksAndLinks() async throws {
        try await TestServer.run { server in
            let unknown = UUID().uuidString.lowercased()
            #expect(
                try await server.check(unknown) == [
                    "status": "server_error",
                    "error":
                        "Failed to extract information about task: this license has created no such task in the last 24 hours",
                ])
            let id = try await server.splitTask()
            try await server.finishTask(stem: [1, 2, 3])
            let entry = try await server.check(id)
            guard case .array(let tracks)? = entry["result"]?["tracks"],
                let url = tracks[0]["url"]?.stringValue,
                let start = url.firstRange(of: "/download")?.lowerBound
            else {
                Issue.record("\(entry)")
                return
            }
            let path = String(url[start...])
            let cut = try await server.client.send(
                "GET", path, [("Range", "bytes=3-")])
            #expect(cut.status == 416)
            #expect(try cut.json == refusal("The file has 3 bytes."))
            let source = try #require(entry["source_id"]?.stringValue)
            _ = try await server.post("/api/v1/delete/", #"{"source_id":"\#(source)"}"#)
            let deleted = try await server.client.send("GET", path)
            #expect(deleted.status == 404)
            #expect(try deleted.json == refusal("The file has been deleted."))
            server.clock.advance(by: 3 * 24 * 3600)
            let expired = try await server.client.send("GET", path)
            #expect(expired.status == 410)
            #expect(try expired.json == refusal("The link has expired. Ask for the task again."))
        }
    }

    @Test func faultsOfTheServer() async throws {
        try await TestServer.run { server in
            try FileManager.default.removeItem(atPath: server.blobs.scratch)
            let reply = try await server.upload(try Recordings.short())
            #expect(reply.status == 500)
            #expect(
                try reply.json
                    == refusal(
                        "The server made a mistake. Its log tells more under this x-request-id.",
                        "internal_error"))
        }
    }

    /// A file that ffmpeg makes of a synthetic source.
    private func file(_ arguments: String) async throws -> [UInt8] {
        let path = NSTemporaryDirectory() + "partita-made-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let made = try await output(
            of: ["ffmpeg", "-v", "error", "-f", "lavfi"]
                + arguments.split(separator: " ").map(String.init) + [path])
        try #require(made.status == 0)
        return try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
