import DSP
import Foundation
import Inference
import TestSupport
import Testing
import VoiceChange

/// Voices of the RVC family, with small networks that have the inputs and outputs of real ones; see make_networks.py.
@Suite struct NeuralVoiceTests {
    static let runtime = Repository.root.appendingPathComponent(
        ".deps/openvino/libs/libopenvino_c.so"
    ).path

    func voice(
        _ name: String, encoder: String = "content", speaker: Int = 0, seed: Int = 0
    ) throws -> NeuralVoice {
        let folder = Repository.root.appendingPathComponent("Tests/Fixtures/neural-voice")
        return try NeuralVoice(
            name: name, voice: folder.appendingPathComponent("\(name).onnx"),
            encoder: folder.appendingPathComponent("\(encoder).onnx"),
            InferenceRuntime(library: Self.runtime), threads: 1, speaker: speaker, seed: seed)
    }

    func convert(
        _ samples: [Float], _ voice: NeuralVoice, rate: Int = 44_100, block: Int = 20_000,
        frequency: @escaping (Int) -> Float
    ) throws -> [Float] {
        let converter = try NeuralConverter(
            voice, sampleRate: rate, frequency: frequency)
        let output = FrameQueue(length: 1)
        for first in stride(from: 0, to: samples.count, by: block) {
            try samples[first..<min(first + block, samples.count)].withUnsafeBufferPointer {
                try converter.push($0, into: output)
            }
        }
        try converter.finish(length: samples.count, into: output)
        return Array(contents(output).prefix(samples.count))
    }

    /// A tone of 3.1 s, then a pause of 0.4 s, again and again.
    func phrases(seconds: Int, rate: Int) -> [Float] {
        (0..<seconds * rate).map { i in
            let t = Double(i) / Double(rate)
            return t.truncatingRemainder(dividingBy: 3.5) < 3.1
                ? Float(0.5 * sin(2 * .pi * 150 * t)) : 0
        }
    }

    func level(_ samples: some Collection<Float>) -> Double {
        let sum = samples.reduce(0) { $0 + Double($1) * Double($1) }
        return 10 * log10(sum / Double(max(samples.count, 1)) + 1e-12)
    }

    @Test(arguments: ["webui", "client"])
    func itSpeaksWithThePitchThatItIsTold(_ name: String) throws {
        let rate = 44_100
        let samples = phrases(seconds: 20, rate: rate)
        let spoken = try convert(samples, voice(name)) { $0 < 1000 ? 220 : 330 }
        #expect(spoken.count == samples.count)
        for (second, expected) in [(2.0, 220.0), (6.0, 220), (12.0, 330), (15.5, 330)] {
            let found = try #require(
                pitch(
                    of: spoken, around: Int(second * Double(rate)), near: expected,
                    rate: Double(rate)))
            #expect(abs(1200 * log2(found / expected)) < 10, "\(found) at \(second) s")
        }
    }

    /// Loud where the recording is, silent where it pauses, to 30 ms.
    @Test(arguments: ["content", "content-turned"])
    func itSpeaksWhenTheRecordingDoes(_ encoder: String) throws {
        let rate = 48_000
        let samples = phrases(seconds: 21, rate: rate)
        let spoken = try convert(samples, voice("client", encoder: encoder), rate: rate) { _ in 200
        }
        for start in stride(from: 0.0, to: 21, by: 3.5) {
            let tone = Int((start + 0.03) * 48_000)..<Int((start + 3.07) * 48_000)
            let pause = Int((start + 3.13) * 48_000)..<Int((start + 3.47) * 48_000)
            for piece in stride(from: tone.lowerBound, to: tone.upperBound - 4800, by: 2400) {
                #expect(abs(level(spoken[piece..<piece + 4800]) - level(spoken[tone])) < 1.5)
            }
            #expect(level(spoken[pause]) < level(spoken[tone]) - 60)
        }
    }

    @Test func blocksDoNotMatterAndNoiseRepeats() throws {
        let samples = phrases(seconds: 15, rate: 44_100)
        let voice = try voice("webui")
        let first = try convert(samples, voice) { _ in 180 }
        let again = try convert(samples, voice, block: 1111) { _ in 180 }
        let isEqual = first == again
        #expect(isEqual)
    }

    @Test func aVoiceWithoutPitchSpeaksToo() throws {
        let voice = try voice("client-flat")
        #expect(!voice.hasPitch && voice.sampleRate == 40_000)
        let samples = phrases(seconds: 4, rate: 44_100)
        #expect(try level(convert(samples, voice) { _ in 0 }[44_100..<88_200]) > -40)
    }

    @Test func speakersAreToldApart() throws {
        let samples = phrases(seconds: 4, rate: 44_100)
        let levels = try (0...1).map { speaker in
            let voice = try voice("webui", speaker: speaker)
            return try level(convert(samples, voice) { _ in 200 }[44_100..<88_200])
        }
        #expect(abs(levels[0] - levels[1] - 20 * log10(2)) < 0.1)
    }

    @Test(arguments: [0, 1, 100, 44_100])
    func shortRecordingsKeepTheirLength(_ count: Int) throws {
        let spoken = try convert([Float](repeating: 0.1, count: count), voice("client")) { _ in 200
        }
        #expect(spoken.count == count)
    }

    @Test func whatIsNoVoiceIsRefused() throws {
        for (name, encoder) in [("content", "content"), ("client", "client"), ("webui", "nothing")]
        {
            #expect {
                try voice(name, encoder: encoder)
            } throws: {
                guard case ModelError.refused = $0 else { return false }
                return true
            }
        }
    }
}
