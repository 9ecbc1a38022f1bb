import DSP
import Inference

/// Divides the short-time spectra of a recording into those of its stems, frame by frame: what a
/// ``SpectrumStream`` leaves to networks.
protocol SpectrumDivider: AnyObject {
    /// Of the signals that spectra are taken of, Hz.
    var sampleRate: Int { get }
    var shape: ShortTimeShape { get }
    var stems: Int { get }
    /// All networks: seconds inside each by the name of its pack, and seconds that their results were waited for.
    var networkSeconds: [String: Double] { get }
    var waitingSeconds: Double { get }
    /// Index after the last frame that can be divided.
    var finished: Int { get }
    /// How many frames before and after its own a frame's division looks at, or ``advance(_:isLast:)`` before the last one
    /// that it finished.
    var reach: Int { get }

    /// Takes in the frames that are new, and does the next step of the networks where there is one: a bounded amount of
    /// work, so that what is finished can be used in between.
    /// - Parameters:
    ///   - spectra: By channel, `2 · bins` values a frame, real and imaginary parts alternating.
    ///   - isLast: No frames follow.
    /// - Returns: Whether there was anything to do, so that there may be more.
    func advance(_ spectra: [FrameRing], isLast: Bool) throws(ModelError) -> Bool

    /// The stems' spectra of a finished frame of one channel.
    /// - Parameters:
    ///   - spectra: Those of ``advance(_:isLast:)``; the frames around this one are there, as far as they exist.
    ///   - results: Room for a frame for each stem.
    func divide(
        frame: Int, channel: Int, of spectra: [FrameRing], into results: [AlignedBuffer])

    /// Forgets what is known of frames before one that is finished.
    func drop(before frame: Int)
}

/// Divides by the masks of networks.
final class MaskDivider: SpectrumDivider {
    let sampleRate: Int
    let shape: ShortTimeShape
    let stems: Int
    let reach = 0
    private let cascade: Cascade
    private let frames: MagnitudeQueue

    init(_ plan: SeparationPlan, channels: Int, _ order: RunOrder) throws(ModelError) {
        cascade = try Cascade(plan, channels: channels, order)
        sampleRate = plan.base.manifest.sampleRate
        let shape = plan.base.manifest.stft.shape
        self.shape = shape
        stems = plan.leaves.count
        frames = MagnitudeQueue(
            shape: shape, bins: plan.distinctBins, planes: cascade.planes)
    }

    var networkSeconds: [String: Double] {
        Dictionary(cascade.streams.map { ($0.manifest.name, $0.inferenceSeconds) }) { $0 + $1 }
    }
    var waitingSeconds: Double { cascade.streams.reduce(0) { $0 + $1.waitingSeconds } }
    var finished: Int { cascade.finished }

    func advance(_ spectra: [FrameRing], isLast: Bool) throws(ModelError) -> Bool {
        for frame in frames.end..<max(spectra[0].end, frames.end) {
            frames.append(spectra.map { UnsafePointer($0[frame]) })
        }
        return try cascade.advance(frames, spectra, isLast: isLast)
    }

    func divide(
        frame: Int, channel: Int, of spectra: [FrameRing], into results: [AlignedBuffer]
    ) {
        cascade.divide(frame: frame, channel: channel, spectra[channel][frame], into: results)
    }

    func drop(before frame: Int) {
        cascade.drop(before: frame)
        frames.drop(before: cascade.needed, level: cascade.undivided)
    }
}
