import Foundation

/// A high-pass filter of fourth order, sample by sample: two Butterworth filters of second order in a row. −6 dB at the cutoff,
/// and below it 24 dB an octave. Coefficients by the bilinear transform with the cutoff prewarped.
public struct HighPass: Sendable {
    private var first: Section
    private var second: Section

    /// - Parameters:
    ///   - cutoff: Hertz, below half the sample rate.
    ///   - sampleRate: Hertz.
    public init(cutoff: Double, sampleRate: Int) {
        first = Section(cutoff: cutoff, sampleRate: sampleRate)
        second = first
    }

    /// Takes the next sample, and gives that of the filtered signal.
    public mutating func callAsFunction(_ sample: Float) -> Float {
        Float(second(first(Double(sample))))
    }

    private struct Section {
        private let b: Double
        private let (a1, a2): (Double, Double)
        /// The last two values that went in, and that came out.
        private var (x1, x2, y1, y2) = (0.0, 0.0, 0.0, 0.0)

        init(cutoff: Double, sampleRate: Int) {
            let k = tan(Double.pi * cutoff / Double(sampleRate))
            b = 1 / (1 + 2.0.squareRoot() * k + k * k)
            a1 = 2 * (k * k - 1) * b
            a2 = (1 - 2.0.squareRoot() * k + k * k) * b
        }

        mutating func callAsFunction(_ x: Double) -> Double {
            let y = b * (x - 2 * x1 + x2) - a1 * y1 - a2 * y2
            (x2, x1, y2, y1) = (x1, x, y1, y)
            return y
        }
    }
}
