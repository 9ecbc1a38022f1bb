import DSP
import Foundation
import Testing

/// Noise that is the same in every run.
func noise(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
    }
}

func queue(_ samples: [Float]) -> FrameQueue {
    let queue = FrameQueue(length: 1)
    queue.append(samples.count).update(from: samples, count: samples.count)
    return queue
}

func contents(_ queue: FrameQueue) -> [Float] {
    guard queue.end > queue.start else { return [] }
    return Array(UnsafeBufferPointer(start: queue[queue.start], count: queue.end - queue.start))
}

@Suite struct TransformTests {
    @Test func forwardIsTheDiscreteFourierTransform() throws {
        let size = 64
        let samples = noise(size)
        let transform = try RealTransform(size: size)
        let input = AlignedBuffer(count: size)
        input.pointer.update(from: samples, count: size)
        let spectrum = AlignedBuffer(count: size + 2)
        transform.forward(input.pointer, into: spectrum.pointer)
        for bin in 0...size / 2 {
            var (re, im) = (0.0, 0.0)
            for (n, x) in samples.enumerated() {
                let angle = -2 * Double.pi * Double(bin * n) / Double(size)
                re += Double(x) * cos(angle)
                im += Double(x) * sin(angle)
            }
            #expect(abs(Double(spectrum.pointer[2 * bin]) - re) < 1e-4)
            #expect(abs(Double(spectrum.pointer[2 * bin + 1]) - im) < 1e-4)
        }
        let back = AlignedBuffer(count: size)
        transform.inverse(spectrum.pointer, into: back.pointer)
        for n in 0..<size { #expect(abs(back.pointer[n] - samples[n]) < 1e-5) }
    }

    @Test(arguments: [0, 1, 5, 1023, 1024, 4096, 10_000, 50_001], [1, 2, 3])
    func unchangedFramesGiveTheSignalBack(length: Int, channels: Int) throws {
        let shape = ShortTimeShape(size: 4096, hop: 1024)
        let samples = (0..<channels).map { noise(length, seed: UInt64($0 + 1)) }
        let results = try analyzedAndBack(samples, shape)
        for (result, samples) in zip(results, samples) {
            try #require(result.count >= length)
            #expect(zip(result, samples).allSatisfy { abs($0 - $1) < 2e-5 })
        }
    }

    @Test(arguments: [(960, 480, ShortTimeShape.Window.vorbis), (512, 128, .hann), (12, 3, .hann)])
    func otherShapesGiveTheSignalBackToo(size: Int, hop: Int, window: ShortTimeShape.Window) throws
    {
        let samples = [noise(5000, seed: 1), noise(5000, seed: 2)]
        let shape = ShortTimeShape(size: size, hop: hop, window: window)
        for (result, samples) in zip(try analyzedAndBack(samples, shape), samples) {
            #expect(zip(result, samples).allSatisfy { abs($0 - $1) < 2e-5 })
        }
    }

    @Test(arguments: [0, 1])
    func aSilentChannelBesideALoudOneStaysSilent(silent: Int) throws {
        var samples = [noise(20_000), noise(20_000)]
        samples[silent] = [Float](repeating: 0, count: 20_000)
        let results = try analyzedAndBack(samples, ShortTimeShape(size: 4096, hop: 1024))
        #expect(results[silent].allSatisfy { $0 == 0 })
        #expect(zip(results[1 - silent], samples[1 - silent]).allSatisfy { abs($0 - $1) < 2e-5 })
    }

    private func analyzedAndBack(_ samples: [[Float]], _ shape: ShortTimeShape) throws -> [[Float]]
    {
        let signals = samples.map { queue($0) }
        let analyzer = try Analyzer(shape)
        let synthesizer = try Synthesizer(shape, channels: samples.count)
        let outputs = samples.map { _ in FrameQueue(length: 1) }
        let spectra = samples.map { _ in AlignedBuffer(count: shape.frameLength) }
        for frame in 0..<shape.frames(samples: samples[0].count) {
            for (signal, spectrum) in zip(signals, spectra) {
                analyzer.analyze(frame: frame, of: signal, into: spectrum.pointer)
            }
            synthesizer.add(spectra.map { UnsafePointer($0.pointer) }, into: outputs)
        }
        synthesizer.finish(length: samples[0].count, into: outputs)
        return outputs.map { contents($0) }
    }

    @Test func queuesKeepFramesByTheirIndex() {
        let queue = FrameQueue(length: 3)
        var next = 0
        for round in 0..<200 {
            for _ in 0..<(round % 7 + 1) {
                let place = queue.append(1)
                for i in 0..<3 { place[i] = Float(next * 3 + i) }
                next += 1
            }
            queue.drop(before: next - 5)
            for frame in queue.start..<queue.end {
                #expect(queue[frame][2] == Float(frame * 3 + 2))
            }
        }
        #expect(queue.end == next)
    }
}

@Suite struct ResamplerTests {
    @Test(arguments: [(48_000, 44_100), (44_100, 48_000), (8_000, 44_100), (192_000, 44_100)])
    func keepsTimeAndPitch(rates: (Int, Int)) throws {
        let seconds = 2
        let tone = { (rate: Int) in
            (0..<rate * seconds).map {
                Float(sin(2 * Double.pi * 1000 * Double($0) / Double(rate)))
            }
        }
        let input = tone(rates.0)
        let expected = tone(rates.1)
        let resampler = try Resampler(from: rates.0, to: rates.1)
        let output = FrameQueue(length: 1)
        for start in stride(from: 0, to: input.count, by: 1000) {
            input[start..<min(start + 1000, input.count)].withUnsafeBufferPointer {
                resampler.process($0, into: output)
            }
        }
        resampler.finish(into: output)
        let result = contents(output)
        #expect(abs(result.count - expected.count) <= 1)
        // Away from the ends, where the tone begins and stops at once.
        for n in 2000..<expected.count - 2000 { #expect(abs(result[n] - expected[n]) < 1e-4) }
    }

    @Test func doesNotDependOnBlocks() throws {
        let input = noise(48_000)
        let results = try [97, 4800, 48_000].map { size in
            let resampler = try Resampler(from: 48_000, to: 44_100)
            let output = FrameQueue(length: 1)
            for start in stride(from: 0, to: input.count, by: size) {
                input[start..<min(start + size, input.count)].withUnsafeBufferPointer {
                    resampler.process($0, into: output)
                }
            }
            resampler.finish(into: output)
            return contents(output)
        }
        #expect(results[0] == results[2])
        #expect(results[1] == results[2])
    }
}
