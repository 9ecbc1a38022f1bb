import Foundation
import TestSupport
import Testing

/// What a worker needs when it has had tasks for every pack.
@Suite struct WorkerMemoryTests {
    /// One worker, one task after another: six stems, and everything that runs several networks on voices.
    @Test func everyPackFitsInto800Megabytes() async throws {
        let folder = try TemporaryFolder()
        let server = try TestServer(["--workers", "1"])
        let file = try folder.make(
            "song.flac", from: ServiceTests.song, ["-ss", "10", "-t", "20"])
        let source = try await server.upload(file, name: "song.flac")
        let id = try #require(source.json["id"] as? String)
        let stems = [
            "vocals", "drum", "bass", "piano", "electric_guitar", "acoustic_guitar",
        ]
        let tasks: [(String, [String: any Sendable])] = [
            ("split/multistem/", ["stem_list": stems, "dereverb_enabled": true]),
            (
                "split/stem_separator/",
                ["stem": "vocals", "multivocal": "lead_back", "dereverb_enabled": true]
            ),
            ("split/voice_clean/", ["stem": "voice", "dereverb_enabled": true]),
            ("split/demuser/", ["stem": "music", "dereverb_enabled": true]),
            ("change_voice/", ["voice_pack_id": "ALEX_KAYE", "dereverb_enabled": true]),
        ]
        for (path, presets) in tasks {
            let task = try await server.post(path, ["source_id": id, "presets": presets])
            try #require(task.status == 200, "\(path): \(task.json)")
            let state = try await server.waitForEnd(
                try #require(task.json["task_id"] as? String))
            #expect(state["status"] as? String == "success", "\(path): \(state)")
        }
        let worker = try #require(server.workers.first)
        let status = try String(contentsOfFile: "/proc/\(worker)/status", encoding: .utf8)
        let peak = try #require(
            status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?
                .split(separator: " ").dropFirst().first.flatMap { Int($0) })
        print("Peak memory of a worker: \(peak / 1000) MB")
        #expect(peak < 800_000)
    }
}
