import Foundation
import Separation
import TestSupport
import Testing

/// What of a result depends on where the segments of the networks have their borders.
///
/// The same music is separated four times, each time without a few more strides of its start, so that the borders lie
/// elsewhere; what all four agree on is the reference.
@Suite(.serialized) struct SeamTests {
    static let hop = 1024
    /// Frames: whole strides of both networks.
    static let stride = 64
    /// Frames from a segment's start to the next: Spleeter's, our own network's.
    static let steps = [256, 112]
    /// Frames after a start that a border is: our own network's masks are cross-faded over them; Spleeter's over the whole step.
    static let borders = [4, 16]

    /// Whether a border of any network is at a frame; `nil` close to one.
    static func isBorder(_ frame: Int) -> Bool? {
        let places = zip(steps, borders).map { (place: frame % $0, step: $0, border: $1) }
        if places.contains(where: { $0.place < $0.border }) { return true }
        return places.contains { $0.place < 32 || $0.place >= $0.step - 16 } ? nil : false
    }

    struct Runs {
        /// `[run][frame]` from the start of the music: mean square of the difference from the mean of all runs.
        var errors: [[Double]] = []
        /// `[run][frame]`: the largest step between neighboring samples of that difference.
        var jumps: [[Float]] = []

        init() throws {
            var music: [[Float]] = [[], []]
            for song in ["everythingisfree_sodium", "vocadito1_plus_vibe_ace"] {
                let file = Repository.recordings.appendingPathComponent(
                    "music/\(song)/mixture.flac")
                for (channel, samples) in try decode(file, seconds: 26).enumerated() {
                    music[channel] += samples
                }
            }
            // `[run][sample]` of the left channel; run `r` begins `r` strides later.
            let stems = try (0..<4).map { run in
                let start = run * SeamTests.stride * SeamTests.hop
                return try Engine.separate(
                    Engine.all.get(), music.map { Array($0[start...]) }, stems: ["vocals"],
                    meanSquare: 0.02
                ).stems[0][0]
            }
            compare(stems)
        }

        private mutating func compare(_ stems: [[Float]]) {
            let frames = stems[0].count / SeamTests.hop
            errors = stems.map { _ in Array(repeating: 0, count: frames) }
            jumps = stems.map { _ in Array(repeating: 0, count: frames) }
            var last = stems.map { _ in Float(0) }
            for n in 3 * SeamTests.stride * SeamTests.hop..<frames * SeamTests.hop {
                let values = stems.indices.map { run in
                    stems[run][n - run * SeamTests.stride * SeamTests.hop]
                }
                let mean = values.reduce(0, +) / Float(values.count)
                for (run, value) in values.enumerated() {
                    let error = value - mean
                    errors[run][n / SeamTests.hop] += Double(error * error)
                    jumps[run][n / SeamTests.hop] = max(
                        jumps[run][n / SeamTests.hop], abs(error - last[run]))
                    last[run] = error
                }
            }
        }
    }

    static let runs = Result { try Runs() }

    /// At the same places in the music, a run that has a border there is as near to the others as one that has none.
    @Test func bordersCannotBeMeasured() throws {
        let runs = try Self.runs.get()
        var errors: [Bool: [Double]] = [true: [], false: []]
        var jumps: [Bool: Float] = [true: 0, false: 0]
        let last = runs.errors[0].count - 512
        for frame in 512..<last {
            let kinds = runs.errors.indices.map { Self.isBorder(frame - $0 * Self.stride) }
            guard kinds.contains(true), kinds.contains(false) else { continue }
            for (run, kind) in kinds.enumerated() {
                guard let kind else { continue }
                errors[kind]!.append(runs.errors[run][frame])
                jumps[kind]! = max(jumps[kind]!, runs.jumps[run][frame])
            }
        }
        let means = errors.mapValues { $0.reduce(0, +) / Double($0.count) }
        let excess = 10 * log10(means[true]! / means[false]!)
        print("At borders: \(excess) dB; largest step there \(jumps[true]!), else \(jumps[false]!)")
        #expect(errors[true]!.count > 200 && errors[false]!.count > 200)
        #expect(excess < 2)
        #expect(jumps[true]! < 1.26 * jumps[false]!)
    }

