import DSP

/// The first pass over a voice that is to be converted: what it is like on the whole. Samples go into ``push(_:)``.
public final class VoiceSurvey {
    /// Frames of 5 ms from one that is looked at to the next.
    private static let step = 4

    private let frames: VoiceFrames
    private let frame: VoiceFrame
    private let mel: MelCepstrum
    private var collector: StatisticsCollector

    /// - Parameters:
    ///   - sampleRate: Hertz, from 8000 on.
    ///   - pitch: Of the whole recording.
    /// - Throws: ``VoiceError/transform(size:)``.
    public init(sampleRate: Int, pitch: PitchTrack) throws(VoiceError) {
        let shape = VoiceShape(sampleRate: sampleRate)
        frames = try VoiceFrames(shape, pitch: pitch, step: Self.step)
        frame = VoiceFrame(shape)
        mel = MelCepstrum(shape)
        collector = StatisticsCollector(secondsPerFrame: shape.hop * Double(Self.step))
    }

    /// Takes the next samples, mono.
    public func push(_ samples: [Float]) {
        samples.withUnsafeBufferPointer { frames.push($0, frame: frame) { add($1) } }
    }

    /// What the voice is like.
    /// - Throws: ``VoiceError/noVoice`` where there is less than half a second of it.
    public func finish() throws(VoiceError) -> VoiceStatistics {
        frames.finish(frame: frame) { add($1) }
        guard collector.voicedSeconds >= 0.5, let statistics = collector.statistics() else {
            throw .noVoice
        }
        return statistics
    }

    private func add(_ frame: VoiceFrame) {
        guard frame.frequency > 0, !frame.isSilent else { return }
        _ = collector.add(
            frequency: frame.frequency, cepstrum: mel.analyze(frame.envelope),
            aperiodicity: frame.aperiodicity)
    }
}
