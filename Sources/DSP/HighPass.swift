import Foundation

/// A high-pass filter of fourth order, sample by sample: two Butterworth filters of second order in a row, −6 dB at the cutoff,
/// 24 dB an octave below it. Coefficients by the bilinear transform with the cutoff prewarped.
public struct HighPass: Sendable {
    private let (feedforward, feedback): (Double, (Double, Double))
    private var states = [State](repeating: State(), count: 2)

    /// The last two values that went into a section, and that came out.
    private struct State {
        var (x1, x2, y1, y2) = (0.0, 0.0, 0.0, 0.0)
    }

    /// - Parameters:
    ///   - cutoff: Hertz, below half the sample rate.
    ///   - sampleRate: Hertz.
    public init(cutoff: Double, sampleRate: Int) {
        let k = tan(Double.pi * cutoff / Double(sampleRate))
        let norm = 1 / (1 + 2.0.squareRoot() * k + k * k)
        feedforward = norm
        feedback = (2 * (k * k - 1) * norm, (1 - 2.0.squareRoot() * k + k * k) * norm)
    }

    public mutating func callAsFunction(_ sample: Float) -> Float {
        var value = Double(sample)
        for index in states.indices {
            let s = states[index]
            let y =
                feedforward * (value - 2 * s.x1 + s.x2) - feedback.0 * s.y1 - feedback.1 * s.y2
            states[index] = State(x1: value, x2: s.x1, y1: y, y2: s.y1)
            value = y
        }
        return Float(value)
    }
}
