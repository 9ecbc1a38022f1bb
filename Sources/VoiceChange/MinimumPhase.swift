import DSP

/// A filter's frequency response in polar form: natural logarithm of the amplitude and minimum phase, `bins` values each.
///
/// Minimum phase is linear in the logarithm of the amplitude, so the mean of two responses, value by value, is again
/// one of minimum phase.
final class MinimumPhaseResponse {
    let amplitude: AlignedBuffer
    let phase: AlignedBuffer

    init(bins: Int) {
        amplitude = AlignedBuffer(count: VectorMath.padded(bins))
        phase = AlignedBuffer(count: VectorMath.padded(bins))
    }
}

/// Finds the minimum phase of an amplitude by folding its cepstrum (Oppenheim and Schafer, *Discrete-Time Signal
/// Processing*, section on homomorphic systems).
final class MinimumPhase {
    private let size: Int
    private let transform: RealTransform
    private let cepstrum: AlignedBuffer
    private let spectrum: AlignedBuffer

    init(size: Int) throws(TransformError) {
        self.size = size
        transform = try RealTransform(size: size)
        cepstrum = AlignedBuffer(count: size)
        spectrum = AlignedBuffer(count: size + 16)
    }

    /// Sets the phase that belongs to the amplitude of `response`.
    func complete(_ response: MinimumPhaseResponse) {
        let (spectrum, cepstrum) = (spectrum.pointer, cepstrum.pointer)
        for bin in 0...size / 2 {
            spectrum[2 * bin] = response.amplitude.pointer[bin]
            spectrum[2 * bin + 1] = 0
        }
        transform.inverse(spectrum, into: cepstrum)
        for n in 1..<size / 2 {
            cepstrum[n] *= 2
            cepstrum[size - n] = 0
        }
        transform.forward(cepstrum, into: spectrum)
        for bin in 0...size / 2 { response.phase.pointer[bin] = spectrum[2 * bin + 1] }
    }
}
