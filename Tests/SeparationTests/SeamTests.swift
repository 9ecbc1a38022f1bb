import Foundation
import Separation
import TestSupport
import Testing

/// A result does not depend on where the blocks of the networks begin.
@Suite struct SeamTests {
    static let hop = 1024
    /// Frames: whole strides of all networks.
    static let stride = 64
    /// Frames whose masks are changed by what came before the start: by Spleeter's, and by all others in a row.
    static let reach = 512

    /// The same music, each time without a few more strides of its start, so that blocks begin elsewhere. A network with
    /// strides hears something else where it is shifted by less than those; by whole strides nothing may change. What also
    /// depends on where stems stood before changes a little; where both channels are equal, that plays no part.
    @Test(arguments: [
        (["vocals", "drum", "strings"], 1, -60.0), (["lead", "backing"], 1, -60.0),
        (["vocals", "drum", "backing"], 2, -30.0),
    ]) func blocksCannotBeMeasured(stems: [String], channels: Int, bound: Double) throws {
        var music: [[Float]] = [[], []]
        for song in ["everythingisfree_sodium", "vocadito1_plus_vibe_ace"] {
            let file = Repository.recordings.appendingPathComponent("music/\(song)/mixture.flac")
            let part = try decode(file, channels: channels, start: 8, seconds: 24)
            for channel in music.indices { music[channel] += part[channel % channels] }
        }
        // `[run][stem]`, the left channel; run `r` begins `r` strides later.
        let runs = try (0..<3).map { run in
            let start = run * Self.stride * Self.hop
            return try Engine.separate(
                Engine.all.get(), music.map { Array($0[start...]) }, stems: stems
            ).stems.map { $0[0] }
        }
        for (index, stem) in stems.enumerated() {
            var worst = 0.0
            var power = 0.0
            let frames = Self.reach + 2 * Self.stride..<music[0].count / Self.hop
            for frame in frames {
                for run in 1..<runs.count {
                    var error = 0.0
                    for n in frame * Self.hop..<(frame + 1) * Self.hop {
                        let value = runs[0][index][n]
                        let other = runs[run][index][n - run * Self.stride * Self.hop]
                        error += Double((other - value) * (other - value))
                        power += Double(value * value) / Double((runs.count - 1) * frames.count)
                    }
                    worst = max(worst, error)
                }
            }
            let change = 10 * log10(worst / power)
            print("\(stem) of \(channels), shifted by whole strides: \(change) dB at worst")
            // The voices behind the lead are nearly gone where both channels are equal.
            #expect(power > (stem == "backing" ? 1e-7 : 1e-3) && change < bound)
        }
    }

    /// What a shift changes at the start, where something else came before, is little as well.
    @Test(arguments: [
        "music/vocadito1_plus_vibe_ace/mixture.flac",
        "music/everythingisfree_sodium/mixture.flac",
        "full_mixes/karissa_hobbs_lets_go_fishin.opus",
    ])
    func silenceBeforeChangesLittle(song: String) throws {
        let piece = try decode(
            Repository.recordings.appendingPathComponent(song), rate: 44_100, seconds: 30)
        let stems = try [0, 64, 192].map { frames in
            let silence = [Float](repeating: 0, count: frames * Self.hop)
            let stem = try Engine.separate(
                Engine.all.get(), piece.map { silence + $0 }, stems: ["vocals"]
            ).stems[0]
            return stem.map { Array($0[silence.count...]) }
        }
        for stem in stems.dropFirst() {
            let change = difference(stem, stems[0])
            print("\(song) after silence: \(change) dB")
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
            kind: .stems(Self.stems, clearCut: false), sampleRate: 44_100, channels: 2)
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

    /// Networks side by side bring more threads than one is granted.
    @Test(.enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1))
    func networksShareOneGrantedCore() throws {
        let source = try Self.source.get()
        let separator = try Separator(
            library: Engine.library, runtime: Repository.runtime, threads: 1)
        let stream = try separator.makeStream(
            SeparationRequest(
                kind: .stems(Self.stems, clearCut: false), sampleRate: 44_100, channels: 2))
        let before = separator.inferenceSeconds
        _ = try stream.push(source)
        while try !stream.finish().isEmpty {}
        let busy = separator.inferenceSeconds - before
        let each = stream.seconds.networks
        #expect(each.count == 2 && each.values.allSatisfy { $0 > 0.05 * busy })
        // Side by side it is nearly twice as much.
        #expect(each.values.reduce(0, +) < 1.2 * busy, "\(each) in \(busy) s")
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
