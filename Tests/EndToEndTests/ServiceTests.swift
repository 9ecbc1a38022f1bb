import Foundation
import FoundationNetworking
import TestSupport
import Testing

/// The main job, through the real server: upload, split, check, download.
@Suite(.serialized) final class ServiceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"

    @Test(arguments: [
        ("song.mp3", ["-t", "20", "-ar", "44100", "-b:a", "192k"], "44100,2,24"),
        ("söng.flac", ["-t", "12", "-ar", "48000", "-sample_fmt", "s32"], "48000,2,24"),
    ])
    func aSongGoesThrough(_ name: String, _ arguments: [String], _ expected: String) async throws {
        let server = try TestServer()
        let file = try folder.make(name, from: Self.song, arguments)
        let task = try await server.split(file, stem: "vocals", name: name)
        var progress: [Int] = []
        let state = try await server.wait(for: task) { state in
            if let value = state["progress"] as? Int { progress.append(value) }
            return state["status"] as? String != "progress"
        }
        #expect(state["status"] as? String == "success", "\(state)")
        #expect(progress == progress.sorted() && progress.allSatisfy { $0 < 100 })
        let tracks = try await server.tracks(state)
        let (stem, back) = (try #require(tracks["vocals"]), try #require(tracks["no_vocals"]))
        #expect(try properties(stem) == expected)
        #expect(try properties(back) == expected)
        try expectSum(stem: stem, back: back, source: file)
        #expect(server.stop() == 0)
        #expect(server.workers.isEmpty)
    }

    /// Voice clean and demuser: tracks with the names of the API that sum to the source.
    @Test(
        arguments: [
            ("voice_clean", ["stem": "voice", "noise_cancelling_level": 1], "voice"),
            ("demuser", ["stem": "music"], "music"),
        ] as [(String, [String: any Sendable], String)])
    func speechGoesThrough(
        operation: String, presets: [String: any Sendable], label: String
    ) async throws {
        let server = try TestServer()
        let file = try folder.make(
            "talk.flac", from: "speech/joe_en_m_city_5dB/noisy.flac", ["-t", "5"])
        let source = try await server.upload(file, name: "talk.flac")
        let task = try await server.post(
            "split/\(operation)/",
            [
                "source_id": source.json["id"]!,
                "presets": presets.merging(["encoder_format": "wav"]) { a, _ in a },
            ])
        try #require(task.status == 200, "\(task.json)")
        let state = try await server.waitForEnd(try #require(task.json["task_id"] as? String))
        #expect(state["status"] as? String == "success", "\(state)")
        let tracks = try await server.tracks(state)
        #expect(Set(tracks.keys) == [label, "no_\(label)"])
        try expectSum(stem: tracks[label]!, back: tracks["no_\(label)"]!, source: file)
    }

    /// A stem of the second stage, and the sum of two.
    @Test(arguments: ["strings", "guitar"])
    func instrumentsAreStems(_ stem: String) async throws {
        let server = try TestServer()
        let file = try folder.make("song.flac", from: Self.song, ["-ss", "20", "-t", "6"])
        let state = try await server.waitForEnd(try await server.split(file, stem: stem))
        #expect(state["status"] as? String == "success", "\(state)")
        let tracks = try await server.tracks(state)
        try expectSum(stem: tracks[stem]!, back: tracks["no_\(stem)"]!, source: file)
    }

    @Test func aKilledWorkerLosesNothing() async throws {
        let server = try TestServer()
        let file = try folder.make("song.mp3", from: Self.song, ["-t", "40"])
        let task = try await server.split(file, stem: "vocals")
        _ = try await server.wait(for: task) { ($0["progress"] as? Int ?? 100) > 5 }
        let worker = try #require(server.workers.first)
        kill(worker, SIGKILL)
        let state = try await server.waitForEnd(task)
        #expect(state["status"] as? String == "success", "\(state)")
        let tracks = try await server.tracks(state)
        try expectSum(stem: tracks["vocals"]!, back: tracks["no_vocals"]!, source: file)
        #expect(server.workers.first != worker)
        #expect(server.files.count == 9, "the source, two tracks and theirs: \(server.files)")
    }

    @Test func aKilledServerLosesNothing() async throws {
        let server = try TestServer()
        let file = try folder.make("song.mp3", from: Self.song, ["-t", "40"])
        let task = try await server.split(file, stem: "vocals")
        _ = try await server.wait(for: task) { ($0["progress"] as? Int ?? 100) > 5 }
        server.crash()
        // The workers end with their server.
        for _ in 0..<100 where !server.workers.isEmpty {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(server.workers.isEmpty)
        try server.start()
        let state = try await server.waitForEnd(task)
        #expect(state["status"] as? String == "success", "\(state)")
        let tracks = try await server.tracks(state)
        try expectSum(stem: tracks["vocals"]!, back: tracks["no_vocals"]!, source: file)
        #expect(server.files.count == 9, "the source, two tracks and theirs: \(server.files)")
    }

    /// As browsers record: the file does not say how long it is.
    @Test(arguments: ["webm", "flac"])
    func recordingsWithoutADeclaredLengthHaveOne(_ format: String) async throws {
        let server = try TestServer()
        let song = try folder.make("song.wav", from: Self.song, ["-t", "4"])
        let piped = try run("ffmpeg", ["-v", "error", "-i", song.path, "-f", format, "pipe:1"])
        let file = try folder.write("piped.\(format)", piped.output)
        let answer = try await server.upload(file, name: "piped.\(format)")
        #expect(answer.status == 200)
        #expect(abs((answer.json["duration"] as? Double ?? 0) - 4) < 0.05, "\(answer.json)")
    }

    @Test func whatIsNoRecordingIsRefusedAndNothingStays() async throws {
        let server = try TestServer()
        let secret = try folder.write("secret.txt", "a secret of the server")
        let bad: [(String, Data)] = [
            ("text.mp3", Data("This is a letter, not a song.\n".utf8)),
            ("empty.mp3", Data()),
            (
                "list.m3u8",
                Data("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n\(secret.path)\n".utf8)
            ),
            ("script.ffconcat", Data("ffconcat version 1.0\nfile '\(secret.path)'\n".utf8)),
        ]
        for (name, content) in bad {
            let file = try folder.write(name, content)
            let answer = try await server.upload(file, name: name)
            #expect(answer.status == 400, "\(name)")
            #expect(answer.json["code"] is String && answer.json["detail"] is String, "\(name)")
            #expect(!"\(answer.json)".contains("secret"), "\(name)")
        }
        #expect(server.files.isEmpty)

        // A truncated file shows only when it is decoded.
        let whole = try folder.make("song.flac", from: Self.song, ["-t", "10"])
        let bytes = try Data(contentsOf: whole)
        let cut = try folder.write("cut.flac", bytes.prefix(bytes.count / 2))
        let task = try await server.split(cut, stem: "vocals", name: "cut.flac")
        let state = try await server.waitForEnd(task)
        #expect((state["error"] as? [String: Any])?["code"] as? String == "truncated_media")
        #expect(server.files.count == 1, "only the source stays, until it expires")

        // The server is unharmed.
        let good = try folder.make("song.mp3", from: Self.song, ["-t", "3"])
        let next = try await server.waitForEnd(try await server.split(good, stem: "vocals"))
        #expect(next["status"] as? String == "success")
    }

    @Test func whatTheOperatorSetsHolds() async throws {
        let server = try TestServer([
            "--max-upload", "100000", "--allowed-origins", "https://a.example, https://b.example",
            "--public-url", "https://stems.example/x", "--workers", "0",
        ])
        let big = try folder.make("big.wav", from: Self.song, ["-t", "5"])
        let answer = try await server.upload(big, name: "big.wav")
        #expect(answer.status == 400 && answer.json["code"] as? String == "exceeded_size")
        for (origin, isAllowed) in [("https://b.example", true), ("https://c.example", false)] {
            var request = URLRequest(url: URL(string: "\(server.address)/healthz")!)
            request.setValue(origin, forHTTPHeaderField: "Origin")
            let (_, response) = try await URLSession.shared.data(for: request)
            let header = (response as? HTTPURLResponse)?
                .value(forHTTPHeaderField: "Access-Control-Allow-Origin")
            #expect((header == origin) == isAllowed)
        }
    }

    @Test(arguments: [
        ("0", ["database", "disk", "files"]), ("1", ["database", "disk", "files", "models"]),
    ])
    func aServerThatCanWorkSaysSo(workers: String, checks: [String]) async throws {
        let server = try TestServer([
            "--workers", workers, "--public-url", "https://stems.example/x",
        ])
        for path in ["/readyz", "/x/readyz"] {
            let url = URL(string: server.address + path)!
            let (body, response) = try await URLSession.shared.data(from: url)
            #expect((response as? HTTPURLResponse)?.statusCode == 200)
            let json = try JSONSerialization.jsonObject(with: body) as? [String: Any]
            #expect(json?["status"] as? String == "ok")
            let found = json?["checks"] as? [String: String]
            #expect(found?.keys.sorted() == checks)
            #expect(found?.values.allSatisfy { $0 == "ok" } == true)
        }
    }

    @Test func noKeyNoService() async throws {
        let server = try TestServer()
        var request = URLRequest(url: URL(string: "\(server.address)/api/v1/check/")!)
        request.httpMethod = "POST"
        let (body, response) = try await URLSession.shared.data(for: request)
        #expect((response as? HTTPURLResponse)?.statusCode == 403)
        let json = try JSONSerialization.jsonObject(with: body) as? [String: String]
        #expect(json == ["detail": "Provide license key in 'X-License-Key' header"])
        let permissions = try FileManager.default.attributesOfItem(
            atPath: server.data.appendingPathComponent("license.key").path)[.posixPermissions]
        #expect((permissions as? NSNumber)?.intValue == 0o600)
    }
}
