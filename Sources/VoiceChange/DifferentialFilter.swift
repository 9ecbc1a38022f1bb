import DSP

/// Gives a voice another spectral envelope by filtering its own waveform, where its pitch stays: no pulse or noise is
/// made, so breath, consonants and whatever no model of a voice describes stay as they are.
///
/// Spectral differential: K. Kobayashi, T. Toda, G. Neubig, S. Sakti and S. Nakamura, *Statistical singing voice
/// conversion with direct waveform modification based on the spectrum differential*, Interspeech 2014, section 3. The
/// filter has minimum phase, so nothing sounds before its cause.
public final class DifferentialFilter {
    private let shape: VoiceShape
    private let filter: TimeVaryingFilter
    private let minimumPhase: MinimumPhase
    private let response: MinimumPhaseResponse
    private let samples: AlignedBuffer
    private let sum = OverlapSum()
    private var frame = 0

    /// - Throws: ``TransformError`` where libavutil has no transform of a size that the rate needs.
    public init(_ shape: VoiceShape) throws(TransformError) {
        self.shape = shape
        filter = try TimeVaryingFilter(shape)
        minimumPhase = try MinimumPhase(size: shape.transformSize)
        response = MinimumPhaseResponse(bins: shape.bins)
        samples = AlignedBuffer(count: filter.longest)
    }

    /// Filters the samples around the next frame and appends to `output` those that no later frame touches.
    /// - Parameters:
    ///   - difference: `bins` natural logarithms of the ratio of powers, wanted over present; nil lets the samples pass
    ///     as they are, between frames that filter, too.
    ///   - signal: A queue of samples that still holds those between the centers of the frame before and of the one after.
    ///     What lies after the end of the signal counts as zero.
    public func add(
        difference: UnsafePointer<Float>?, of signal: FrameQueue, into output: FrameQueue
    ) {
        let range = filter.samples(of: frame)
        samples.clear()
        let end = min(range.upperBound, signal.end)
        if end > range.lowerBound {
            samples.pointer.update(from: signal[range.lowerBound], count: end - range.lowerBound)
        }
        if let difference {
            for bin in 0..<shape.bins { response.amplitude.pointer[bin] = 0.5 * difference[bin] }
            minimumPhase.complete(response)
        }
        filter.add(
            frame: frame, of: samples.pointer, response: difference == nil ? nil : response,
            into: sum)
        sum.emit(until: shape.center(of: frame), into: output)
        frame += 1
    }

    /// Leaves the samples of the next frame out, which somebody else makes.
    public func skip(into output: FrameQueue) {
        sum.emit(until: shape.center(of: frame), into: output)
        frame += 1
    }

    /// Appends what is left, so that `output` has received `length` samples in all.
    public func finish(length: Int, into output: FrameQueue) {
        sum.emit(until: length, into: output)
    }
}
