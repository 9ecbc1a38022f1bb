import Foundation
import Inference
import Separation
import TestSupport
import Testing
import VoiceChange

@Suite struct PitchTrackerTests {
    func network() throws -> PitchNetwork {
        let library = ModelLibrary(
            directories: [Repository.root.appendingPathComponent(".deps/models").path], cache: nil)
        return try PitchNetwork(
            #require(library.pitch), InferenceRuntime(library: NeuralVoiceTests.runtime),
            threads: 1,
            cache: nil)
    }

    func track(_ samples: [Float], rate: Int, block: Int = 30_000) throws -> [Float] {
        let tracker = try PitchTracker(network(), sampleRate: rate)
        var found: [Float] = []
        for first in stride(from: 0, to: samples.count, by: block) {
            found += try samples[first..<min(first + block, samples.count)]
                .withUnsafeBufferPointer { try tracker.push($0) }
        }
        return found + (try tracker.finish())
    }

    /// A sung vowel of the pitch that `frequency` gives at a time in seconds; 0 = a pause.
    func singing(seconds: Double, rate: Int, _ frequency: (Double) -> Double) -> [Float] {
        var phase = 0.0
        return (0..<Int(seconds * Double(rate))).map { i in
            let pitch = frequency(Double(i) / Double(rate))
            guard pitch > 0 else { return 0 }
            phase += pitch / Double(rate)
            var sum = 0.0
            for harmonic in 1...Int(min(30, Double(rate) / 2 / pitch)) {
                let f = pitch * Double(harmonic)
                // Formants of an open vowel.
                let gain =
                    1 / Double(harmonic)
                    + 2 * exp(-pow((f - 700) / 150, 2)) + exp(-pow((f - 1200) / 200, 2))
                sum += gain * sin(2 * .pi * Double(harmonic) * phase)
            }
            return Float(0.08 * sum)
        }
    }

    /// The share of frames (those far from a change of voicing) whose pitch is within 50 cents, and the median error in cents.
    func score(_ found: [Float], _ frequency: (Double) -> Double, seconds: Double)
        -> (accuracy: Double, median: Double, voicing: Double)
    {
        var errors: [Double] = []
        var (right, wrong) = (0.0, 0.0)
        for (index, value) in found.enumerated() {
            let time = Double(index) * 0.005
            let expected = frequency(time)
            let isClear = [-0.04, 0.04].allSatisfy { (frequency(time + $0) > 0) == (expected > 0) }
            guard isClear, time > 0.05, time < seconds - 0.05 else { continue }
            if (value > 0) == (expected > 0) { right += 1 } else { wrong += 1 }
            if expected > 0, value > 0 { errors.append(abs(1200 * log2(Double(value) / expected))) }
        }
        let sorted = errors.sorted()
        return (
            Double(errors.count { $0 < 50 }) / Double(max(errors.count, 1)),
            sorted.isEmpty ? .infinity : sorted[sorted.count / 2], wrong / max(right + wrong, 1)
        )
    }

    @Test(arguments: [8000, 22_050, 44_100, 96_000])
    func singingOfKnownPitch(_ rate: Int) throws {
        // 65 to 1050 Hz by glides, with vibrato and pauses.
        let frequency: (Double) -> Double = { time in
            if time.truncatingRemainder(dividingBy: 3) > 2.7 { return 0 }
            let glide = 65 * pow(16, time / 20)
            return glide * pow(2, 0.5 / 12 * sin(2 * .pi * 5.5 * time))
        }
        let found = try track(singing(seconds: 20, rate: rate, frequency), rate: rate)
        #expect(found.count == VoiceShape(sampleRate: rate).frames(samples: 20 * rate))
        let (accuracy, median, voicing) = score(found, frequency, seconds: 20)
        #expect(accuracy > 0.98, "\(accuracy) at \(rate) Hz")
        #expect(median < 8, "\(median) cents")
        #expect(voicing < 0.04, "\(voicing)")
    }

    /// What Harvest finds in real voices is found as well, where both hear a voice.
    @Test(arguments: World.names)
    func realVoices(_ name: String) throws {
        let world = try World.load(name)
        let found = try track(world.samples(), rate: world.sampleRate)
        var (same, both, extra, missing) = (0.0, 0.0, 0.0, 0.0)
        for (a, b) in zip(found, world.frequencies) {
            if a > 0, b > 0 {
                both += 1
                if abs(1200 * log2(a / b)) < 50 { same += 1 }
            } else if a > 0 {
                extra += 1
            } else if b > 0 {
                missing += 1
            }
        }
        #expect(same / both > 0.9, "\(same / both)")
        // Harvest hears a pitch in breath and in much that is nearly silent.
        let count = Double(found.count)
        #expect(
            extra / count < 0.04 && missing / count < 0.32, "\(extra / count), \(missing / count)")
    }

    @Test func blocksDoNotMatter() throws {
        let world = try World.load("singing")
        let samples = try world.samples()
        let whole = try track(samples, rate: world.sampleRate, block: samples.count)
        let pieces = try track(samples, rate: world.sampleRate, block: 777)
        let isEqual = whole == pieces
        #expect(isEqual)
    }

    @Test func silenceAndNoiseHaveNoPitch() throws {
        var generator = SystemRandomNumberGenerator()
        for level: Float in [0, 1e-4, 0.3] {
            let samples = (0..<5 * 44_100).map { _ in
                level * Float.random(in: -1...1, using: &generator)
            }
            let found = try track(samples, rate: 44_100)
            #expect(found.count { $0 > 0 } < found.count / 50)
        }
    }

    @Test(arguments: [0, 1, 100, 4096])
    func shortRecordings(_ count: Int) throws {
        let found = try track([Float](repeating: 0.5, count: count), rate: 48_000)
        #expect(found.count == VoiceShape(sampleRate: 48_000).frames(samples: count))
    }
}
