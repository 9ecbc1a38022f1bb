/// The peaks of a recording, for drawing it: of every so many samples the smallest and the largest.
///
/// The format is that of BBC audiowaveform, version 2, with 8 bits (its `doc/DataFormat.md`), which peaks.js and
/// waveform-data.js read. Samples go in block by block; no more than ``maximumValues`` bytes are kept: where there would be more,
/// a pixel stands for twice as many samples from then on.
public struct Waveform: Sendable {
    /// Minima and maxima of all channels together that a waveform has at most: JSON of 320 KB.
    public static let maximumValues = 65_536

    public let channels: Int
    /// Hz.
    public let sampleRate: Int
    /// Samples of one channel that a pixel stands for: a power of two, 256 at least.
    public private(set) var samplesPerPixel = 256

    /// Of each full pixel the minimum and maximum of the first channel, of the second, …
    private var values: [Int8] = []
    /// Of the pixel that is not full yet, by channel.
    private var extremes: [Extremes]
    private var filled = 0

    /// An empty waveform.
    public init(channels: Int, sampleRate: Int) {
        self.channels = channels
        self.sampleRate = sampleRate
        extremes = Array(repeating: Extremes(), count: channels)
    }

    /// Adds samples.
    /// - Parameter block: `[channel][sample]`, full scale ±1.
    public mutating func add(_ block: [[Float]]) {
        guard let count = block.first?.count else { return }
        var start = 0
        while start < count {
            if filled == 0, values.count >= 2 * channels * mostPixels { halve() }
            let end = min(count, start + samplesPerPixel - filled)
            for channel in block.indices {
                block[channel].withUnsafeBufferPointer { samples in
                    extremes[channel].add(UnsafeBufferPointer(rebasing: samples[start..<end]))
                }
            }
            filled += end - start
            start = end
            if filled == samplesPerPixel {
                for channel in extremes { values += channel.quantized }
                extremes = Array(repeating: Extremes(), count: channels)
                filled = 0
            }
        }
    }

    private var mostPixels: Int { max(1, Self.maximumValues / (2 * channels)) }

    /// Makes one pixel of two. One that is left over is the first half of the next.
    private mutating func halve() {
        let fine = values
        let width = 2 * channels
        values = []
        for start in stride(from: 0, to: fine.count - width, by: 2 * width) {
            for index in start..<start + width {
                let (first, second) = (fine[index], fine[index + width])
                values.append((index - start) % 2 == 0 ? min(first, second) : max(first, second))
            }
        }
        if fine.count % (2 * width) != 0 {
            let last = fine.suffix(width).map { Float($0) / 128 }
            for channel in 0..<channels {
                extremes[channel] = Extremes(low: last[2 * channel], high: last[2 * channel + 1])
            }
            filled = samplesPerPixel
        }
        samplesPerPixel *= 2
    }

    /// The largest magnitude.
    public static func peak(of samples: [Float]) -> Float {
        var extremes = Extremes()
        samples.withUnsafeBufferPointer { extremes.add($0) }
        return samples.isEmpty ? 0 : extremes.magnitude
    }

    /// The waveform of what was added, as JSON; its last pixel may stand for fewer samples.
    public var json: String {
        let all = filled == 0 ? values : values + extremes.flatMap(\.quantized)
        return """
            {"version":2,"channels":\(channels),"sample_rate":\(sampleRate),\
            "samples_per_pixel":\(samplesPerPixel),"bits":8,"length":\(all.count / (2 * channels)),\
            "data":[\(all.map(String.init).joined(separator: ","))]}
            """
    }
}

/// The smallest and the largest of some samples.
private struct Extremes {
    var low = Float.infinity
    var high = -Float.infinity

    mutating func add(_ samples: UnsafeBufferPointer<Float>) {
        // Eight at a time, so that the loop is one of vector instructions.
        var lows = SIMD8(repeating: low)
        var highs = SIMD8(repeating: high)
        var index = 0
        while index + 8 <= samples.count {
            let values = UnsafeRawPointer(samples.baseAddress! + index)
                .loadUnaligned(as: SIMD8<Float>.self)
            lows.replace(with: values, where: values .< lows)
            highs.replace(with: values, where: values .> highs)
            index += 8
        }
        (low, high) = (lows.min(), highs.max())
        for sample in samples[index...] {
            low = min(low, sample)
            high = max(high, sample)
        }
    }

    var magnitude: Float { max(-low, high) }

    /// Minimum and maximum in steps of 1/128, rounded to the nearest.
    var quantized: [Int8] {
        [low, high].map { value in
            // In this order what is no number becomes 127 and not a crash.
            Int8(max(-128, min(127, (value * 128).rounded(.toNearestOrEven))))
        }
    }
}
