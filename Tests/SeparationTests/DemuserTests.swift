import Foundation
import Separation
import TestSupport
import Testing

/// What demuser promises, on each speaker over each instrumental of the recordings, as loud as the speaker.
@Suite(.serialized) struct DemuserTests {
    static let rate = 48_000
    static let speakers = ["gosia_pl_f_rain_10dB", "joe_en_m_city_5dB", "paola_it_f_city_0dB"]

    /// Music without a voice, two seconds in, by channel.
    private func instrumentals() throws -> [[[Float]]] {
        let music = Repository.recordings.appendingPathComponent("music")
        let piece = { (file: String) in
            try decode(
                music.appendingPathComponent(file), rate: Self.rate, start: 2, seconds: 12)
        }
        let song = try piece("everythingisfree_sodium/mixture.flac")
        let singing = try piece("everythingisfree_sodium/vocals.flac")
        return [
            zip(song, singing).map { zip($0, $1).map { $0 - $1 } },
            try piece("vocadito1_plus_vibe_ace/accompaniment.flac"),
        ]
    }

    private func mixture(_ speech: [Float], _ music: [[Float]]) -> [[Float]] {
        let music = music.map { $0.prefix(speech.count) }
        let power = music.reduce(0.0) { $0 + Speech.energy($1) } / 2
        let gain = Float((Speech.energy(speech[...]) / power).squareRoot())
        return music.map { zip(speech, $0).map { $0 + gain * $1 } }
    }

    /// On average 0.8 decibels better than the better of both that it is made of, each on its own, and no worse than it was.
    @Test func speechIsBetterThanWithEitherNetwork() throws {
        let both = try Engine.all.get()
        let spleeter = try Engine.only(["spleeter-2stems"])
        let voice = try Engine.load(Repository.models)
        var sums = [0.0, 0, 0]
        var count = 0.0
        for speaker in Self.speakers {
            let speech = try decode(
                VoiceCleanTests.speech.appendingPathComponent("\(speaker)/clean.flac"),
                channels: 1)[0]
            for music in try instrumentals() {
                let source = mixture(speech, music)
                let split = { (separator: Separator, kind: SplitKind) in
                    try Engine.separate(separator, source, kind, rate: Self.rate).stems[0]
                }
                let found = try split(both, .demuser)
                let values = [
                    zip(source, found).map { zip($0, $1).map { $0 - $1 } },
                    try split(spleeter, .stems(["vocals"], clearCut: false)),
                    try split(voice, .voiceClean(.aggressive)),
                ].map { Speech.quality(Array($0.joined()), speech + speech) }
                print("\(speaker): demuser, Spleeter, DeepFilterNet \(values) dB")
                for index in values.indices { sums[index] += values[index] }
                count += 1
            }
        }
        let means = sums.map { $0 / count }
        print("Mean of \(Int(count)): demuser, Spleeter, DeepFilterNet \(means) dB")
        #expect(means[0] > max(means[1], means[2]) + 0.8 && means[0] > 14.6)
    }

    /// Block sizes change nothing, and the stem is on the 24-bit grid, of the source's length.
    @Test func blocksChangeNothing() throws {
        let music = Repository.recordings.appendingPathComponent(
            "music/vocadito1_plus_vibe_ace/mixture.flac")
        let source = try decode(music, start: 5, seconds: 14.003)
        let engine = try Engine.all.get()
        let whole = try Engine.separate(engine, source, .demuser, rate: 44_100, block: .max / 4)
        let pieces = try Engine.separate(engine, source, .demuser, rate: 44_100, block: 10_007)
        #expect(whole.source == source && pieces.source == source)
        #expect(pieces.stems == whole.stems)
        #expect(whole.stems[0].allSatisfy { $0.count == source[0].count })
        #expect(whole.stems[0][0].allSatisfy { $0 * 0x1p23 == ($0 * 0x1p23).rounded() })
    }

    /// What no network hears is music: speech would only get hiss from there.
    @Test func whatLiesAboveTheBandIsMusic() throws {
        let rate = 96_000
        let tone = (0..<2 * rate).map { Float(0.1 * sin(Double($0) * 2 * .pi * 30_000 / 96_000)) }
        let result = try Engine.separate(try Engine.all.get(), [tone, tone], .demuser, rate: rate)
        #expect(difference(result.stems[0], [tone, tone]) < -60)
    }

    @Test func silenceIsSilence() throws {
        let source = [[Float]](repeating: Array(repeating: 0, count: 30_000), count: 2)
        let result = try Engine.separate(
            try Engine.all.get(), source, .demuser, rate: 44_100)
        #expect(result.stems == [source])
    }
}
