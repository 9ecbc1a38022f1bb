import DSP

/// A filter whose coefficients go linearly from one frame's response to the next one's.
///
/// The samples between the centers of a frame's neighbors are weighed by a triangle, filtered by the frame's response,
/// and added up. The triangles sum to one, so constant responses filter as if there were no frames; the responses have
/// minimum phase, so nothing sounds before its cause.
final class TimeVaryingFilter {
    private let shape: VoiceShape
    private let transform: RealTransform
    private let samples: AlignedBuffer
    private let spectrum: AlignedBuffer

    init(_ shape: VoiceShape) throws(TransformError) {
        self.shape = shape
        transform = try RealTransform(size: shape.transformSize)
        samples = AlignedBuffer(count: shape.transformSize)
        spectrum = AlignedBuffer(count: shape.transformSize + 16)
    }

    /// The samples that a frame filters: from the center of the frame before to that of the one after.
    func samples(of t: Int) -> Range<Int> {
        max(shape.center(of: t - 1), 0)..<shape.center(of: t + 1)
    }

    /// The most samples that a frame filters.
    var longest: Int { 2 * shape.center(of: 1) + 2 }

    /// - Parameters:
    ///   - t: Which frame.
    ///   - source: Its samples, ``samples(of:)``.
    ///   - response: Its filter; nil lets samples pass unchanged.
    ///   - output: Holds the first of its samples.
    func add(
        frame t: Int, of source: UnsafePointer<Float>, response: MinimumPhaseResponse?,
        into output: OverlapSum
    ) {
        let range = samples(of: t)
        let peak = shape.center(of: t) - range.lowerBound
        let rise = 1 / Float(shape.center(of: t) - shape.center(of: t - 1))
        let fall = 1 / Float(range.count - peak)
        let samples = samples.pointer
        for i in 0..<peak { samples[i] = source[i] * (1 - Float(peak - i) * rise) }
        for i in peak..<range.count { samples[i] = source[i] * (Float(range.count - i) * fall) }
        var count = range.count
        if let response {
            (samples + count).update(repeating: 0, count: shape.transformSize - count)
            apply(response)
            count = shape.transformSize
        }
        output.reserve(until: range.lowerBound + count)
        let place = output[range.lowerBound]
        for i in 0..<count { place[i] += samples[i] }
    }

    private func apply(_ response: MinimumPhaseResponse) {
        let spectrum = spectrum.pointer
        transform.forward(samples.pointer, into: spectrum)
        for block in 0..<VectorMath.padded(shape.bins) / 8 {
            let amplitude = VectorMath.exp(response.amplitude.pointer.vectors[block])
            let (sine, cosine) = VectorMath.sineAndCosine(response.phase.pointer.vectors[block])
            let pair = (spectrum + 16 * block).vectors
            let (low, high) = (pair[0], pair[1])
            let re = SIMD8(lowHalf: low.evenHalf, highHalf: high.evenHalf)
            let im = SIMD8(lowHalf: low.oddHalf, highHalf: high.oddHalf)
            let (a, b) = (amplitude * cosine, amplitude * sine)
            Self.store(re * a - im * b, re * b + im * a, pair)
        }
        // The last bin has no imaginary part.
        spectrum[shape.transformSize + 1] = 0
        transform.inverse(spectrum, into: samples.pointer)
    }

    /// Writes eight complex numbers, real and imaginary parts alternating.
    @inline(__always)
    static func store(
        _ re: SIMD8<Float>, _ im: SIMD8<Float>, _ pair: UnsafeMutablePointer<SIMD8<Float>>
    ) {
        pair[0].evenHalf = re.lowHalf
        pair[0].oddHalf = im.lowHalf
        pair[1].evenHalf = re.highHalf
        pair[1].oddHalf = im.highHalf
    }
}
