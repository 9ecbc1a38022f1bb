/// Turns frames of one or more channels back into samples by weighted overlap-add.
///
/// The window weighs each frame a second time and the sum is divided by the sum of squared windows
/// (Griffin and Lim, 1984, eq. 6), so that frames that were not changed give the signal back, also at its
/// edges, where fewer frames overlap. A channel of zeros gives zeros.
public final class Synthesizer {
    private let shape: ShortTimeShape
    private let pairs: [Pair]
    /// The frame of a channel that is not there.
    private let silence: AlignedBuffer
    private let window: [Float]
    /// What the sum is multiplied by where no frame is missing, by place within a hop.
    private let normalization: [Float]
    private var frame = 0
    /// Index after the last sample that was given back.
    private var emitted = 0

    public init(_ shape: ShortTimeShape, channels: Int) throws(TransformError) {
        self.shape = shape
        var pairs: [Pair] = []
        for _ in stride(from: 0, to: channels, by: 2) { pairs.append(try Pair(shape)) }
        self.pairs = pairs
        silence = AlignedBuffer(count: shape.frameLength)
        let window = shape.window
        self.window = window
        normalization = (0..<shape.hop).map { place in
            let weights = stride(from: place, to: shape.size, by: shape.hop)
            return Synthesizer.inverse(weights.reduce(0) { $0 + window[$1] * window[$1] })
        }
    }

    /// Adds the next frame and appends to `outputs` the samples that no later frame touches.
    /// - Parameters:
    ///   - spectra: `2 · bins` values for each channel.
    ///   - outputs: Queues of samples by channel.
    public func add(_ spectra: [UnsafePointer<Float>], into outputs: [FrameQueue]) {
        for (index, pair) in pairs.enumerated() {
            let second = 2 * index + 1 < spectra.count ? spectra[2 * index + 1] : nil
            pair.add(spectra[2 * index], second ?? UnsafePointer(silence.pointer), frame: frame)
        }
        frame += 1
        emit(until: frame * shape.hop - shape.size / 2, into: outputs)
    }

    /// Appends what is left, so that `outputs` have received `length` samples each in all.
    public func finish(length: Int, into outputs: [FrameQueue]) {
        emit(until: length, into: outputs)
    }

    private func emit(until end: Int, into outputs: [FrameQueue]) {
        while emitted < end {
            // Up to where the next frame would begin.
            let place = (emitted + shape.size / 2) % shape.hop
            let count = min(shape.hop - place, end - emitted)
            let isWhole =
                emitted >= shape.size / 2 - shape.hop
                && (emitted + shape.size / 2) / shape.hop < frame
            let gains = isWhole ? normalization : normalization(hopOf: emitted - place)
            gains.withUnsafeBufferPointer { gains in
                for (index, pair) in pairs.enumerated() {
                    pair.emit(
                        count, gains: gains.baseAddress! + place, outputs[2 * index],
                        2 * index + 1 < outputs.count ? outputs[2 * index + 1] : nil)
                }
            }
            emitted += count
        }
    }

    /// What the sum is multiplied by in a hop that not all frames cover that would in the middle of a signal.
    private func normalization(hopOf start: Int) -> [Float] {
        let first = (start + shape.size / 2) / shape.hop  // the last frame that covers it
        return (0..<shape.hop).map { place in
            var sum: Float = 0
            for (offset, index) in stride(from: place, to: shape.size, by: shape.hop).enumerated()
            where 0 <= first - offset && first - offset < frame {
                sum += window[index] * window[index]
            }
            return Synthesizer.inverse(sum)
        }
    }

    private static func inverse(_ weight: Float) -> Float { weight > 1e-8 ? 1 / weight : 0 }
}

/// The sum of the windowed frames of two channels, whose samples alternate.
private final class Pair {
    private let shape: ShortTimeShape
    private let transform: PairTransform
    private let samples: AlignedBuffer
    /// The window over alternating samples.
    private let window: AlignedBuffer
    /// From the oldest sample that a coming frame can touch.
    private let sum = FrameQueue(length: 2)

    init(_ shape: ShortTimeShape) throws(TransformError) {
        self.shape = shape
        transform = try PairTransform(size: shape.size)
        samples = AlignedBuffer(count: 2 * shape.size)
        window = AlignedBuffer(count: 2 * shape.size)
        for (index, weight) in shape.window.enumerated() {
            let scaled = weight / Float(shape.size)
            (window.pointer[2 * index], window.pointer[2 * index + 1]) = (scaled, scaled)
        }
    }

    func add(_ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, frame: Int) {
        let start = frame * shape.hop - shape.size / 2
        let from = max(start, 0)
        let to = start + shape.size
        if sum.end < to { sum.append(to - sum.end) }
        transform.inverse(first, second, into: samples.pointer)
        let sums = sum[from]
        let source = samples.pointer + 2 * (from - start)
        let weights = window.pointer + 2 * (from - start)
        for index in 0..<2 * (to - from) { sums[index] += source[index] * weights[index] }
    }

    /// Hands the oldest samples on.
    func emit(
        _ count: Int, gains: UnsafePointer<Float>, _ first: FrameQueue, _ second: FrameQueue?
    ) {
        if sum.end < sum.start + count { sum.append(sum.start + count - sum.end) }
        let sums = sum[sum.start]
        let place = first.append(count)
        for index in 0..<count { place[index] = sums[2 * index] * gains[index] }
        if let place = second?.append(count) {
            for index in 0..<count { place[index] = sums[2 * index + 1] * gains[index] }
        }
        sum.drop(before: sum.start + count)
    }
}
