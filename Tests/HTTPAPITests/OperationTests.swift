import Foundation
import HTTPAPI
import Tasks
import Testing

@Suite struct OperationTests {
    /// Every split: its presets as sent, and as `check` echoes them.
    static let splits: [(name: String, sent: String, echoed: JSON)] = [
        (
            "split/demuser/", #"{"stem":"music"}"#,
            [
                "task_type": "split", "label": "demuser", "splitter": "auto",
                "dereverb_enabled": false, "encoder_format": nil, "stem": "music",
            ]
        ),
        (
            "split/voice_clean/",
            #"{"stem":"voice","noise_cancelling_level":2,"splitter":"lynx","dereverb_enabled":true,"encoder_format":"ogg"}"#,
            [
                "task_type": "split", "label": "voice_clean", "splitter": "lynx",
                "dereverb_enabled": true, "encoder_format": "ogg", "stem": "voice",
                "noise_cancelling_level": 2,
            ]
        ),
        (
            "split/voice_clean", #"{"stem":"voice"}"#,
            [
                "task_type": "split", "label": "voice_clean", "splitter": "auto",
                "dereverb_enabled": false, "encoder_format": nil, "stem": "voice",
                "noise_cancelling_level": 0,
            ]
        ),
        (
            "split/multistem/",
            #"{"stem_list":["drum","vocals","drum"],"extraction_level":"clear_cut"}"#,
            [
                "task_type": "split", "label": "multistem", "splitter": "perseus",
                "dereverb_enabled": false, "encoder_format": nil,
                "stem_list": ["drum", "vocals"], "extraction_level": "clear_cut",
            ]
        ),
        (
            "change_voice/", #"{"voice_pack_id":"VETRANA"}"#,
            [
                "task_type": "voice_convert", "voice_pack_id": "VETRANA", "accent": .number(1),
                "tonality_reference": "source_file", "dereverb_enabled": false,
                "encoder_format": nil,
            ]
        ),
        (
            "change_voice/",
            #"{"voice_pack_id":"NIK_ZEL","accent":0,"tonality_reference":"voice_pack","encoder_format":"mp3"}"#,
            [
                "task_type": "voice_convert", "voice_pack_id": "NIK_ZEL", "accent": .number(0),
                "tonality_reference": "voice_pack", "dereverb_enabled": false,
                "encoder_format": "mp3",
            ]
        ),
    ]

