import DSP

/// Smooths power spectra over frequency.
final class SpectrumSmoother {
    private let bins: Int
    /// Hertz between bins.
    private let spacing: Double
    /// Integral of the mirrored spectrum; double, as the differences of near values are taken.
    private var integral: [Double]
    private var mirrored: [Float]
    private var replica: [Float]

    init(sampleRate: Int, transformSize: Int) {
        bins = transformSize / 2 + 1
        spacing = Double(sampleRate) / Double(transformSize)
        integral = [Double](repeating: 0, count: 3 * bins)
        mirrored = [Float](repeating: 0, count: 3 * bins)
        replica = [Float](repeating: 0, count: bins)
    }

    /// Adds below the fundamental what lies mirrored at half of it, so that the lowest harmonic does not leave a hole
    /// between itself and 0 Hz (Morise 2015, section 3.2).
    func fillBelow(_ frequency: Double, _ spectrum: UnsafeMutablePointer<Float>) {
        let fundamental = frequency / spacing
        let count = min(Int(fundamental) + 1, bins - 1)
        for bin in 0..<count {
            let position = fundamental - Double(bin)
            let below = Int(position)
            let share = Float(position - Double(below))
            replica[bin] = spectrum[below] * (1 - share) + spectrum[below + 1] * share
        }
        for bin in 0..<count { spectrum[bin] += replica[bin] }
    }

    /// The mean over a band of `width` hertz around each bin; the spectrum goes on mirrored at both ends.
    /// `spectrum` and `output` may be the same.
    func smooth(
        _ spectrum: UnsafePointer<Float>, width: Double, into output: UnsafeMutablePointer<Float>
    ) {
        let half = width / spacing / 2
        let margin = min(Int(half) + 2, bins - 1)
        let count = bins + 2 * margin
        mirrored.withUnsafeMutableBufferPointer { mirrored in
            integral.withUnsafeMutableBufferPointer { integral in
                let middle = mirrored.baseAddress! + margin
                middle.update(from: spectrum, count: bins)
                for i in 1...margin {
                    middle[-i] = spectrum[i]
                    middle[bins - 1 + i] = spectrum[bins - 1 - i]
                }
                // Each bin is constant from half a bin below to half a bin above.
                var sum = 0.0
                for i in 0..<count {
                    integral[i] = sum
                    sum += Double(mirrored[i])
                }
                let upper = Double(margin) + 0.5 + half
                let lower = Double(margin) + 0.5 - half
                let (above, below) = (Int(upper), Int(lower))
                let (aboveShare, belowShare) = (upper - Double(above), lower - Double(below))
                let scale = 1 / (2 * half)
                let (integralAbove, integralBelow) = (
                    integral.baseAddress! + above, integral.baseAddress! + below
                )
                let (binAbove, binBelow) = (
                    mirrored.baseAddress! + above, mirrored.baseAddress! + below
                )
                for i in 0..<bins {
                    let high = integralAbove[i] + aboveShare * Double(binAbove[i])
                    let low = integralBelow[i] + belowShare * Double(binBelow[i])
                    output[i] = Float((high - low) * scale)
                }
            }
        }
    }
}
