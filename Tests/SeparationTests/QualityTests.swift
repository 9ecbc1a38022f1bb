import Foundation
import Separation
import TestSupport
import Testing

/// What the models that are installed promise on songs whose stems are known (`bench/quality` prints the figures).
@Suite(.serialized) struct QualityTests {
    /// 10 log10 of the energy of the stem over that of the error, over the whole song.
    private func quality(
        _ separator: Separator, _ song: String, _ stem: String, truth: String
    ) throws -> Double {
        let folder = Repository.recordings.appendingPathComponent("music/\(song)")
        let mixture = try decode(folder.appendingPathComponent("mixture.flac"))
        let expected = try decode(folder.appendingPathComponent("\(truth).flac"))
        let found = try Engine.separate(separator, mixture, stems: [stem]).stems[0]
        return -difference(found, expected)
    }

    /// On average better than either opinion, nowhere more than 0.3 dB worse than the better one.
    @Test func fusedVocalsAreAsGoodAsTheBetterOpinion() throws {
        let separators = [
            try Engine.all.get(), try Engine.only(["spleeter-2stems"]),
            try Engine.only(["music-core"]),
        ]
        var means = [0.0, 0, 0]
        for song in ["everythingisfree_sodium", "vocadito1_plus_vibe_ace"] {
            let values = try separators.map { try quality($0, song, "vocals", truth: "vocals") }
            print("Vocals of \(song): fused \(values[0]), Spleeter \(values[1]), own \(values[2])")
            #expect(values[0] > max(values[1], values[2]) - 0.3)
            for index in 0..<3 { means[index] += values[index] / 2 }
        }
        #expect(means[0] > means[1] && means[0] > means[2])
    }

    /// The mixture itself is 2.6 dB for drums and −4.3 dB for bass, the classical methods 2.2 and −3.0 dB.
    @Test func drumAndBassBeatWhatNeedsNoModel() throws {
        let separator = try Engine.all.get()
        #expect(try quality(separator, "everythingisfree_sodium", "drum", truth: "drums") > 6)
        #expect(try quality(separator, "everythingisfree_sodium", "bass", truth: "bass") > 3)
    }

    /// Where the processor has instructions for fewer bits, no stem is as much as 0.1 dB worse with them.
    @Test(arguments: [
        ("everythingisfree_sodium", ["vocals": "vocals", "drum": "drums", "bass": "bass"]),
        ("vocadito1_plus_vibe_ace", ["vocals": "vocals"]),
    ])
    func fewerBitsAreAsGood(song: String, files: [String: String]) throws {
        let exact = try Engine.load(Repository.models, precision: .single)
        let coarse = try Engine.load(Repository.models, precision: .bfloat16)
        let folder = Repository.recordings.appendingPathComponent("music/\(song)")
        let mixture = try decode(folder.appendingPathComponent("mixture.flac"))
        let stems = files.keys.sorted()
        let fast = try Engine.separate(coarse, mixture, stems: stems).stems
        let full = try Engine.separate(exact, mixture, stems: stems).stems
        for (index, stem) in stems.enumerated() {
            let truth = try decode(folder.appendingPathComponent("\(files[stem]!).flac"))
            let change = difference(full[index], truth) - difference(fast[index], truth)
            let distance = difference(fast[index], full[index])
            print("\(stem) of \(song), bfloat16: \(change) dB better, \(distance) dB apart")
            #expect(change > -0.1)
            #expect(distance < -30)
        }
    }

    /// Without the wheel (no network at set-up) our own model serves alone.
    @Test func theOwnModelServesAlone() throws {
        let library = ModelLibrary(directories: [Repository.models[0]], cache: nil)
        let separator = try Separator(library: library, runtime: Repository.runtime, threads: 2)
        #expect(Set(separator.stems).isSuperset(of: ["bass", "drum", "vocals"]))
        #expect(separator.notes.contains { $0.contains("spleeter-2stems") })
        #expect(
            try quality(separator, "vocadito1_plus_vibe_ace", "vocals", truth: "vocals") > 5)
    }
}
