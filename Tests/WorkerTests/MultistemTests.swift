import Foundation
import Media
import Separation
import Tasks
import TestSupport
import Testing
import Worker

/// Several stems at once, with the real store, blobs, engine and ffmpeg.
@Suite(.serialized) final class MultistemTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The tracks of a job by their labels.
    private func split(
        _ file: URL, _ stems: [String], _ layout: TrackLayout, _ engine: Separator? = nil
    ) async throws -> (result: JobResult, tracks: [String: [[Float]]]) {
        let out = folder.file(UUID().uuidString)
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
        let result = try await SplitJob(
            input: file.path, kind: .stems(stems, clearCut: false), layout: layout,
            format: .wav, folder: out.path
        ).run(MediaTools(), engine ?? separator.get()) { _ in }
        var tracks: [String: [[Float]]] = [:]
        for output in result.outputs {
            tracks[output.label] = try decode(
                URL(fileURLWithPath: output.path), channels: result.info.channels)
        }
        return (result, tracks)
    }

    /// The largest difference between the sum of all tracks and the source at the job's gain.
    private func error(
        _ tracks: [String: [[Float]]], _ source: [[Float]], gain: Float
    ) -> Float {
        var worst: Float = 0
        for channel in source.indices {
            for index in source[channel].indices {
                let sum = tracks.values.reduce(Float(0)) { $0 + $1[channel][index] }
                worst = max(worst, abs(sum - gain * source[channel][index]))
            }
        }
        return worst
    }

    @Test func aTaskGivesEveryStemAndOneRest() async throws {
        let data = try await DataFolder()
        let song = try folder.make("a.flac", from: Self.song, ["-ss", "20", "-t", "6"])
        let source = try decode(song)
        let id = try await data.submit(
            song,
            .multistem(
                MultistemPresets(stems: [.drum, .vocals, .bass, .drum], encoderFormat: .flac)))
        #expect(try await data.worker().workOnce())
        let task = try await data.task(id)
        #expect(task.status == .success && task.duration == 6)
        #expect(task.tracks.map(\.label) == ["drum", "vocals", "bass", "no_multistem"])
        #expect(task.tracks.map(\.kind) == [.stem, .stem, .stem, .back])
        #expect(task.tracks.last?.name == "Mein Lied_no_multistem.flac")
        var tracks: [String: [[Float]]] = [:]
        for track in task.tracks {
            let file = URL(fileURLWithPath: try await data.blobs.localFile(track.blob))
            tracks[track.label] = try decode(file)
            #expect(track.waveform != nil && track.playlist != nil)
        }
        #expect(error(tracks, source, gain: 1) == 0)
    }

    @Test func stemsAreThoseOfSplitsOfTheirOwn() async throws {
        let file = try folder.make("a.flac", from: Self.song, ["-ss", "20", "-t", "8"])
        let stems = ["bass", "vocals", "drum"]
        let (result, tracks) = try await split(file, stems, .together)
        #expect(result.outputs.map(\.label) == stems + ["no_multistem"])
        #expect(result.waveforms.count == 4)
        for stem in stems {
            let alone = try await split(file, [stem], .pairs).tracks
            #expect(difference(tracks[stem]!, alone[stem]!) < -100)
        }
    }

    /// Driven into full scale, all tracks are scaled by one factor.
    @Test(arguments: [1, 2]) func loudTracksAddUpToTheScaledSource(channels: Int) async throws {
        let file = try folder.make(
            "loud.wav", from: Self.song,
            ["-t", "8", "-ac", "\(channels)", "-af", "volume=30dB", "-c:a", "pcm_s24le"])
        let (result, tracks) = try await split(file, ["vocals", "drum"], .together)
        #expect(result.gain < 1 && result.info.channels == channels)
        #expect(error(tracks, try decode(file, channels: channels), gain: result.gain) <= 0x1p-23)
        let peak = tracks.values.joined().joined().map(abs).max() ?? 0
        #expect(peak <= 1 && peak > 0.999)
    }

    /// Stems of both stages, by small networks of their own.
    @Test func stemsOfBothStagesAddUpToo() async throws {
        let file = try folder.make("a.flac", from: Self.song, ["-ss", "20", "-t", "8"])
        let fixture = Repository.root.appendingPathComponent("Tests/Fixtures/division").path
        let engine = try Separator(
            library: ModelLibrary(directories: [fixture], cache: nil),
            runtime: Repository.runtime, threads: 1)
        let stems = ["piano", "vocals", "acoustic_guitar"]
        let (result, tracks) = try await split(file, stems, .together, engine)
        #expect(result.outputs.map(\.label) == stems + ["no_multistem"] && result.gain == 1)
        #expect(error(tracks, try decode(file), gain: 1) == 0)
        let alone = try await split(file, ["piano"], .pairs, engine).tracks
        #expect(tracks["piano"] == alone["piano"])
    }

    @Test func everyStemWithoutAModelIsNamed() async throws {
        let data = try await DataFolder()
        let song = try folder.make("a.flac", from: Self.song, ["-t", "2"])
        let id = try await data.submit(
            song, .multistem(MultistemPresets(stems: [.piano, .vocals, .electricGuitar])))
        #expect(try await data.worker(separator: onlyCore.get()).workOnce())
        let task = try await data.task(id)
        #expect(task.status == .error && task.attempts == 1)
        #expect(task.failure?.code == "not_installed")
        #expect(
            task.failure?.detail.contains("separate “piano”, “electric_guitar”.") == true,
            "\(task.failure as Any)")
    }
}