    /// Where a voice is there to be heard. (What is not surely a voice depends more on how much of it a network sees: on
    /// Sodium, whose voice is faint and sparse, such shifts change −18 dB.)
    @Test(arguments: [
        "music/vocadito1_plus_vibe_ace/mixture.flac",
        "full_mixes/karissa_hobbs_lets_go_fishin.opus",
    ])
    func shiftsByWholeStridesChangeLittle(song: String) throws {
        let piece = try decode(
            Repository.recordings.appendingPathComponent(song), rate: 44_100, seconds: 30)
        let stems = try [0, 64, 192].map { frames in
            let silence = [Float](repeating: 0, count: frames * Self.hop)
            let stem = try Engine.separate(
                Engine.all.get(), piece.map { silence + $0 }, stems: ["vocals"], meanSquare: 0.02
            ).stems[0]
            return stem.map { Array($0[silence.count...]) }
        }
        for stem in stems.dropFirst() {
            let change = difference(stem, stems[0])
            print("\(song) shifted: \(change) dB")
            #expect(change < -30)
        }
    }
}

/// The same samples always give the same result.
@Suite(.serialized) struct DeterminismTests {
    static let source = Result { try decode(EngineTests.song, start: 5, seconds: 20) }
    static let stems = ["vocals", "drum", "bass"]

    @Test func twoWorkersGiveIdenticalSamples() throws {
        let source = try Self.source.get()
        let one = try Engine.separate(Engine.all.get(), source, stems: Self.stems)
        let again = try Engine.separate(Engine.all.get(), source, stems: Self.stems)
        let isRepeated = one.stems == again.stems
        #expect(isRepeated)
        let other = try Engine.load(Repository.models)
        let isTheOthers =
            try Engine.separate(other, source, stems: Self.stems).stems == one.stems
        #expect(isTheOthers)
    }

    /// Two recordings at the same time, in turns, as two streams of one engine.
    @Test func whatElseIsSeparatedChangesNothing() throws {
        let source = try Self.source.get()
        let separator = try Engine.all.get()
        let alone = try Engine.separate(separator, source, stems: Self.stems)
        let request = SeparationRequest(
            kind: .stems(Self.stems, clearCut: false), sampleRate: 44_100, channels: 2,
            meanSquare: source.joined().reduce(0.0) { $0 + Double($1 * $1) }
                / Double(2 * source[0].count))
        let streams = [try separator.makeStream(request), try separator.makeStream(request)]
        var blocks: [SeparatedBlock] = []
        for start in stride(from: 0, to: source[0].count, by: 40_000) {
            let part = start..<min(start + 40_000, source[0].count)
            blocks += try streams[0].push(source.map { Array($0[part]) })
            _ = try streams[1].push(source.map { $0[part].map { -0.5 * $0 } })
        }
        while case let last = try streams[0].finish(), !last.isEmpty { blocks += last }
        for stem in Self.stems.indices {
            let isSame = blocks.flatMap { $0.stems[stem][0] } == alone.stems[stem][0]
            #expect(isSame)
        }
    }

    @Test func threadsChangeNextToNothing() throws {
        let source = try Self.source.get()
        let two = try Engine.separate(Engine.all.get(), source, stems: Self.stems)
        let separator = try Separator(
            library: Engine.library, runtime: Repository.runtime, threads: 1)
        let one = try Engine.separate(separator, source, stems: Self.stems)
        for stem in Self.stems.indices {
            let change = difference(one.stems[stem], two.stems[stem])
            print("\(Self.stems[stem]) with one thread against two: \(change) dB")
            #expect(change < -100)
        }
    }
}
