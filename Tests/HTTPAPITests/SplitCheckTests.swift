import Foundation
import HTTPAPI
import Tasks
import Testing

@Suite struct SplitCheckTests {
    private static let defaults: JSON = [
        "task_type": "split", "label": "stem_separator", "splitter": "perseus",
        "dereverb_enabled": false, "encoder_format": nil, "stem": "vocals", "multivocal": nil,
        "extraction_level": "deep_extraction",
    ]

    @Test func aTaskIsFollowedFromTheQueueToItsTracks() async throws {
        try await TestServer.run { server in
            let source = try await server.uploadedSource()
            let reply = try await server.post(
                "/api/v1/split/stem_separator/",
                #"{"source_id":"\#(source)","presets":{"stem":"vocals"},"extra":{"x":[1]}}"#)
            #expect(reply.status == 200)
            let id = try #require(try reply.json["task_id"]?.stringValue)
            #expect(id == id.lowercased() && UUID(uuidString: id) != nil)

            #expect(
                try await server.check(id) == [
                    "source_id": .string(source), "presets": Self.defaults,
                    "status": "progress", "progress": 0,
                ])
            try await server.finishTask(stem: Array("RIFF".utf8))
            let entry = try await server.check(id)
            guard case .object(let members) = entry else { Issue.record("\(entry)"); return }
            #expect(members.map(\.name) == ["source_id", "presets", "status", "result"])
            #expect(entry["status"] == "success")
            #expect(entry["presets"] == Self.defaults)
            #expect(entry["result"]?["duration"] == 2)
            guard case .array(let tracks)? = entry["result"]?["tracks"] else {
                Issue.record("\(entry)")
                return
            }
            #expect(tracks.map { $0["label"] } == ["vocals", "no_vocals"])
            #expect(tracks.map { $0["type"] } == ["stem", "back"])
            for track in tracks {
                guard case .object(let members) = track else { continue }
                #expect(
                    members.map(\.name) == [
                        "type", "label", "url", "playlist_file", "name", "size", "waveform",
                    ])
                #expect(track["playlist_file"] == .null)
                #expect(track["waveform"] == .null)
                #expect(track["size"] == 4)
                let start = "http://localhost:\(server.client.port)/download/"
                #expect(track["url"]?.stringValue?.hasPrefix(start) == true)
            }
        }
    }

    @Test func everyPresetIsEchoed() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask(
                #"""
                {"stem":"electric_guitar","splitter":"orion","dereverb_enabled":true,
                 "encoder_format":"flac","multivocal":"lead_back","extraction_level":"clear_cut"}
                """#)
            #expect(
                try await server.check(id)["presets"] == [
                    "task_type": "split", "label": "stem_separator", "splitter": "orion",
                    "dereverb_enabled": true, "encoder_format": "flac",
                    "stem": "electric_guitar", "multivocal": "lead_back",
                    "extraction_level": "clear_cut",
                ])
        }
    }

    @Test(arguments: Stem.allCases)
    func everyStemIsAccepted(stem: Stem) async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask(#"{"stem":"\#(stem.rawValue)"}"#)
            let entry = try await server.check(id)
            #expect(entry["presets"]?["stem"] == JSON(stem))
            #expect(
                entry["presets"]?["splitter"] == (stem == .vocals ? "perseus" : "auto"),
                "who serves it, or what was asked for where nobody does")
        }
    }

    @Test func aFailedTaskIsA200() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask(#"{"stem":"wind"}"#)
            let now = server.clock.now
            let lease = try #require(
                try await server.store.lease(
                    worker: "w", duration: 60, maximumAttempts: 3, now: now))
            try await server.store.renew(lease, duration: 60, progress: 42, now: now)
            #expect(try await server.check(id)["progress"] == 42)
            try await server.store.fail(
                lease,
                failure: TaskFailure(code: "not_installed", detail: "No model has wind."),
                now: now)
            let entry = try await server.check(id)
            #expect(entry["status"] == "error")
            #expect(
                entry["error"]
                    == ["detail": "No model has wind.", "code": "not_installed", "id": nil])
        }
    }

    @Test func unknownForeignAndOldTasksAreServerErrorsBesideTheOthers() async throws {
        try await TestServer.run { server in
            let old = try await server.splitTask()
            server.clock.advance(by: 24 * 3600 - 5)
            #expect(try await server.check(old)["status"] == "progress")
            server.clock.advance(by: 10)
            let new = try await server.splitTask()
            let (_, otherKey) = try await server.service.createLicence(name: "other")
            let unknown = UUID().uuidString.lowercased()
            let body = #"{"task_ids":["\#(old)","\#(unknown)","\#(new.uppercased())","\#(new)"]}"#
            let reply = try await server.post("/api/v1/check/", body)
            #expect(reply.status == 200)
            guard case .object(let entries)? = try reply.json["result"] else {
                Issue.record("\(reply.text)")
                return
            }
            #expect(entries.map(\.name) == [old, unknown, new])
            #expect(
                entries.map(\.value["status"]) == ["server_error", "server_error", "progress"])
            #expect(entries[0].value["error"]?.stringValue?.isEmpty == false)

            let foreign = try await server.client.send(
                "POST", "/api/v1/check/", [("X-License-Key", otherKey.rawValue)],
                body: Array(body.utf8))
            #expect(try foreign.json["result"]?[new]?["status"] == "server_error")
        }
    }

    @Test func aSourceMustBeThere() async throws {
        try await TestServer.run { server in
            let source = try await server.uploadedSource()
            func split(_ id: String) async throws -> Reply {
                try await server.post(
                    "/api/v1/split/stem_separator/",
                    #"{"source_id":"\#(id)","presets":{"stem":"vocals"}}"#)
            }
            let unknown = try await split(UUID().uuidString)
            #expect(unknown.status == 400)
            #expect(try unknown.json["code"] == "source_not_found")
            #expect(try unknown.json["detail"]?.stringValue?.contains("upload") == true)
            server.clock.advance(by: 24 * 3600 + 1)
            #expect(try await split(source).status == 400)
        }
    }

    @Test func anIdempotencyKeyStandsForOneTask() async throws {
        try await TestServer.run { server in
            let source = try await server.uploadedSource()
            let key = UUID().uuidString
            func split(_ stem: String) async throws -> Reply {
                try await server.post(
                    "/api/v1/split/stem_separator/",
                    #"""
                    {"source_id":"\#(source)","presets":{"stem":"\#(stem)"},
                     "idempotency_key":"\#(key)"}
                    """#)
            }
            let first = try await split("vocals")
            #expect(try await split("vocals").json == first.json)
            let other = try await split("drum")
            #expect(other.status == 400)
            #expect(
                try other.json == [
                    "detail": "Idempotency key has already been used.",
                    "code": "idempotency_key_used",
                ])
            try await server.finishTask(stem: [1])
            #expect(try await split("vocals").json["code"] == "idempotency_key_used")
        }
    }
}
