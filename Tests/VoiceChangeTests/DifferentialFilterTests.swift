import DSP
import Foundation
import TestSupport
import Testing
import VoiceChange

@Suite struct DifferentialFilterTests {
    /// Filters samples with `difference`, which fills values for frame `t` or says that the frame passes.
    func filter(
        _ samples: [Float], _ shape: VoiceShape, block: Int = 5000,
        difference: (Int, UnsafeMutablePointer<Float>) -> Bool
    ) throws -> [Float] {
        let filter = try DifferentialFilter(shape)
        let (signal, output) = (FrameQueue(length: 1), FrameQueue(length: 1))
        let values = AlignedBuffer(count: shape.bins)
        var next = 0
        for first in stride(from: 0, to: samples.count, by: block) {
            let piece = Array(samples[first..<min(first + block, samples.count)])
            signal.append(piece.count).update(from: piece, count: piece.count)
            let ended = signal.end == samples.count
            while next < shape.frames(samples: samples.count),
                ended || shape.center(of: next + 1) <= signal.end
            {
                let filters = difference(next, values.pointer)
                filter.add(
                    difference: filters ? UnsafePointer(values.pointer) : nil, of: signal,
                    into: output)
                signal.drop(before: shape.center(of: next))
                next += 1
            }
        }
        filter.finish(length: samples.count, into: output)
        return contents(output)
    }

    @Test(arguments: World.names)
    func noDifferenceIsTheSameWaveform(_ name: String) throws {
        let world = try World.load(name)
        let samples = try world.samples()
        let shape = VoiceShape(sampleRate: world.sampleRate)
        for filters in [true, false] {
            let again = try filter(samples, shape) { _, values in
                values.update(repeating: 0, count: shape.bins)
                return filters
            }
            #expect(again.count == samples.count)
            #expect(difference([again], [samples]) < -100)
        }
    }

    @Test func aConstantDifferenceIsAGain() throws {
        let world = try World.load("singing")
        let samples = try world.samples()
        let shape = VoiceShape(sampleRate: world.sampleRate)
        let again = try filter(samples, shape) { _, values in
            values.update(repeating: Float(2 * log(0.25)), count: shape.bins)
            return true
        }
        #expect(difference([again.map { $0 * 4 }], [samples]) < -100)
    }

    /// A click under a strong filter: nothing before it, and the spectrum afterwards is the one asked for.
    @Test func nothingSoundsBeforeItsCause() throws {
        let shape = VoiceShape(sampleRate: 44_100)
        var samples = [Float](repeating: 0, count: 8192)
        let click = 3000
        samples[click] = 1
        let asked = { (bin: Int) in Float(3 * cos(2 * Double.pi * Double(bin) / 200)) }
        let again = try filter(samples, shape) { _, values in
            for bin in 0..<shape.bins { values[bin] = asked(bin) }
            return true
        }
        let before = again[..<click].reduce(0) { max($0, abs($1)) }
        #expect(before < 1e-5)
        let transform = try RealTransform(size: shape.transformSize)
        let piece = AlignedBuffer(count: shape.transformSize)
        let spectrum = AlignedBuffer(count: shape.transformSize + 2)
        for i in 0..<shape.transformSize { piece.pointer[i] = again[click + i] }
        transform.forward(piece.pointer, into: spectrum.pointer)
        for bin in 0..<shape.bins {
            let (re, im) = (spectrum.pointer[2 * bin], spectrum.pointer[2 * bin + 1])
            #expect(abs(log(re * re + im * im) - asked(bin)) < 0.01)
        }
    }

    /// The envelope of what is filtered by the difference of two frames' envelopes is the other's.
    @Test func theEnvelopeBecomesTheOneAskedFor() throws {
        let world = try World.load("speech")
        let samples = try world.samples()
        let shape = VoiceShape(sampleRate: world.sampleRate)
        // Formants a tenth higher.
        var wanted: [[Float]] = []
        var present: [[Float]] = []
        try shape.analyze(samples, world.frequencies) { _, frame, _ in
            let envelope = (0..<shape.bins).map { frame.envelope[$0] }
            present.append(envelope)
            wanted.append(envelope.indices.map { envelope[Int(Double($0) / 1.1)] })
        }
        let again = try filter(samples, shape) { t, values in
            for bin in 0..<shape.bins { values[bin] = wanted[t][bin] - present[t][bin] }
            return t >= world.frequencies.count || world.frequencies[t] > 0
        }
        var (reached, without, count) = (0.0, 0.0, 0.0)
        try shape.analyze(again, world.frequencies) { t, frame, _ in
            guard frame.frequency > 0, t < world.frequencies.count else { return }
            // Up to 8 kHz.
            for bin in 1..<shape.bins * 4 / 11 {
                reached += Double(abs(frame.envelope[bin] - wanted[t][bin]))
                without += Double(abs(present[t][bin] - wanted[t][bin]))
                count += 1
            }
        }
        #expect(reached < 0.4 * without)
    }

    @Test func blocksDoNotChangeTheResult() throws {
        let world = try World.load("speech")
        let samples = try Array(world.samples().prefix(40_000))
        let shape = VoiceShape(sampleRate: world.sampleRate)
        let run = { (block: Int) in
            try filter(samples, shape, block: block) { t, values in
                for bin in 0..<shape.bins { values[bin] = Float(sin(Double(t + bin) / 50)) }
                return t % 40 < 30
            }
        }
        let whole = try run(samples.count)
        for block in [100, 1021] { #expect(try run(block) == whole) }
    }
}
