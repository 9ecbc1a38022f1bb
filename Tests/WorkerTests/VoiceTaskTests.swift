import Foundation
import Media
import Tasks
import TestSupport
import Testing
import VoiceChange
import Worker

/// Voice changes as tasks.
@Suite(.serialized) final class VoiceTaskTests {
    private let files: TemporaryFolder

    init() throws { files = try TemporaryFolder() }

    private func outcome(
        _ pack: String, of recording: URL, in data: DataFolder, changes: Bool = true
    ) async throws -> SplitTask {
        let id = try await data.submit(
            recording, .voiceChange(VoiceChangePresets(voicePack: pack, encoderFormat: .wav)))
        #expect(try await data.worker(networks: changes ? voiceNetworks.get() : nil).workOnce())
        return try await data.task(id)
    }

    private func speech() throws -> URL {
        try files.make("\(UUID()).flac", from: "speech/joe_en_m_city_5dB/clean.flac", ["-t", "5"])
    }

    /// A pack that appears while a worker runs is there for the next task.
    @Test func aTaskGivesTheTrackOfTheContract() async throws {
        let data = try await DataFolder()
        let pack = try await MadeVoices.singer.value
        let id = pack.manifest.id
        let before = try await outcome(id, of: speech(), in: data)
        #expect(
            before.failure
                == TaskFailure(
                    code: "unknown_voice_pack", detail: "There is no voice pack “\(id)”."))
        try VoiceLibrary.add(pack, to: data.voices)
        let task = try await outcome(id, of: speech(), in: data)
        #expect(task.status == .success, "\(String(describing: task.failure))")
        #expect(task.tracks.map(\.label) == ["converted_mix"])
        #expect(task.tracks.map(\.kind) == [.back])
        #expect(task.tracks.map(\.name) == ["Mein Lied_converted_mix.wav"])
        #expect(task.duration == 5)
        #expect(try FileManager.default.contentsOfDirectory(atPath: data.blobs.scratch).isEmpty)
    }

    @Test func whereNobodySpeaksTheTaskSaysSo() async throws {
        let data = try await DataFolder()
        let pack = try await MadeVoices.singer.value
        try VoiceLibrary.add(pack, to: data.voices)
        let piano = try files.make(
            "piano.flac", from: "full_mixes/helland_leaving_millie_live_piano.opus",
            ["-t", "5", "-sample_fmt", "s16"])
        let task = try await outcome(pack.manifest.id, of: piano, in: data)
        #expect(task.status == .error && task.attempts == 1)
        #expect(
            task.failure
                == TaskFailure(
                    code: "inference_error",
                    detail: "Unable to detect voice/vocals in the uploaded files"))
    }

    @Test func voicesOfOthersAndBrokenOnesAreNotUsed() async throws {
        let data = try await DataFolder()
        let made = try await MadeVoices.make(
            ["solo/vocadito_1_singing.flac"], name: "Mine", license: UUID().uuidString.lowercased())
        let id = made.manifest.id
        try VoiceLibrary.add(made, to: data.voices)
        #expect(try await outcome(id, of: speech(), in: data).failure?.code == "unknown_voice_pack")

        let broken = try await MadeVoices.singer.value
        try VoiceLibrary.add(broken, to: data.voices)
        try Data(repeating: 0, count: 100).write(
            to: URL(fileURLWithPath: "\(data.voices)/\(broken.manifest.id)/codebook.bin"))
        let task = try await outcome(broken.manifest.id, of: speech(), in: data)
        #expect(task.failure?.code == "voice_pack_refused")
        #expect(task.status == .error && task.attempts == 1)
    }

    @Test func whatIsNotInstalledIsSaid() async throws {
        let data = try await DataFolder()
        let named = try await outcome("VETRANA", of: speech(), in: data)
        #expect(
            named.failure
                == TaskFailure(
                    code: "not_installed",
                    detail: "The voice VETRANA is not installed on this server."))
        let model = try await outcome("VETRANA", of: speech(), in: data, changes: false)
        #expect(
            model.failure
                == TaskFailure(
                    code: "not_installed",
                    detail: "Changing a voice needs a model that is not installed on this server."))
    }

    /// Whoever makes a pack is told what is wrong with a recording.
    @Test func packsAreMadeOfVoicesOnly() async throws {
        let maker = VoicePackMaker(
            try MediaTools(), try separator.get(), try voiceNetworks.get())
        let silence = try files.make("still.wav", ["-f", "lavfi", "-i", "anullsrc=d=30"])
        await #expect(throws: VoiceError.silent(recording: "still.wav")) {
            try await maker.add(recording: silence.path) { _ in }
        }
        let song = try files.make(
            "song.wav", from: "full_mixes/macleod_sugar_plum_fairy.opus", ["-t", "25"])
        await #expect(throws: VoiceError.notAVoice(recording: "song.wav")) {
            try await maker.add(recording: song.path) { _ in }
        }
        let short = try files.make(
            "short.wav", from: "solo/vocadito_1_singing.flac", ["-t", "4"])
        let other = VoicePackMaker(
            try MediaTools(), try separator.get(), try voiceNetworks.get())
        try await other.add(recording: short.path) { _ in }
        await #expect(throws: VoiceError.self) {
            _ = try await other.finish(.init(id: "a", name: "A", created: 0))
        }
    }
}
