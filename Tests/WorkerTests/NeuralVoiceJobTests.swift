import Foundation
import Inference
import Media
import Tasks
import TestSupport
import Testing
import VoiceChange
import Worker

/// Neural voices in real recordings, with the real models and the small voices of Tests/Fixtures/neural-voice, which hum the melody.
@Suite(.serialized) final class NeuralVoiceJobTests: Sendable {
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    /// Adds a pack with the small networks.
    @discardableResult
    private func add(
        _ id: String, _ voice: String, to folder: String, license: String? = nil,
        pitch: Double? = nil, seed: Int = 0
    ) throws -> NeuralManifest {
        let networks = Repository.root.appendingPathComponent("Tests/Fixtures/neural-voice")
        return try VoiceLibrary.add(
            NeuralPackContent(
                .init(id: id, name: "Hummer", created: 1, license: license),
                voice: networks.appendingPathComponent("\(voice).onnx"),
                content: networks.appendingPathComponent("content.onnx"), medianFrequency: pitch,
                seed: seed), to: folder, InferenceRuntime(library: Repository.runtime), threads: 2)
    }

    private func run(
        _ file: URL, _ id: String, tonality: VoiceSettings.Tonality = .voicePack
    ) async throws -> (samples: [[Float]], result: JobResult) {
        let out = folder.file(UUID().uuidString)
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
        let voice = try VoiceLibrary(directories: [folder.file("voices").path]).pack(id)
            .load(beside: voiceNetworks.get())
        let result = try await VoiceChangeJob(
            input: file.path, voice: voice, accent: 1, tonality: tonality, format: .wav,
            folder: out.path
        ).run(tools, separator.get(), pitchNetwork.get()) { _ in }
        let mix = URL(fileURLWithPath: result.outputs[0].path)
        return (try decode(mix, channels: result.info.channels), result)
    }

    /// A band alone for 6 s, then with a singer.
    private func song() throws -> URL {
        let files = [VoiceChangeJobTests.band, VoiceChangeJobTests.song].map {
            Repository.recordings.appendingPathComponent($0).path
        }
        return try folder.make(
            "song.flac",
            [
                "-t", "6", "-i", files[0], "-ss", "6", "-t", "8", "-i", files[1],
                "-filter_complex", "[0:a][1:a]concat=n=2:v=0:a=1,volume=-6dB",
                "-sample_fmt", "s32",
            ])
    }

    @Test func aSongIsHummedAndWhatIsNotTheVoiceStays() async throws {
        for (id, seed) in [("A", 0), ("B", 1)] {
            try add(id, "client-random", to: folder.file("voices").path, seed: seed)
        }
        let file = try song()
        let source = try decode(file)
        let (mix, result) = try await run(file, "A")
        #expect(result.outputs.map(\.label) == ["converted_mix"])
        #expect(mix.map(\.count) == source.map(\.count))
        #expect(result.info.sampleRate == 44_100 && result.info.channels == 2)
        let alone = source.indices.allSatisfy { channel in
            (0..<5 * 44_100).allSatisfy { mix[channel][$0] == source[channel][$0] }
        }
        #expect(alone)
        let sung = 7 * 44_100..<14 * 44_100
        #expect(difference(mix.map { Array($0[sung]) }, source.map { Array($0[sung]) }) > -15)
        let isSame = try await run(file, "A").samples == mix
        let isOther = try await run(file, "B").samples != mix
        #expect(isSame && isOther)
    }

    /// A speaker on the left at 48 kHz, hummed at the pitch of the pack, stays there.
    @Test func speechIsHummedWhereItWas() async throws {
        try add("TEST", "webui", to: folder.file("voices").path, pitch: 300)
        let file = try folder.make(
            "left.wav", from: VoiceChangeJobTests.speech,
            ["-t", "8", "-af", "pan=stereo|c0=c0|c1=-0.3*c0", "-c:a", "pcm_s24le"])
        let source = try decode(file)
        let (mix, result) = try await run(file, "TEST")
        #expect(result.info.sampleRate == 48_000 && mix.map(\.count) == source.map(\.count))
        func level(_ samples: [Float]) -> Double {
            10 * log10(samples.reduce(0) { $0 + Double($1 * $1) } / Double(samples.count))
        }
        #expect(abs(level(mix[0]) - level(source[0])) < 1)
        #expect(abs(level(mix[0]) - level(mix[1]) - 20 * log10(1 / 0.3)) < 1)
        let tracker = try PitchTracker(pitchNetwork.get(), sampleRate: 48_000)
        let frames = try mix[0].withUnsafeBufferPointer { try tracker.push($0) }
        let voiced = (frames + (try tracker.finish())).filter { $0 > 0 }.sorted()
        let median = Double(try #require(voiced.dropFirst(voiced.count / 2).first))
        print("Median pitch: \(median) Hz, asked for 300")
        #expect(abs(12 * log2(median / 300)) < 0.5)
    }

    /// As tasks: for whoever may use them, and refused once they are broken.
    @Test func tasksUseThem() async throws {
        let data = try await DataFolder()
        func outcome(_ id: String) async throws -> SplitTask {
            // A task's file is taken away.
            let file = try folder.make("talk.flac", from: VoiceChangeJobTests.speech, ["-t", "5"])
            let task = try await data.submit(
                file, .voiceChange(VoiceChangePresets(voicePack: id, encoderFormat: .wav)))
            #expect(try await data.worker(networks: voiceNetworks.get()).workOnce())
            return try await data.task(task)
        }
        let mine = InstalledVoices.owner(data.licence.id)
        try add("MINE", "client", to: data.voices, license: mine)
        try add("THEIRS", "client", to: data.voices, license: UUID().uuidString.lowercased())
        let listed = InstalledVoices(directories: [data.voices])
            .voicePacks(visibleTo: data.licence.id)
        #expect(listed.map(\.id) == ["MINE"] && listed.allSatisfy(\.isReady))
        let task = try await outcome("MINE")
        #expect(task.status == .success, "\(String(describing: task.failure))")
        #expect(task.tracks.map(\.label) == ["converted_mix"] && task.duration == 5)
        #expect(try await outcome("THEIRS").failure?.code == "unknown_voice_pack")
        try Data("no network".utf8).write(
            to: URL(fileURLWithPath: "\(data.voices)/MINE/content.onnx"))
        let broken = try await outcome("MINE")
        #expect(broken.failure?.code == "voice_pack_refused" && broken.attempts == 1)
    }
}
