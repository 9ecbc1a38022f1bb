import DSP

/// One pulse through a filter of minimum phase, at a place between samples.
final class PulseShape {
    /// Samples before the pulse that its band limit reaches.
    let lead: Int

    private let size: Int
    private let transform: RealTransform
    private let samples: AlignedBuffer
    private let spectrum: AlignedBuffer

    init(size: Int) throws(TransformError) {
        self.size = size
        lead = size / 8
        transform = try RealTransform(size: size)
        samples = AlignedBuffer(count: size)
        spectrum = AlignedBuffer(count: size + 16)
    }

    /// - Parameters:
    ///   - from: The filter of the frame before, `to` of the one after the pulse.
    ///   - output: Holds the samples that the pulse sounds in, but for those that were given out.
    func add(
        _ pulse: Excitation.Pulse, from: MinimumPhaseResponse, to: MinimumPhaseResponse,
        gain: Float, into output: OverlapSum
    ) {
        let turn = -2 * Float.pi * pulse.fraction / Float(size)
        let ramp = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7)
        let share = pulse.position
        for block in 0..<from.amplitude.count / 8 {
            let (a, b) = (
                from.amplitude.pointer.vectors[block], to.amplitude.pointer.vectors[block]
            )
            let (c, d) = (from.phase.pointer.vectors[block], to.phase.pointer.vectors[block])
            let amplitude = VectorMath.exp(a + (b - a) * share) * gain
            let phase = c + (d - c) * share + (ramp + Float(8 * block)) * turn
            let (sine, cosine) = VectorMath.sineAndCosine(phase)
            TimeVaryingFilter.store(
                amplitude * cosine, amplitude * sine, (spectrum.pointer + 16 * block).vectors)
        }
        // No constant component: a raised cosine takes it away, which is 0 where the response is cut, an eighth of
        // it before the pulse.
        let correction = spectrum.pointer[0] / 2 * Float(0.5).squareRoot()
        spectrum.pointer[2] += correction
        spectrum.pointer[3] += correction
        spectrum.pointer[0] = 0
        spectrum.pointer[1] = 0
        spectrum.pointer[size + 1] = 0
        transform.inverse(spectrum.pointer, into: samples.pointer)

        // What the fraction makes sound before the pulse is at the end.
        let first = pulse.sample - lead
        let skipped = max(output.start - first, 0)
        let place = output[first + skipped]
        let early = samples.pointer + (size - lead)
        if skipped < lead { for i in skipped..<lead { place[i - skipped] += early[i] } }
        let late = output[pulse.sample]
        for i in 0..<size - lead { late[i] += samples.pointer[i] }
    }
}
