import DSP

/// How loud, and with which sign, a voice is in each channel over time: regression of the channels on their mono mix.
///
/// Sums are taken between the centers of frames and smoothed over a tenth of a second on both sides.
final class Placement {
    /// Frames on each side that a frame's place is the mean of.
    static let reach = 20
    /// Power, against a silent mix, of the place that the weights stand for.
    private static let floor: Float = 1e-6

    private let shape: VoiceShape
    private let typical: [Float]
    /// For each frame: the mix's energy and its products with the channels.
    private var sums: [[Float]] = []
    /// The frame that `sums` begins with.
    private var first = 0

    init(_ shape: VoiceShape, weights: [Float]) {
        self.shape = shape
        let power = weights.reduce(0) { $0 + $1 * $1 }
        typical = weights.map { $0 / power }
    }

    /// Measures the samples from a frame's center to the next one's; frames come in order.
    func measure(frame t: Int, mono: FrameQueue, channels: [FrameQueue]) {
        let start = min(max(shape.center(of: t), mono.start), mono.end)
        let end = max(min(shape.center(of: t + 1), mono.end), start)
        var values = [Float](repeating: 0, count: channels.count + 1)
        if end > start {
            let mix = mono[start]
            for i in 0..<(end - start) { values[0] += mix[i] * mix[i] }
            for (channel, queue) in channels.enumerated() {
                let samples = queue[start]
                var sum: Float = 0
                for i in 0..<(end - start) { sum += mix[i] * samples[i] }
                values[channel + 1] = sum
            }
        }
        sums.append(values)
    }

    /// The factor of each channel at a frame's center; frames come in order.
    func gains(ofFrame t: Int) -> [Float] {
        let from = max(t - Self.reach, first)
        let to = min(t + Self.reach, first + sums.count - 1)
        var total = [Float](repeating: 0, count: typical.count + 1)
        if from <= to {
            for frame in from...to {
                for i in total.indices { total[i] += sums[frame - first][i] }
            }
        }
        let done = max(0, t - Self.reach - first)
        sums.removeFirst(min(done, sums.count))
        first += done
        return typical.indices.map {
            (total[$0 + 1] + Self.floor * typical[$0]) / (total[0] + Self.floor)
        }
    }
}
