import Foundation
import TestSupport
import Testing

/// `partita voice-packs` and `partita change-voice`, alone and beside a server that runs.
@Suite(.serialized) final class VoiceTests {
    private let folder: TemporaryFolder
    static let singer = "solo/vocadito_1_singing.flac"

    init() throws { folder = try TemporaryFolder() }

    /// What a command says on both outputs.
    private func partita(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let finished = try run(
            "sh", ["-c", "exec \"$0\" \"$@\" 2>&1", TestServer.program.path] + arguments)
        return (finished.status, String(decoding: finished.output, as: UTF8.self))
    }

    private func create(_ recording: String, data: URL, _ more: [String] = []) throws -> String {
        let made = try partita(
            [
                "voice-packs", "create", "--name", "Sängerin", "--quiet", "--data", data.path,
                Repository.recordings.appendingPathComponent(recording).path,
            ] + more)
        try #require(made.status == 0, "\(made.text)")
        return made.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func list(data: URL) throws -> [[String: Any]] {
        let listed = try partita(["voice-packs", "list", "--json", "--data", data.path])
        let json = try JSONSerialization.jsonObject(with: Data(listed.text.utf8))
        return try #require(json as? [[String: Any]], "\(listed.text)")
    }

    @Test func aVoiceIsMadeUsedAndRemoved() throws {
        let data = folder.file("data")
        let id = try create(Self.singer, data: data)
        let made = try #require(try list(data: data).first { $0["id"] as? String == id })
        #expect(made["name"] as? String == "Sängerin" && made["license"] == nil)
        #expect(try #require(made["median_hz"] as? Double) > 60)

        let talk = try folder.make(
            "talk.flac", from: "speech/joe_en_m_city_5dB/clean.flac", ["-t", "5"])
        let out = folder.file("out")
        let arguments = [
            "change-voice", talk.path, "--pack", id, "--data", data.path, "--out", out.path,
            "--tonality", "voice_pack", "--accent", "0.5", "--quiet",
        ]
        let changed = try partita(arguments)
        #expect(changed.status == 0, "\(changed.text)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: out.path)
                == ["talk_converted_mix.flac"])
        let source = try decode(talk, channels: 1)
        let result = try decode(
            out.appendingPathComponent("talk_converted_mix.flac"), channels: 1)
        #expect(result[0].count == source[0].count)
        #expect(difference(result, source) > -15, "it is another voice")
        #expect(try partita(arguments).status == 1, "nothing is overwritten")

        #expect(try partita(["voice-packs", "remove", id, "--data", data.path]).status == 0)
        #expect(try list(data: data).allSatisfy { $0["id"] as? String != id })
        let gone = try partita(arguments + ["--force"])
        #expect(gone.status == 1 && gone.text.contains("There is no voice pack “\(id)”."))
    }

    @Test func whatIsNoVoiceIsRefused() throws {
        let data = folder.file("data")
        let still = try folder.make("still.wav", ["-f", "lavfi", "-i", "anullsrc=d=30"])
        let made = try partita([
            "voice-packs", "create", "--name", "N", "--quiet", "--data", data.path, still.path,
        ])
        #expect(made.status == 1 && made.text.contains("still.wav is silent."), "\(made.text)")
        #expect(try list(data: data).allSatisfy { $0["name"] as? String != "N" })

        let id = try create(Self.singer, data: data)
        let out = folder.file("out")
        let piano = try folder.make(
            "piano.wav", from: "full_mixes/helland_leaving_millie_live_piano.opus", ["-t", "4"])
        let changed = try partita([
            "change-voice", piano.path, "--pack", id, "--data", data.path, "--out", out.path,
        ])
        #expect(changed.status == 1)
        #expect(changed.text.contains("There is no voice in the recording."), "\(changed.text)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: out.path).isEmpty)
    }

    private func add(_ voice: String, data: URL, _ more: [String] = []) throws -> (
        status: Int32, text: String
    ) {
        let networks = Repository.root.appendingPathComponent("Tests/Fixtures/neural-voice")
        return try partita(
            [
                "voice-packs", "add", "--name", "Summer", "--data", data.path,
                "--voice", networks.appendingPathComponent(voice).path,
                "--content", networks.appendingPathComponent("content.onnx").path,
            ] + more)
    }

