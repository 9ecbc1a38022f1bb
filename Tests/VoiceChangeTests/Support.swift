import DSP
import Foundation
import TestSupport
import VoiceChange

/// What WORLD (pyworld) finds in a recording; see make_fixture.py beside this file.
struct World: Decodable {
    let recording: String
    let sampleRate: Int
    let start: Double
    let seconds: Double
    let frequencies: [Float]
    let envelopeFrames: [Int]
    let binStep: Int
    /// Decibels.
    let envelopes: [[Float]]
    /// Decibels, of every frame.
    let aperiodicity: [[Float]]
    /// Decibels between the recording and WORLD's own resynthesis.
    let resynthesisDistance: Double

    static let names = ["singing", "speech", "paola"]

    static func load(_ name: String) throws -> World {
        let file = Repository.root.appendingPathComponent("Tests/Fixtures/world/\(name).json")
        return try JSONDecoder().decode(World.self, from: Data(contentsOf: file))
    }

    func samples() throws -> [Float] {
        try decode(
            Repository.recordings.appendingPathComponent(recording), channels: 1, rate: sampleRate,
            start: start, seconds: seconds)[0]
    }
}

extension VoiceShape {
    /// Takes samples in blocks, analyzes each frame as soon as it is possible, and lets `body` use it.
    func analyze(
        _ samples: [Float], _ frequencies: [Float], block: Int = 10_000,
        body: (Int, VoiceFrame, FrameQueue) throws -> Void
    ) throws {
        let analyzer = try VoiceAnalyzer(self)
        let frame = VoiceFrame(self)
        let signal = FrameQueue(length: 1)
        var next = 0
        for first in stride(from: 0, to: samples.count, by: block) {
            let piece = samples[first..<min(first + block, samples.count)]
            signal.append(piece.count).update(from: Array(piece), count: piece.count)
            let ended = signal.end == samples.count
            let last = frames(samples: samples.count)
            while next < last, ended || center(of: next) + analyzer.reach < signal.end {
                let frequency = next < frequencies.count ? frequencies[next] : 0
                analyzer.analyze(frame: next, frequency: frequency, of: signal, into: frame)
                try body(next, frame, signal)
                next += 1
                signal.drop(before: center(of: next) - analyzer.reach)
            }
        }
    }

    /// The samples, taken apart and put together again.
    func resynthesize(
        _ samples: [Float], _ frequencies: [Float], block: Int = 10_000, pitch: Float = 1
    ) throws -> [Float] {
        let synthesizer = try VoiceSynthesizer(self)
        let output = FrameQueue(length: 1)
        try analyze(samples, frequencies, block: block) { _, frame, _ in
            frame.frequency *= pitch
            synthesizer.add(frame, into: output)
        }
        synthesizer.finish(length: samples.count, into: output)
        return contents(output)
    }
}

func contents(_ queue: FrameQueue) -> [Float] {
    guard queue.end > queue.start else { return [] }
    return Array(UnsafeBufferPointer(start: queue[queue.start], count: queue.end - queue.start))
}

/// Log-spectral distance in decibels, over what is less than 40 dB below the loudest frame; as in make_fixture.py.
func logSpectralDistance(_ x: [Float], _ y: [Float]) throws -> Double {
    let shape = ShortTimeShape(size: 1024, hop: 256)
    let analyzer = try Analyzer(shape)
    let queues = [x, y].map { samples in
        let queue = FrameQueue(length: 1)
        queue.append(samples.count).update(from: samples, count: samples.count)
        return queue
    }
    let spectrum = AlignedBuffer(count: shape.frameLength)
    var powers: [[[Double]]] = [[], []]
    for frame in 2...(min(x.count, y.count) / shape.hop - 2) {
        for side in 0..<2 {
            analyzer.analyze(frame: frame, of: queues[side], into: spectrum.pointer)
            powers[side].append(
                (0..<shape.bins).map { bin in
                    let (re, im) = (spectrum.pointer[2 * bin], spectrum.pointer[2 * bin + 1])
                    return Double(re * re + im * im)
                })
        }
    }
    let loudest = powers[0].map { $0.reduce(0, +) }.max() ?? 0
    let distances = zip(powers[0], powers[1]).filter { $0.0.reduce(0, +) > 1e-4 * loudest }
        .map { a, b in
            let squares = zip(a, b).map { pow(10 * log10(($0 + 1e-9) / ($1 + 1e-9)), 2) }
            return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
        }
    return distances.reduce(0, +) / Double(distances.count)
}

/// The pitch around a sample: where the normalized cross-correlation of neighboring pieces peaks, within an octave
/// around the one expected, in hertz.
func pitch(of x: [Float], around center: Int, near expected: Double, rate: Double) -> Double? {
    let period = rate / expected
    let length = Int(2 * period)
    let lags = Int(period / 1.4)...Int(period * 1.4) + 1
    guard center > length + lags.upperBound, center + length + lags.upperBound < x.count else {
        return nil
    }
    let scores = lags.map { lag in
        let first = center - (length + lag) / 2
        var (product, a, b) = (0.0, 1e-12, 1e-12)
        for i in first..<first + length {
            product += Double(x[i] * x[i + lag])
            a += Double(x[i] * x[i])
            b += Double(x[i + lag] * x[i + lag])
        }
        return product / (a * b).squareRoot()
    }
    let best = scores.indices.max { scores[$0] < scores[$1] }!
    guard best > 0, best < scores.count - 1 else { return nil }
    let (a, b, c) = (scores[best - 1], scores[best], scores[best + 1])
    return rate / (Double(lags.lowerBound + best) + 0.5 * (a - c) / (a - 2 * b + c))
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// Uniform noise between −1 and 1 that is the same in every run.
func uniformNoise(_ count: Int) -> [Float] {
    var state: UInt64 = 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
    }
}
