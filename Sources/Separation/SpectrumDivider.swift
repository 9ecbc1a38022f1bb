import DSP

/// Divides the short-time spectra of a recording into those of its stems, frame by frame: what a
/// ``SpectrumStream`` leaves to networks.
protocol SpectrumDivider: AnyObject {
    /// Of the signals that spectra are taken of, Hz.
    var sampleRate: Int { get }
    var shape: ShortTimeShape { get }
    var stems: Int { get }
    /// Seconds spent inside networks so far.
    var inferenceSeconds: Double { get }
    /// Index after the last frame that can be divided.
    var finished: Int { get }
    /// How many frames before and after its own a frame's division looks at.
    var reach: Int { get }

    /// Takes in the frames that are new and runs the networks as far as frames are there.
    /// - Parameters:
    ///   - spectra: By channel, `2 · bins` values a frame, real and imaginary parts alternating.
    ///   - isLast: No frames follow.
    func advance(_ spectra: [FrameQueue], isLast: Bool) throws(SeparationError)

    /// The stems' spectra of a finished frame of one channel.
    /// - Parameters:
    ///   - spectra: Those of ``advance(_:isLast:)``; the frames around this one are there, as far as they exist.
    ///   - results: Room for a frame for each stem.
    func divide(
        frame: Int, channel: Int, of spectra: [FrameQueue], into results: [AlignedBuffer])

    /// Forgets what is known of frames before one that is finished.
    func drop(before frame: Int)
}

/// Divides by masks: each stem's spectrum is the mixture's times a mask.
final class MaskDivider: SpectrumDivider {
    let sampleRate: Int
    let shape: ShortTimeShape
    let stems: Int
    let reach = 0
    private let cascade: Cascade
    private let frames: MagnitudeQueue
    private let masks: [AlignedBuffer]

    init(_ plan: SeparationPlan, _ request: SeparationRequest) throws(SeparationError) {
        cascade = try Cascade(plan, request)
        sampleRate = plan.base.manifest.sampleRate
        let shape = plan.base.manifest.stft.shape
        self.shape = shape
        stems = plan.leaves.count
        frames = MagnitudeQueue(shape: shape, planes: cascade.planes)
        masks = plan.leaves.map { _ in AlignedBuffer(count: shape.bins) }
    }

    var inferenceSeconds: Double { cascade.inferenceSeconds }
    var finished: Int { cascade.finished }

    func advance(_ spectra: [FrameQueue], isLast: Bool) throws(SeparationError) {
        for frame in frames.end..<max(spectra[0].end, frames.end) {
            frames.append(spectra.map { UnsafePointer($0[frame]) })
        }
        try cascade.advance(frames, spectra, isLast: isLast)
    }

    func divide(
        frame: Int, channel: Int, of spectra: [FrameQueue], into results: [AlignedBuffer]
    ) {
        cascade.masks(frame: frame, channel: channel, into: masks)
        for (mask, result) in zip(masks, results) {
            multiply(
                spectra[channel][frame], by: mask.pointer, bins: shape.bins, into: result.pointer)
        }
    }

    func drop(before frame: Int) {
        cascade.drop(before: frame)
        frames.drop(before: cascade.needed)
    }
}