    @Test(arguments: splits.indices)
    func everyKindOfTaskIsAcceptedAndEchoed(_ index: Int) async throws {
        let split = Self.splits[index]
        try await TestServer.run { server in
            let source = try await server.uploadedSource()
            let reply = try await server.post(
                "/api/v1/\(split.name)",
                #"{"source_id":"\#(source)","presets":\#(split.sent),"new_field":[1]}"#)
            #expect(reply.status == 200)
            let id = try #require(try reply.json["task_id"]?.stringValue, "\(reply.text)")
            let entry = try await server.check(id)
            #expect(try members(entry["presets"]) == members(split.echoed))
            #expect(entry["status"] == "progress")
            #expect(entry["source_id"]?.stringValue == source)
        }
    }

    private func members(_ json: JSON?) throws -> [String: JSON] {
        guard case .object(let members)? = json else { throw POSIXError(.EINVAL) }
        return Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) })
    }

    @Test func aVoiceMustBeKnown() async throws {
        try await TestServer.run { server in
            let source = try await server.uploadedSource()
            let reply = try await server.post(
                "/api/v1/change_voice/",
                #"{"source_id":"\#(source)","presets":{"voice_pack_id":"nobody"}}"#)
            #expect(reply.status == 400)
            #expect(
                try reply.json == [
                    "detail":
                        "There is no such voice. voice_packs/list/ names those that there are.",
                    "code": "voice_pack_not_found",
                ])
        }
    }

    @Test func voicesAreListed() async throws {
        try await TestServer.run { server in
            let reply = try await server.post("/api/v1/voice_packs/list/", "")
            guard case .array(let packs)? = try reply.json["packs"] else {
                Issue.record("\(reply.text)")
                return
            }
            #expect(
                packs.map { $0["pack_id"]?.stringValue ?? "" } == [
                    "ALEX_KAYE", "STASIA_FAYE", "NICOLAAS_HAAS", "NIK_ZEL", "OLIA_CHEBO",
                    "YVAR_DE_GROOT", "VETRANA",
                ])
            #expect(packs.allSatisfy { $0["ready_to_use"] == false }, "none is installed")
        }
    }

    /// Voices that are made on this server, for all licenses or for one; they need no restart.
    @Test func madeVoicesAreListedForWhoeverMayUseThem() async throws {
        try await TestServer.run { server in
            let mine = server.licence.id.uuidString.lowercased()
            for (id, name, license) in [
                ("VETRANA", "Vetrana", nil), ("everybodys", "Für alle", nil),
                ("mine", "Mine", mine), ("others", "Others", UUID().uuidString.lowercased()),
            ] {
                try server.install(voice: id, name, license: license)
            }
            func packs(_ key: String? = nil) async throws -> [String: JSON] {
                let reply = try await server.post("/api/v1/voice_packs/list/", "", key: key)
                guard case .array(let packs)? = try reply.json["packs"] else { return [:] }
                return Dictionary(
                    uniqueKeysWithValues: packs.map { ($0["pack_id"]?.stringValue ?? "", $0) })
            }
            let own = try await packs()
            let other = try await server.key()
            #expect(own.count == 9 && own["mine"] != nil && own["others"] == nil)
            #expect(
                own["everybodys"] == [
                    "pack_id": "everybodys", "name": "Für alle", "created": .integer(1_700_000_000),
                    "ready_to_use": true,
                ])
            #expect(own["VETRANA"]?["ready_to_use"] == true)
            #expect(own["NIK_ZEL"]?["ready_to_use"] == false)
            let theirs = try await packs(other)
            #expect(theirs.count == 8 && theirs["mine"] == nil)

            func status(_ pack: String, _ key: String? = nil) async throws -> Int {
                let source = try await server.uploadedSource(key: key)
                return try await server.post(
                    "/api/v1/change_voice/",
                    #"{"source_id":"\#(source)","presets":{"voice_pack_id":"\#(pack)"}}"#, key: key
                ).status
            }
            #expect(try await status("mine") == 200)
            #expect(try await status("everybodys", other) == 200)
            #expect(try await status("mine", other) == 400)
            #expect(try await status("others") == 400)
            try FileManager.default.removeItem(atPath: server.root + "/voice-packs/mine")
            #expect(try await status("mine") == 400)
        }
    }

    // MARK: Batches

    @Test func itemsOfABatchStandForThemselves() async throws {
        try await TestServer.run { server in
            let source = try await server.uploadedSource()
            let (unknown, key) = (UUID().uuidString.lowercased(), UUID().uuidString)
            func item(_ source: String, _ more: String = "") -> String {
                #"{"source_id":"\#(source)","presets":{"stem":"vocals"}\#(more)}"#
            }
            let used = #","idempotency_key":"\#(key)""#
            _ = try await server.post(
                "/api/v1/split/stem_separator/",
                #"{"source_id":"\#(source)","presets":{"stem":"drum"}\#(used)}"#)
            let items = [item(source), item(unknown), item(source, used), item(source)]
            let reply = try await server.post(
                "/api/v1/split/batch/stem_separator/",
                #"{"items":[\#(items.joined(separator: ","))]}"#)
            #expect(reply.status == 200)
            guard case .array(let results)? = try reply.json["results"] else {
                Issue.record("\(reply.text)")
                return
            }
            #expect(
                results.map { $0["status"]?.stringValue ?? "" } == [
                    "success", "error", "error", "success",
                ])
            #expect(
                results.map { $0["source_id"]?.stringValue ?? "" }
                    == [source, unknown, source, source])
            #expect(results[0]["task_id"] != results[3]["task_id"])
            #expect(
                results[1] == [
                    "status": "error",
                    "error":
                        "There is no such source file. It may have expired or been deleted; upload it again.",
                    "code": "source_not_found", "source_id": .string(unknown),
                ])
            #expect(results[2]["code"] == "idempotency_key_used")
            #expect(results[2]["error"] == "Idempotency key has already been used.")
        }
    }

    @Test func aBatchOfOneLicenceDoesNotHoldUpAnother() async throws {
        try await TestServer.run { server in
            let source = try await server.uploadedSource()
            let item = #"{"source_id":"\#(source)","presets":{"stem":"vocals"}}"#
            let items = Array(repeating: item, count: 50).joined(separator: ",")
            let batch = try await server.post(
                "/api/v1/split/batch/stem_separator/", #"{"items":[\#(items)]}"#)
            #expect(batch.text.components(separatedBy: "task_id").count == 51)
            try await server.finishTask(stem: [1])
            let key = try await server.key()
            let other = try await server.uploadedSource(key: key)
            let reply = try await server.post(
                "/api/v1/split/stem_separator/",
                #"{"source_id":"\#(other)","presets":{"stem":"vocals"}}"#, key: key)
            let next = try await server.store.lease(
                worker: "w", duration: 60, maximumAttempts: 3, now: server.clock.now)
            #expect(
                try next?.task.id.uuidString.lowercased() == reply.json["task_id"]?.stringValue)
        }
    }

    @Test(arguments: [("demuser", "music"), ("voice_clean", "voice")])
    func otherSplitsHaveBatchesToo(name: String, stem: String) async throws {
        try await TestServer.run { server in
            let source = try await server.uploadedSource()
            let item = #"{"source_id":"\#(source)","presets":{"stem":"\#(stem)"}}"#
            let items = Array(repeating: item, count: 100).joined(separator: ",")
            let reply = try await server.post(
                "/api/v1/split/batch/\(name)/", #"{"items":[\#(items)]}"#)
            #expect(reply.status == 200)
            #expect(reply.text.components(separatedBy: "task_id").count == 101)
        }
    }

    @Test func aLicenceMayExcludeBatches() async throws {
        try await TestServer.run { server in
            let key = try await server.key { $0.batches = false }
            let source = try await server.uploadedSource(key: key)
            let reply = try await server.post(
                "/api/v1/split/batch/stem_separator/",
                #"{"items":[{"source_id":"\#(source)","presets":{"stem":"vocals"}}]}"#, key: key)
            #expect(reply.status == 200)
            #expect(
                try reply.json == [
                    "results": [
                        [
                            "status": "error",
                            "error": "This license does not include batches.",
                            "code": "batch_not_avaliable", "source_id": .string(source),
                        ]
                    ]
                ])
        }
    }

    // MARK: Minutes

    @Test func minutesAreReservedForEachStemAndGivenBack() async throws {
        try await TestServer.run { server in
            // The recording has 5.333 s: 5334 ms are charged, for each stem.
            let key = try await server.key(minutes: 4 * 5334) { $0.metered = true }
            func left() async throws -> JSON? {
                try await server.post("/api/v1/limits/minutes_left/", "", key: key)
                    .json["minutes_left"]
            }
            #expect(try await left() == .number(4 * 5334.0 / 60_000))
            let source = try await server.uploadedSource(key: key)
            let body =
                #"{"source_id":"\#(source)","presets":{"stem_list":["vocals","drum","bass"]}}"#
            let reply = try await server.post("/api/v1/split/multistem/", body, key: key)
            #expect(reply.status == 200)
            #expect(try await left() == .number(5334.0 / 60_000))

            let refused = try await server.post("/api/v1/split/multistem/", body, key: key)
            #expect(refused.status == 400)
            #expect(
                try refused.json == [
                    "detail": "The task needs 0.27 minutes, and the license has 0.09 left.",
                    "code": "exceeded_duration",
                ])
            let id = try #require(try reply.json["task_id"]?.stringValue)
            let cancelled = try await server.post(
                "/api/v1/cancel/", #"{"task_ids":["\#(id)"]}"#, key: key)
            #expect(cancelled.text == #"{"result":{"\#(id)":{"status":"success"}}}"#)
            #expect(try await left() == .number(4 * 5334.0 / 60_000))
        }
    }

    @Test func aLicenceWithoutLimitHasManyMinutes() async throws {
        try await TestServer.run { server in
            let reply = try await server.post("/api/v1/limits/minutes_left/", "")
            #expect(try reply.json == ["minutes_left": .number(1_000_000)])
        }
    }

    @Test func filesBeyondTheLicenceAreRefused() async throws {
        try await TestServer.run { server in
            let short = try await server.key { $0.maximumDuration = 1 }
            let source = try await server.uploadedSource(key: short)
            let long = try await server.post(
                "/api/v1/split/stem_separator/",
                #"{"source_id":"\#(source)","presets":{"stem":"vocals"}}"#, key: short)
            #expect(
                try long.json == [
                    "detail": "The file is longer than this license allows (0.02 minutes).",
                    "code": "max_duration",
                ])
            let small = try await server.key { $0.maximumSize = 1000 }
            let large = try await server.upload(try Recordings.short(), key: small)
            #expect(large.status == 400)
            #expect(
                try large.json == [
                    "detail": "The file is larger than this license allows (1000 bytes).",
                    "code": "exceeded_size",
                ])
            #expect(try server.files().count == 1, "the first upload")
        }
    }

    @Test func aHundredEqualRequestsAreOneTaskAndOneCharge() async throws {
        try await TestServer.run { server in
            let key = try await server.key(minutes: 600_000) { $0.metered = true }
            let source = try await server.uploadedSource(key: key)
            let body =
                #"{"source_id":"\#(source)","presets":{"stem":"vocals"},"idempotency_key":"\#(UUID())"}"#
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        let reply = try await server.post(
                            "/api/v1/split/stem_separator/", body, key: key)
                        return try reply.json["task_id"]?.stringValue ?? reply.text
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            let reply = try await server.post("/api/v1/limits/minutes_left/", "", key: key)
            #expect(try reply.json["minutes_left"] == .number((600_000 - 5334) / 60_000))
        }
    }

    // MARK: Cancelling and deleting

    @Test func cancellingAnswersForEachTask() async throws {
        try await TestServer.run { server in
            let done = try await server.splitTask()
            try await server.finishTask(stem: [1])
            let open = try await server.splitTask()
            let unknown = UUID().uuidString.lowercased()
            let body = #"{"task_ids":["\#(open)","\#(done)","\#(unknown)"]}"#
            let foreign = try await server.post(
                "/api/v1/cancel/", body, key: try await server.key())
            let denied: JSON = ["status": "server_error", "error": "Permission denied"]
            #expect(
                try foreign.json == [
                    "result": .object([
                        .init(open, denied), .init(done, denied), .init(unknown, denied),
                    ])
                ])
            let reply = try await server.post("/api/v1/cancel", body)
            #expect(
                try reply.json == [
                    "result": .object([
                        .init(open, ["status": "success"]),
                        .init(
                            done,
                            [
                                "status": "server_error",
                                "error": "Task is not in progress state",
                            ]),
                        .init(unknown, denied),
                    ])
                ])
            #expect(try await server.check(open)["status"] == "cancelled")
        }
    }

    @Test func allOpenTasksAreCancelled() async throws {
        try await TestServer.run { server in
            _ = try await server.splitTask()
            try await server.finishTask(stem: [1])
            let open = [try await server.splitTask(), try await server.splitTask()]
            let reply = try await server.post("/api/v1/cancel/all/", "")
            let success: JSON = ["status": "success"]
            #expect(
                try reply.json
                    == ["result": .object(open.map { .init($0, success) })])
            #expect(try await server.post("/api/v1/cancel/all/", "").text == #"{"result":{}}"#)
        }
    }

    @Test func deletingTakesTheFilesAndLeavesTheRecords() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask()
            try await server.finishTask(stem: [1, 2, 3])
            let entry = try await server.check(id)
            let source = try #require(entry["source_id"]?.stringValue)
            guard case .array(let tracks)? = entry["result"]?["tracks"] else {
                Issue.record("\(entry)")
                return
            }
            let url = try #require(tracks[0]["url"]?.stringValue)
            let path = String(url[try #require(url.firstRange(of: "/download")).lowerBound...])
            #expect(try await server.client.send("GET", path).status == 200)
            #expect(try server.files().count == 3)

            let body = #"{"source_id":"\#(source)"}"#
            let foreign = try await server.post(
                "/api/v1/delete/", body, key: try await server.key())
            #expect(foreign.status == 400)
            #expect(try foreign.json["code"] == "source_not_found")
            let reply = try await server.post("/api/v1/delete/", body)
            #expect(reply.status == 200)
            #expect(reply.text == "{}")
            #expect(try server.files().isEmpty)
            #expect(try await server.check(id)["status"] == "success")
            #expect(try await server.client.send("GET", path).status == 404)
            let again = try await server.post("/api/v1/delete/", body)
            #expect(try again.json["code"] == "source_not_found")
            #expect(
                try again.json["detail"]
                    == "There is no such source file. It may have expired or been deleted; upload it again."
            )
        }
    }

    @Test func aRevokedKeyStartsNothingAndIsUnknownWithinASecond() async throws {
        try await TestServer.run { server in
            let source = try await server.uploadedSource()
            #expect(
                try await server.store.revoke(licence: server.licence.id, now: server.clock.now))
            let start = try await server.post(
                "/api/v1/split/demuser/",
                #"{"source_id":"\#(source)","presets":{"stem":"music"}}"#)
            #expect(start.status == 403)
            server.clock.advance(by: 1)
            let reply = try await server.post("/api/v1/check/", #"{"task_ids":[]}"#)
            #expect(reply.status == 403)
            #expect(
                try reply.json["detail"]
                    == "The license key in the 'X-License-Key' header is not known to this server")
        }
    }
}
