import DSP
import Foundation
import Testing
import VoiceChange

@Suite struct AnalysisTests {
    @Test(arguments: World.names)
    func envelopesAreThoseOfWorld(_ name: String) throws {
        let world = try World.load(name)
        let shape = VoiceShape(sampleRate: world.sampleRate)
        var distances: [Double] = []
        try shape.analyze(world.samples(), world.frequencies) { t, frame, _ in
            guard let row = world.envelopeFrames.firstIndex(of: t) else { return }
            let squares = world.envelopes[row].enumerated().map { index, decibels in
                let ours = 10 * log10(exp(Double(frame.envelope[index * world.binStep])))
                return pow(ours - Double(decibels), 2)
            }
            distances.append((squares.reduce(0, +) / Double(squares.count)).squareRoot())
        }
        #expect(distances.count == world.envelopeFrames.count)
        let mean = distances.reduce(0, +) / Double(distances.count)
        #expect(mean < 0.05)
    }

    @Test(arguments: World.names)
    func aperiodicityIsThatOfWorld(_ name: String) throws {
        let world = try World.load(name)
        let shape = VoiceShape(sampleRate: world.sampleRate)
        var differences: [Double] = []
        var (voiced, agreeing) = (0, 0)
        try shape.analyze(world.samples(), world.frequencies) { t, frame, _ in
            guard t < world.frequencies.count, world.frequencies[t] > 0 else { return }
            // In frames that fail its voicing check, WORLD's aperiodicity is 0 dB.
            let theirs = world.aperiodicity[t]
            voiced += 1
            if (frame.frequency > 0) == theirs.contains(where: { $0 < 0 }) { agreeing += 1 }
            guard frame.frequency > 0 else { return }
            #expect(frame.aperiodicity.count == theirs.count)
            for (a, b) in zip(frame.aperiodicity, theirs) { differences.append(abs(Double(a - b))) }
        }
        #expect(differences.reduce(0, +) / Double(differences.count) < 0.1)
        #expect(Double(agreeing) > 0.99 * Double(voiced))
    }

    /// The envelope's level is that of the power spectrum of white noise of variance 1.
    @Test(arguments: [8000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000])
    func noiseIsFlatAtEveryRate(rate: Int) throws {
        let shape = VoiceShape(sampleRate: rate)
        let noise = uniformNoise(rate).map { $0 * sqrt(3) }
        var (sum, count) = (0.0, 0.0)
        try shape.analyze(noise, []) { _, frame, _ in
            #expect(frame.frequency == 0 && frame.aperiodicity.allSatisfy { $0 == 0 })
            for bin in 0..<shape.bins { sum += Double(exp(frame.envelope[bin])) }
            count += Double(shape.bins)
        }
        #expect(abs(10 * log10(sum / count)) < 0.5)
    }
}
