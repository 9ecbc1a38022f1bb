import DSP
import Foundation
import Testing
import VoiceChange

@Suite struct SynthesisTests {
    @Test(arguments: World.names)
    func resynthesisIsAsNearAsThatOfWorld(_ name: String) throws {
        let world = try World.load(name)
        let samples = try world.samples()
        let again = try VoiceShape(sampleRate: world.sampleRate)
            .resynthesize(samples, world.frequencies)
        let distance = try logSpectralDistance(samples, again)
        #expect(again.count == samples.count)
        #expect(distance <= world.resynthesisDistance)
    }

    @Test(arguments: World.names, [0, 3, -5])
    func pitchIsTheOneAskedFor(_ name: String, semitones: Float) throws {
        let world = try World.load(name)
        let ratio = pow(2, semitones / 12)
        let shape = VoiceShape(sampleRate: world.sampleRate)
        let samples = try world.samples()
        let again = try shape.resynthesize(samples, world.frequencies, pitch: ratio)
        let errors = world.frequencies.indices.compactMap { t -> Double? in
            let around = world.frequencies[max(t - 4, 0)..<min(t + 5, world.frequencies.count)]
            guard around.allSatisfy({ $0 > 0 }) else { return nil }
            let asked = Double(world.frequencies[t] * ratio)
            return pitch(
                of: again, around: shape.center(of: t), near: asked, rate: Double(world.sampleRate)
            ).map { abs(12 * log2($0 / asked)) }
        }
        #expect(errors.count > 100)
        #expect(median(errors) < 0.2)
    }

    @Test func blocksDoNotChangeTheResult() throws {
        let world = try World.load("speech")
        let shape = VoiceShape(sampleRate: world.sampleRate)
        let samples = try Array(world.samples().prefix(60_000))
        let whole = try shape.resynthesize(samples, world.frequencies, block: samples.count)
        for block in [64, 1021, 4096] {
            let again = try shape.resynthesize(samples, world.frequencies, block: block)
            #expect(again == whole)
        }
    }

    @Test func silenceStaysSilent() throws {
        let shape = VoiceShape(sampleRate: 44_100)
        for frequency in [Float(0), 200] {
            let again = try shape.resynthesize(
                [Float](repeating: 0, count: 44_100),
                [Float](repeating: frequency, count: 201))
            #expect(again == [Float](repeating: 0, count: 44_100))
        }
    }

    /// A pause in a recording is as silent afterwards, from the end of the last period on.
    @Test func pausesStaySilent() throws {
        let world = try World.load("speech")
        let voice = try Array(world.samples().prefix(44_100))
        let samples = voice + [Float](repeating: 0, count: 44_100)
        let again = try VoiceShape(sampleRate: 44_100).resynthesize(samples, world.frequencies)
        #expect(again[50_000...].allSatisfy { $0 == 0 })
        #expect(again[..<44_100].contains { abs($0) > 0.01 })
    }

    /// The shortest recordings and the strangest pitches give finite samples, as many as came in.
    @Test(arguments: [0, 1, 100, 5000], [1, 30, 1100, 30_000] as [Float])
    func nothingIsTooShortOrTooHigh(length: Int, frequency: Float) throws {
        for rate in [8000, 44_100] {
            let again = try VoiceShape(sampleRate: rate).resynthesize(
                uniformNoise(length).enumerated().map { $1 + Float(sin(Double($0) / 20)) },
                [Float](repeating: frequency, count: 1 + length / 40))
            #expect(again.count == length)
            #expect(again.allSatisfy { abs($0) < 100 })
        }
    }

    /// Without pitch, noise becomes other noise of the same level and color.
    @Test func whatIsUnvoicedBecomesNoise() throws {
        var last: Float = 0
        let samples = uniformNoise(88_200).map { value in
            last = 0.9 * last + 0.1 * value
            return last
        }
        let again = try VoiceShape(sampleRate: 44_100).resynthesize(samples, [])
        let energy = { (x: [Float]) in x.reduce(0.0) { $0 + Double($1 * $1) } }
        #expect(abs(10 * log10(energy(again) / energy(samples))) < 1)
        // Colored: neighboring samples are alike. Other: it is not the recording.
        let neighbors = zip(again, again.dropFirst()).reduce(0.0) { $0 + Double($1.0 * $1.1) }
        #expect(abs(neighbors / energy(again) - 0.9) < 0.03)
        let common = zip(again, samples).reduce(0.0) { $0 + Double($1.0 * $1.1) }
        #expect(abs(common) < 0.1 * energy(again))
    }
}
