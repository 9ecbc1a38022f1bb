import Foundation
import Media
import Separation
import Tasks
import TestSupport
import Testing
import Worker

/// Lead and backing vocals, with the real models.
@Suite(.serialized) final class LeadBackTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func tracks(of file: URL) async throws -> [String: [[Float]]] {
        let out = folder.file(UUID().uuidString)
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
        let result = try await SplitJob(
            input: file.path, kind: .stems(["lead", "backing"], clearCut: false),
            layout: .leadBack, format: .wav, folder: out.path
        ).run(MediaTools(), separator.get()) { _ in }
        #expect(result.gain == 1)
        #expect(result.waveforms.count == result.outputs.count)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: out.path).filter {
                $0.hasSuffix(".wav")
            }.count == result.outputs.count)
        var tracks: [String: [[Float]]] = [:]
        for output in result.outputs {
            tracks[output.label] = try decode(URL(fileURLWithPath: output.path))
            #expect(output.isBack == !output.label.hasPrefix("vocals@"))
        }
        return tracks
    }

    private func sum(_ tracks: [[[Float]]]) -> [[Float]] {
        tracks.dropFirst().reduce(tracks[0]) { sum, track in
            zip(sum, track).map { zip($0, $1).map { $0 + $1 } }
        }
    }

    /// A voice in the middle, a third higher on both sides of it, and a band.
    private func choir() throws -> URL {
        let voice = Repository.recordings.appendingPathComponent("solo/vocadito_1_singing.flac")
        let band = Repository.recordings.appendingPathComponent(
            "music/vocadito1_plus_vibe_ace/accompaniment.flac")
        let third = "rubberband=pitch=1.2599"
        return try folder.make(
            "choir.wav",
            [
                "-t", "14", "-i", voice.path, "-t", "14", "-i", band.path, "-filter_complex",
                """
                [0:a]aformat=sample_rates=44100:channel_layouts=mono,volume=0.5,asplit=3[lead][a][b];\
                [lead]pan=stereo|c0=c0|c1=c0[middle];\
                [a]\(third),adelay=23:all=1,volume=0.4,pan=stereo|c0=c0|c1=0.1*c0[left];\
                [b]\(third),adelay=38:all=1,volume=0.4,pan=stereo|c0=0.1*c0|c1=c0[right];\
                [1:a]aformat=sample_rates=44100,volume=0.4[band];\
                [middle][left][right][band]amix=inputs=4:normalize=0:duration=shortest
                """, "-c:a", "pcm_s24le",
            ])
    }

    @Test func fourTracksSumToTheSourceInTwoWays() async throws {
        let song = try choir()
        let source = try decode(song)
        let tracks = try await tracks(of: song)
        #expect(Set(tracks.keys) == ["vocals@0", "vocals@1", "no_vocals", "mix_no_lead"])
        let three = sum([tracks["vocals@0"]!, tracks["vocals@1"]!, tracks["no_vocals"]!])
        #expect(difference(three, source) < -130)
        #expect(difference(sum([tracks["vocals@0"]!, tracks["mix_no_lead"]!]), source) < -130)
        // The lead is in the middle, and the backing on the sides.
        func width(_ track: [[Float]]) -> Double {
            difference([track[0]], [track[1]])
        }
        print(
            "Difference of the sides: lead \(width(tracks["vocals@0"]!)), backing \(width(tracks["vocals@1"]!)) dB"
        )
        #expect(width(tracks["vocals@0"]!) < width(tracks["vocals@1"]!) - 6)
    }

    /// One singer: all of the voice is the lead, and the three tracks still sum to the source.
    @Test func whereThereIsNoBackingItIsLeftOut() async throws {
        let solo = try folder.make(
            "solo.wav", from: "solo/vocadito_1_singing.flac",
            ["-t", "8", "-ac", "2", "-ar", "44100", "-c:a", "pcm_s24le"])
        let source = try decode(solo)
        let tracks = try await tracks(of: solo)
        #expect(Set(tracks.keys) == ["vocals@0", "no_vocals", "mix_no_lead"])
        let lead = try #require(tracks["vocals@0"])
        #expect(difference(sum([lead, tracks["no_vocals"]!]), source) < -130)
        #expect(difference(tracks["mix_no_lead"]!, tracks["no_vocals"]!) < -130)
        #expect(difference(lead, source) < -6)
    }

    @Test func aTaskGivesTheTracksOfTheContract() async throws {
        let data = try await DataFolder()
        let id = try await data.submit(
            choir(),
            .stemSeparator(
                StemSeparatorPresets(
                    stem: .vocals, encoderFormat: .mp3, multivocal: .leadBack)))
        #expect(try await data.worker().workOnce())
        let task = try await data.task(id)
        #expect(task.status == .success)
        #expect(task.tracks.map(\.label) == ["vocals@0", "vocals@1", "no_vocals", "mix_no_lead"])
        #expect(task.tracks.map(\.kind) == [.stem, .stem, .back, .back])
    }

    /// Other stems have no lead.
    @Test func multivocalIsForVocals() async throws {
        let data = try await DataFolder()
        let song = try folder.make(
            "song.flac", from: "music/vocadito1_plus_vibe_ace/mixture.flac", ["-t", "3"])
        let id = try await data.submit(
            song, .stemSeparator(StemSeparatorPresets(stem: .drum, multivocal: .leadBack)))
        #expect(try await data.worker().workOnce())
        #expect(try await data.task(id).tracks.map(\.label) == ["drum", "no_drum"])
    }
}
