import DSP

/// Factors of the channels over time, on straight lines between frames.
struct ChannelCurve {
    private let shape: VoiceShape
    /// From frame `first` on.
    private var factors: [[Float]] = []
    private var first = 0

    init(_ shape: VoiceShape) { self.shape = shape }

    /// Takes in the factors at the next frame's center, one for each channel.
    mutating func append(_ factors: [Float]) { self.factors.append(factors) }

    /// The sample before which everything is known.
    var end: Int { shape.center(of: first + factors.count - 1) }

    /// Adds a mono signal's samples, each channel's with its factors, to `output`, whose first sample is `start`. What lies
    /// beyond the last factors has these. Nothing before `stop` is asked for again.
    mutating func add(
        _ source: FrameQueue, from start: Int, to stop: Int, into output: inout [[Float]]
    ) {
        var n = start
        while n < stop {
            while factors.count > 1, shape.center(of: first + 1) <= n {
                factors.removeFirst()
                first += 1
            }
            let (center, next) = (shape.center(of: first), shape.center(of: first + 1))
            let (from, to) = (factors[0], factors[min(1, factors.count - 1)])
            let end = factors.count == 1 ? stop : min(stop, next)
            let samples = source[n]
            for channel in output.indices {
                let slope = (to[channel] - from[channel]) / Float(next - center)
                for i in 0..<(end - n) {
                    let gain = from[channel] + slope * Float(n + i - center)
                    output[channel][n + i - start] += gain * samples[i]
                }
            }
            n = end
        }
    }
}
