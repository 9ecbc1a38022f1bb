import DSP
import Foundation

/// The spectral envelope of a voice, without traces of its harmonics or of where in a period the frame lies.
///
/// CheapTrick: M. Morise, *CheapTrick, a spectral envelope estimator for high-quality speech synthesis*, Speech
/// Communication 67 (2015), section 3: power spectrum under a Hann window of three periods, rectangular
/// smoothing over two thirds of the fundamental, then liftering of the logarithm. The compensation is the one of
/// WORLD since version 0.2.0 (q₁ = −0.15).
final class SpectralEnvelope {
    /// What frames without pitch are analyzed with, in hertz.
    static let unvoicedFrequency = 500.0

    private let shape: VoiceShape
    private let transform: RealTransform
    private let window: PitchWindow
    private let smoother: SpectrumSmoother
    private let samples: AlignedBuffer
    private let spectrum: AlignedBuffer
    private let power: AlignedBuffer

    init(_ shape: VoiceShape) throws(TransformError) {
        self.shape = shape
        let size = shape.transformSize
        transform = try RealTransform(size: size)
        window = PitchWindow(sampleRate: shape.sampleRate, size: size)
        smoother = SpectrumSmoother(sampleRate: shape.sampleRate, transformSize: size)
        samples = AlignedBuffer(count: size)
        spectrum = AlignedBuffer(count: size + 16)
        power = AlignedBuffer(count: VectorMath.padded(shape.bins))
    }

    /// - Parameters:
    ///   - frequency: Hertz; 0 = unvoiced.
    ///   - envelope: Room for `bins` values, rounded up to a multiple of 8: natural logarithms of power.
    func analyze(
        _ signal: FrameQueue, around center: Int, frequency: Float,
        into envelope: UnsafeMutablePointer<Float>
    ) {
        let (size, bins, rate) = (shape.transformSize, shape.bins, Double(shape.sampleRate))
        let lowest = 3 * rate / Double(size - 3)
        let pitch = frequency > 0 ? max(Double(frequency), lowest) : Self.unvoicedFrequency
        let (power, spectrum) = (power.pointer, spectrum.pointer)

        let energy = window.cut(
            signal, around: center, frequency: pitch, periods: 3, .hann, into: samples)
        transform.forward(samples.pointer, into: spectrum)
        let scale = 1 / energy
        for bin in 0..<bins {
            let (re, im) = (spectrum[2 * bin], spectrum[2 * bin + 1])
            power[bin] = (re * re + im * im) * scale
        }
        smoother.fillBelow(pitch, power)
        smoother.smooth(power, width: 2 * pitch / 3, into: power)

        let vectors = VectorMath.padded(bins) / 8
        for i in 0..<vectors {
            let floored = power.vectors[i].atLeast(SIMD8(repeating: 1e-16))
            envelope.vectors[i] = VectorMath.log(floored)
        }
        // The logarithm is even, so its cepstrum is real and comes out of one inverse transform.
        for bin in 0..<bins {
            spectrum[2 * bin] = envelope[bin]
            spectrum[2 * bin + 1] = 0
        }
        transform.inverse(spectrum, into: samples.pointer)
        lifter(samples.pointer, period: rate / pitch)
        transform.forward(samples.pointer, into: spectrum)
        for bin in 0..<bins { envelope[bin] = max(spectrum[2 * bin], VoiceFrame.silence) }
    }

    /// Smoothing by the fundamental's width, `sin(πf₀τ) / (πf₀τ)`, and compensation of what all smoothing has taken,
    /// `(1 − 2q₁) + 2q₁ cos(2πf₀τ)` (sections 3.3 and 3.4).
    private func lifter(_ cepstrum: UnsafeMutablePointer<Float>, period: Double) {
        let half = shape.transformSize / 2
        let step = Float(Double.pi / period)
        let ramp = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7)
        let first: Float = 1.3
        let second: Float = -0.3
        for block in 0..<half / 8 {
            let angle = (ramp + Float(8 * block)) * step
            let sine = VectorMath.sineAndCosine(angle).sine
            // cos 2x = 1 − 2 sin² x
            let compensation = first + second * (1 - 2 * sine * sine)
            let smoothing = (sine / angle).replacing(with: 1, where: angle .== 0)
            cepstrum.vectors[block] *= smoothing * compensation
        }
        let angle = Double(half) * Double(step)
        cepstrum[half] *= Float(sin(angle) / angle * (1.3 - 0.3 * cos(2 * angle)))
        for n in 1..<half { cepstrum[2 * half - n] = cepstrum[n] }
    }
}