    /// A neural voice that is added while a server runs, for one license alone.
    @Test func aNeuralVoiceIsAddedUsedAndRemoved() async throws {
        let server = try TestServer()
        let refused = try add("README.md", data: server.data)
        #expect(refused.status == 1 && refused.text.contains("README.md is not an ONNX file"))
        let none = try? FileManager.default.contentsOfDirectory(
            atPath: server.data.appendingPathComponent("voice-packs").path)
        #expect(none ?? [] == [])

        let added = try add(
            "webui.onnx", data: server.data, ["--license", "default", "--pitch", "220"])
        #expect(added.status == 0, "\(added.text)")
        let id = added.text.trimmingCharacters(in: .whitespacesAndNewlines)
        let made = try #require(try list(data: server.data).first { $0["id"] as? String == id })
        #expect(made["kind"] as? String == "rvc" && made["median_hz"] as? Double == 220)
        #expect(made["license"] is String && made["voiced_seconds"] == nil)
        let listed = try await server.post("voice_packs/list/", [:])
        let packs = try #require(listed.json["packs"] as? [[String: Any]])
        let pack = try #require(packs.first { $0["pack_id"] as? String == id })
        #expect(pack["name"] as? String == "Summer" && pack["ready_to_use"] as? Bool == true)

        let talk = try folder.make(
            "talk.flac", from: "speech/joe_en_m_city_5dB/clean.flac", ["-t", "4"])
        let source = try await server.upload(talk, name: "talk.flac")
        let task = try await server.post(
            "change_voice/",
            ["source_id": source.json["id"]!, "presets": ["voice_pack_id": id]])
        try #require(task.status == 200, "\(task.json)")
        let state = try await server.waitForEnd(try #require(task.json["task_id"] as? String))
        #expect(state["status"] as? String == "success", "\(state)")
        let track = try #require(try await server.tracks(state)["converted_mix"])
        let sung = try decode(track, channels: 1)
        #expect(sung[0].count == 4 * 48_000)

        let out = folder.file("out")
        let changed = try partita([
            "change-voice", talk.path, "--pack", id, "--data", server.data.path, "--quiet",
            "--out", out.path,
        ])
        #expect(changed.status == 0, "\(changed.text)")
        let result = try decode(
            out.appendingPathComponent("talk_converted_mix.flac"), channels: 1)
        #expect(result[0].count == 4 * 48_000)
        #expect(difference(result, try decode(talk, channels: 1)) > -15, "it is another voice")
        #expect(try partita(["voice-packs", "remove", id, "--data", server.data.path]).status == 0)
        #expect(try list(data: server.data).allSatisfy { $0["id"] as? String != id })
    }

    @Test(arguments: [
        ["change-voice", "a.wav", "--pack", "x", "--out", "/tmp/x", "--accent", "1.5"],
        ["change-voice", "a.wav", "--out", "/tmp/x"],
        ["change-voice", "a.wav", "--pack", "x", "--out", "/tmp/x", "--tonality", "mine"],
        ["voice-packs", "create", "a.wav"], ["voice-packs", "create", "--name", " ", "a.wav"],
        ["voice-packs", "create", "--name", "x"], ["voice-packs", "remove"],
        ["voice-packs", "add", "--name", "x", "--voice", "a.onnx"],
        ["voice-packs", "add", "--name", " ", "--voice", "a.onnx", "--content", "b.onnx"],
        ["voice-packs", "add", "--name", "x", "--voice", "a", "--content", "b", "--pitch", "5"],
        ["voice-packs", "add", "--name", "x", "--voice", "a", "--content", "b", "--seed", "-1"],
    ])
    func wrongUsageIsTwo(arguments: [String]) throws {
        #expect(try partita(arguments).status == 2)
    }

    /// A voice that is made while a server runs, for one license alone.
    @Test func aRunningServerOffersWhatIsMade() async throws {
        let server = try TestServer()
        let id = try create(Self.singer, data: server.data, ["--license", "default"])
        let listed = try await server.post("voice_packs/list/", [:])
        let packs = try #require(listed.json["packs"] as? [[String: Any]])
        let pack = try #require(packs.first { $0["pack_id"] as? String == id })
        #expect(pack["name"] as? String == "Sängerin" && pack["ready_to_use"] as? Bool == true)

        let talk = try folder.make(
            "talk.flac", from: "speech/joe_en_m_city_5dB/clean.flac", ["-t", "4"])
        let source = try await server.upload(talk, name: "talk.flac")
        let task = try await server.post(
            "change_voice/",
            ["source_id": source.json["id"]!, "presets": ["voice_pack_id": id]])
        try #require(task.status == 200, "\(task.json)")
        let state = try await server.waitForEnd(try #require(task.json["task_id"] as? String))
        #expect(state["status"] as? String == "success", "\(state)")
        let track = try #require(try await server.tracks(state)["converted_mix"])
        #expect(try decode(track, channels: 1)[0].count == 4 * 48_000)

        let other = try partita(["license", "create", "Other", "--data", server.data.path])
        server.key = other.text.trimmingCharacters(in: .whitespacesAndNewlines)
        let theirs = try await server.post("voice_packs/list/", [:])
        let names = (theirs.json["packs"] as? [[String: Any]])?.map { $0["pack_id"] as? String }
        #expect(try #require(names).contains(id) == false)
    }
}
