import Foundation
import Inference
import Separation
import TestSupport
import Testing

/// Voices without their rooms, with the real models.
@Suite(.serialized) struct DereverbTests {
    static let rate = 48_000

    /// A voice in a room: the voice, what reaches the listener within 50 ms, and all of it, `[channel][sample]`.
    ///
    /// The room is noise that falls by 60 dB in 0.8 s (Polack's model of late reverberation), beginning 5 ms after the direct sound.
    static let room = Result {
        let voice = try decode(
            Repository.recordings.appendingPathComponent("speech/joe_en_m_city_5dB/clean.flac"),
            channels: 1, rate: rate, seconds: 9)[0]
        var state: UInt64 = 1
        func noise() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
        }
        var early: [[Float]] = []
        var whole: [[Float]] = []
        for _ in 0..<2 {
            let response = (0..<Int(0.8 * Double(rate))).map { n in
                n < rate / 200 ? 0 : 0.05 * noise() * pow(10, -3 * Float(n) / (0.8 * Float(rate)))
            }
            early.append(convolved(voice, [1] + response[1..<rate / 20]))
            whole.append(convolved(voice, [1] + response[1...]))
        }
        return (early: early, whole: whole)
    }

    private static func convolved(_ signal: [Float], _ response: [Float]) -> [Float] {
        // Only every fourth tap of the tail is there, which still is a room and costs a quarter.
        let taps = response.enumerated().filter { $0.element != 0 && $0.offset % 4 == 0 }
        var result = [Float](repeating: 0, count: signal.count)
        for (delay, gain) in taps {
            for n in delay..<signal.count { result[n] += gain * signal[n - delay] }
        }
        return result
    }

    /// Scale-invariant SDR, dB.
    private func quality(_ found: [[Float]], _ truth: [[Float]]) -> Double {
        var product = 0.0
        var energy = 0.0
        for (x, y) in zip(found.joined(), truth.joined()) {
            product += Double(x * y)
            energy += Double(y * y)
        }
        let scale = Float(product / energy)
        return -difference(found, truth.map { $0.map { scale * $0 } })
    }

    private func split(
        _ source: [[Float]], _ kind: SplitKind, dereverb: Bool
    ) throws -> (source: [[Float]], stem: [[Float]]) {
        let result = try Engine.separate(
            Engine.all.get(), source, kind, rate: Self.rate, dereverb: dereverb)
        return (result.source, result.stems[0])
    }

    @Test func aVoiceLosesItsRoom() throws {
        let (early, whole) = try Self.room.get()
        let kind = SplitKind.voiceClean(.aggressive)
        let wet = try split(whole, kind, dereverb: false)
        let dry = try split(whole, kind, dereverb: true)
        let isKept = dry.source == whole && dry.stem.map(\.count) == whole.map(\.count)
        #expect(isKept)
        let qualities = [whole, wet.stem, dry.stem].map { quality($0, early) }
        print(
            "SI-SDR to the early voice: \(qualities) dB (in the room, cleaned, cleaned and dried)")
        // Cleaning takes some of the room for noise already.
        #expect(qualities[2] > qualities[1] + 2 && qualities[2] > qualities[0] + 4)
    }

    /// What is foretold by what was said before is an echo: speech without a room foretells next to nothing.
    @Test func aVoiceWithoutARoomIsKept() throws {
        let file = Repository.recordings.appendingPathComponent(
            "speech/joe_en_m_city_5dB/clean.flac")
        let voice = try decode(file, channels: 1, rate: Self.rate, seconds: 9)
        let wet = try split(voice, .voiceClean(.aggressive), dereverb: false)
        let dry = try split(voice, .voiceClean(.aggressive), dereverb: true)
        let change = difference(dry.stem, wet.stem)
        print("What is changed of a voice without a room: \(change) dB")
        #expect(change < -25)
    }

    /// Longer than what weights are found from, so that they change on the way; more channels than foretell each other.
    @Test(arguments: [1, 2, 3]) func blocksChangeNothing(channels: Int) throws {
        let room = try Self.room.get().whole
        let source = (0..<channels).map { channel in
            Array((room[channel % 2] + room[(channel + 1) % 2]).prefix(15 * Self.rate))
        }
        let kind = SplitKind.voiceClean(.mild)
        let results = try [65_536, 7_001].map { block in
            try Engine.separate(
                Engine.all.get(), source, kind, rate: Self.rate, block: block, dereverb: true)
        }
        #expect(results[0].stems[0].map(\.count) == source.map(\.count))
        let isSame = results[0].stems == results[1].stems
        #expect(isSame)
    }

    /// What demuser takes the reverberation from is the speech, which is the source without the music.
    @Test func demuserDriesTheSpeech() throws {
        let (early, whole) = try Self.room.get()
        let speech = try [false, true].map { dereverb in
            let result = try split(whole, .demuser, dereverb: dereverb)
            return zip(result.source, result.stem).map { zip($0, $1).map { $0 - $1 } }
        }
        print("Demuser: \(quality(speech[0], early)), dried \(quality(speech[1], early)) dB")
        #expect(quality(speech[1], early) > quality(speech[0], early) + 4)
    }

    /// Only voices have a room that is to be taken away; blocks change nothing.
    @Test func otherStemsAreKept() throws {
        let source = try decode(EngineTests.song, start: 20, seconds: 8)
        let kind = SplitKind.stems(["drum", "vocals"], clearCut: false)
        let wet = try Engine.separate(Engine.all.get(), source, kind, rate: 44_100)
        let dry = try Engine.separate(Engine.all.get(), source, kind, rate: 44_100, dereverb: true)
        let isDrumKept = dry.stems[0] == wet.stems[0]
        #expect(isDrumKept)
        let isVoiceKept = dry.stems[1] == wet.stems[1]
        #expect(!isVoiceKept)
        let pieces = try Engine.separate(
            Engine.all.get(), source, kind, rate: 44_100, block: 10_007, dereverb: true)
        let isSame = pieces.stems == dry.stems && pieces.source == source
        #expect(isSame)
    }

    @Test func silenceStaysSilence() throws {
        let silence = [[Float]](repeating: Array(repeating: 0, count: 50_000), count: 2)
        let result = try split(silence, .voiceClean(.mild), dereverb: true)
        let isSilent = result.stem == silence
        #expect(isSilent)
    }

    @Test func withoutTheModelItIsRefused() throws {
        let separator = try Engine.only(["music-core"])
        let kind = SplitKind.stems(["vocals"], clearCut: false)
        try separator.requireInstalled(kind)
        #expect(throws: ModelError.notInstalled(stems: ["dry voice"])) {
            try separator.requireInstalled(kind, dereverb: true)
        }
    }
}
