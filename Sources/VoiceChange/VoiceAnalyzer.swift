import DSP

/// Takes a voice apart, frame by frame, into pitch, spectral envelope and aperiodicity.
///
/// A frame depends on the samples around its center alone, so the result does not depend on how they came in.
public final class VoiceAnalyzer {
    public let shape: VoiceShape
    /// Samples before and after its center that a frame looks at.
    public let reach: Int
    private let envelope: SpectralEnvelope
    private let aperiodicity: BandAperiodicity
    private let measuresAperiodicity: Bool

    /// - Parameter measuresAperiodicity: Otherwise it is 0 in all frames, which saves much of the time.
    /// - Throws: ``TransformError`` where libavutil has no transform of a size that the rate needs.
    public init(_ shape: VoiceShape, measuresAperiodicity: Bool = true) throws(TransformError) {
        self.shape = shape
        self.measuresAperiodicity = measuresAperiodicity
        // Two periods and a quarter of the lowest voice.
        reach = shape.sampleRate * 9 / 4 / 47 + 2
        envelope = try SpectralEnvelope(shape)
        aperiodicity = try BandAperiodicity(shape)
    }

    /// - Parameters:
    ///   - t: Which frame; it is centered at sample `shape.center(of: t)`.
    ///   - frequency: Its pitch in hertz; 0 = unvoiced.
    ///   - signal: A queue of samples (frames of length 1) that still holds `reach` samples on both sides of the center.
    ///     What lies before the start or after the end of the signal counts as zero.
    ///   - frame: Is overwritten. Its frequency is 0 where the voicing check contradicts the pitch.
    public func analyze(
        frame t: Int, frequency: Float, of signal: FrameQueue, into frame: VoiceFrame
    ) {
        let center = shape.center(of: t)
        let frequency = min(frequency, shape.highestFrequency)
        envelope.analyze(signal, around: center, frequency: frequency, into: frame.envelope)
        let voiced =
            frequency > 0
            && aperiodicity.isVoiced(signal, around: center, frequency: frequency)
        frame.frequency = voiced ? frequency : 0
        if voiced, measuresAperiodicity {
            aperiodicity.analyze(
                signal, around: center, frequency: frequency, into: &frame.aperiodicity)
        } else {
            for band in frame.aperiodicity.indices { frame.aperiodicity[band] = 0 }
        }
    }
}
