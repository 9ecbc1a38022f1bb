import Foundation
import HTTPAPI
import Tasks
import Testing

@Suite struct UploadTests {
    @Test func aRecordingBecomesASource() async throws {
        try await TestServer.run { server in
            let bytes = try Recordings.short()
            let before = Date()
            let reply = try await server.upload(bytes)
            #expect(reply.status == 200)
            #expect(reply["content-type"] == "application/json")
            let json = try reply.json
            guard case .object(let members) = json else { Issue.record("\(json)"); return }
            #expect(members.map(\.name) == ["id", "name", "size", "duration", "expires"])
            let id = try #require(UUID(uuidString: json["id"]?.stringValue ?? ""))
            #expect(json["id"]?.stringValue == id.uuidString.lowercased())
            #expect(json["name"] == "song.flac")
            #expect(json["size"] == .integer(Int64(bytes.count)))
            #expect(json["duration"] == 5)
            guard case .integer(let expires)? = json["expires"] else {
                Issue.record("\(json)")
                return
            }
            #expect(abs(Double(expires) - before.timeIntervalSince1970 - 24 * 3600) < 60)

            let source = try #require(
                try await server.store.source(id, licence: server.licence.id, now: before))
            let path = try await server.blobs.localFile(source.blob)
            #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == bytes)
            #expect(try server.files().count == 1, "nothing is left in the scratch folder")
        }
    }

    @Test func aChunkedBodyWorksToo() async throws {
        try await TestServer.run { server in
            let bytes = try Recordings.short()
            let reply = try await server.upload(
                chunked(bytes), [("Transfer-Encoding", "chunked")])
            #expect(reply.status == 200, "\(reply.text)")
            #expect(try reply.json["size"] == .integer(Int64(bytes.count)))
        }
    }

    @Test(arguments: [
        (#"attachment; filename="Fuße — 音楽.mp3""#, "Fuße — 音楽.mp3"),
        ("attachment; filename*=utf-8''Fu%C3%9Fe%20%E9%9F%B3.mp3; filename=x.mp3", "Fuße 音.mp3"),
        (#"attachment; filename="../../etc/passwd""#, "passwd"),
        (#"attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd"#, "passwd"),
    ])
    func namesSurviveAndNeverAreAPath(disposition: String, name: String) async throws {
        try await TestServer.run { server in
            let reply = try await server.upload(try Recordings.short(), disposition: disposition)
            #expect(try reply.json["name"] == .string(name))
            #expect(try server.files().allSatisfy { $0.hasPrefix("blobs/") })
        }
    }

    @Test(arguments: [nil, "attachment", "attachment; filename=\"\"", "attachment; filename=.."])
    func aNamelessFileIsRefused(disposition: String?) async throws {
        try await TestServer.run { server in
            let reply = try await server.upload(try Recordings.short(), disposition: disposition)
            #expect(reply.status == 400)
            #expect(try reply.json["code"] == "missing_filename")
            #expect(try reply.json["detail"]?.stringValue?.contains("Content-Disposition") == true)
            #expect(try server.files().isEmpty)
        }
    }

    @Test func whatIsNotAudioIsRefusedAndNotKept() async throws {
        try await TestServer.run { server in
            let text = try await server.upload(Array("Not a song at all.".utf8))
            #expect(text.status == 400)
            #expect(try text.json["code"] == "unreadable_media")
            #expect(try text.json["detail"]?.stringValue?.isEmpty == false)
            let empty = try await server.upload([])
            #expect(empty.status == 400)
            #expect(try empty.json["code"] == "empty_file")
            #expect(try server.files().isEmpty)
        }
    }

    @Test func aFileThatIsTooLargeIsRefusedBeforeItIsSent() async throws {
        try await TestServer.run {
            $0.maximumUploadSize = 200_000
        } _: { server in
            let declared = try await server.upload([], [("Content-Length", "200001")])
            #expect(declared.status == 400)
            #expect(try declared.json["code"] == "exceeded_size")
            // The answer must not wait for the end of a body that has none.
            let endless = try await server.upload(
                Array(chunked([UInt8](repeating: 0, count: 300_000)).dropLast(5)),
                [("Transfer-Encoding", "chunked")])
            #expect(endless.status == 400)
            #expect(try endless.json["code"] == "exceeded_size")
            #expect(try server.files().isEmpty)
            #expect(
                try await server.upload([UInt8](repeating: 0, count: 200_000)).json["code"]
                    == "unreadable_media", "the limit itself is allowed")
        }
    }

    @Test(arguments: [false, true])
    func aBodyThatEndsEarlyIsRefused(isChunked: Bool) async throws {
        try await TestServer.run { server in
            let (body, headers) = try Self.unfinished(isChunked: isChunked)
            let reply = try await server.upload(body, headers, halfClose: true)
            #expect(reply.status == 400)
            #expect(try server.files().isEmpty)
            #expect(try await server.store.referencedBlobs().isEmpty)
        }
    }

    @Test(arguments: [false, true])
    func aClientThatIsKilledLeavesNothing(isChunked: Bool) async throws {
        try await TestServer.run { server in
            let (body, headers) = try Self.unfinished(isChunked: isChunked)
            let connection = try WireConnection(port: server.client.port)
            try await connection.send(server.uploadRequest(body, headers))
            try await eventually { try server.files().count == 1 }
            connection.reset()
            try await eventually { try server.files().isEmpty }
        } whenStopped: { server async throws in
            // A server that took it for a whole file was still probing it a moment ago.
            #expect(try server.files().isEmpty)
            #expect(try await server.store.referencedBlobs().isEmpty)
        }
    }

    /// A real file without its end, and the headers for it.
    private static func unfinished(
        isChunked: Bool
    ) throws -> (body: [UInt8], headers: [(String, String)]) {
        let bytes = try Recordings.short()
        return isChunked
            ? (Array(chunked(bytes).dropLast(5)), [("Transfer-Encoding", "chunked")])
            : (bytes, [("Content-Length", "\(bytes.count + 1)")])
    }

    @Test func anUploadUnderWayIsFinishedWhenTheServerStops() async throws {
        let bytes = try Recordings.short()
        try await TestServer.run { server in
            let connection = try WireConnection(port: server.client.port)
            let request = server.uploadRequest(bytes)
            try await connection.send(Array(request.dropLast(1000)))
            try await eventually { try server.files().count == 1 }
            await server.stop()
            // Nobody new is let in.
            try await eventually { (try? WireConnection(port: server.client.port))?.reset() == nil }
            try await connection.send(Array(request.suffix(1000)))
            let reply = try await connection.reply()
            #expect(reply.status == 200)
            #expect(try reply.json["size"] == .integer(Int64(bytes.count)))
        }
    }

    @Test func theKeyIsAskedForBeforeTheBody() async throws {
        try await TestServer.run { server in
            for key in [nil, "", "unknown"] as [String?] {
                // 10 GB are announced and none are sent: who waits for them never answers.
                let reply = try await server.client.send(
                    "POST", "/api/v1/upload/",
                    [("Content-Length", "10000000000"), ("Content-Disposition", "filename=a")]
                        + (key.map { [("X-License-Key", $0)] } ?? []))
                #expect(reply.status == 403)
                #expect(reply["www-authenticate"] == nil)
                let detail = try reply.json["detail"]?.stringValue
                if key == "unknown" {
                    #expect(detail?.contains("not known") == true)
                } else {
                    #expect(detail == "Provide license key in 'X-License-Key' header")
                }
            }
            #expect(try server.files().isEmpty)
        }
    }

    @Test func aClientThatAsksFirstIsToldToGoOn() async throws {
        try await TestServer.run { server in
            let file = server.root + "/../partita-upload-\(UUID().uuidString).flac"
            try Data(try Recordings.short()).write(to: URL(fileURLWithPath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            // Would wait a minute and a half for "100 Continue" before it sends anyway.
            let (text, status) = try await output(of: [
                "curl", "-s", "--max-time", "45", "--expect100-timeout", "90", "-X", "POST",
                "-H", "Expect: 100-continue", "-H", "X-License-Key: \(server.key)",
                "-H", "Content-Disposition: attachment; filename=a.flac",
                "--data-binary", "@\(file)",
                "http://127.0.0.1:\(server.client.port)/api/v1/upload",
            ])
            #expect(status == 0)
            #expect(try JSON(parsing: Array(text.utf8))["name"] == "a.flac")
        }
    }
}

func chunked(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 50_000) {
        let piece = bytes[start..<min(start + 50_000, bytes.count)]
        output += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
    }
    return output + Array("0\r\n\r\n".utf8)
}

/// Waits for a condition, at most 10 seconds.
func eventually(
    _ condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while try !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("never came true", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
