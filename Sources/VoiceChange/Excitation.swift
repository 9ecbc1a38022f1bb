/// Where the pulses of a voice lie.
///
/// The phase is the sum of the frequency, which goes linearly between voiced frames; a pulse lies where the phase passes
/// a whole number, between samples. A voice begins with a pulse and a whole period.
struct Excitation {
    struct Pulse {
        /// The sample before the pulse, and how far after it the pulse lies, 0 ..< 1.
        var sample: Int
        var fraction: Float
        /// Samples in a period.
        var period: Float
        /// How far the pulse lies from the earlier to the later frame, 0 ..< 1.
        var position: Float
    }

    private let sampleRate: Double
    private var phase = 1.0
    private var wasVoiced = false

    init(sampleRate: Int) { self.sampleRate = Double(sampleRate) }

    /// Calls `body` with each pulse in `range`, the samples between the centers of two frames.
    /// - Parameter frequencies: Of both frames; between a voiced and an unvoiced one, the border lies in the middle.
    mutating func pulses(
        in range: Range<Int>, from: Float, to: Float, body: (Pulse) -> Void
    ) {
        let step = 1 / Double(range.count)
        for n in range {
            let position = Double(n - range.lowerBound) * step
            let frequency: Double
            if from > 0 && to > 0 {
                frequency = Double(from) + Double(to - from) * position
            } else {
                frequency = Double(position < 0.5 ? from : to)
            }
            guard frequency > 0 else {
                wasVoiced = false
                continue
            }
            if !wasVoiced { phase = 1 }
            wasVoiced = true
            let advance = frequency / sampleRate
            // A pulse lies at or after this sample and before the next where the phase passes 1 in between.
            let before = phase
            if before >= 1 {
                phase -= 1
                body(
                    Pulse(
                        sample: n, fraction: 0, period: Float(1 / advance),
                        position: Float(position)))
            } else if before + advance > 1 {
                let fraction = (1 - before) / advance
                phase -= 1
                body(
                    Pulse(
                        sample: n, fraction: Float(fraction), period: Float(1 / advance),
                        position: Float(position + fraction * step)))
            }
            phase += advance
        }
    }
}
