import DSP

/// The first pass over a voice that is to be converted: what it is like on the whole. Samples go into ``push(_:)``.
public final class VoiceSurvey {
    private let frames: VoiceFrames
    private let frame: VoiceFrame
    private let mel: MelCepstrum
    private var collector: StatisticsCollector
    private var speech = SourceVoice.Speech()
    private var excerpt: SourceVoice.Excerpt
    /// The samples of the excerpt.
    private let range: Range<Int>
    private var received = 0
    /// Seconds of the excerpt.
    private static let excerptSeconds = 20.0

    /// - Parameters:
    ///   - sampleRate: Hertz, from 8000 on.
    ///   - pitch: Of the whole recording.
    /// - Throws: ``VoiceError/transform(size:)``.
    public init(sampleRate: Int, pitch: PitchTrack) throws(VoiceError) {
        let shape = VoiceShape(sampleRate: sampleRate)
        let step = Int((ContentNetwork.hop / shape.hop).rounded())
        frames = try VoiceFrames(
            shape, pitch: pitch, step: step, measuresAperiodicity: false)
        frame = VoiceFrame(shape)
        mel = MelCepstrum(shape)
        collector = StatisticsCollector(secondsPerFrame: shape.hop * Double(step))
        let part = pitch.mostVoiced(frames: Int(Self.excerptSeconds / pitch.hop))
        excerpt = SourceVoice.Excerpt(
            pitch: PitchTrack(hop: pitch.hop, frequencies: Array(pitch.frequencies[part])))
        func sample(_ frame: Int) -> Int {
            Int((Double(frame) * pitch.hop * Double(sampleRate)).rounded())
        }
        range = sample(part.lowerBound)..<sample(part.upperBound)
    }

    /// Takes the next samples, mono.
    public func push(_ samples: [Float]) {
        samples.withUnsafeBufferPointer { frames.push($0, frame: frame) { add($1) } }
        let part = range.clamped(to: received..<received + samples.count)
        if !part.isEmpty {
            excerpt.samples += samples[part.lowerBound - received..<part.upperBound - received]
        }
        received += samples.count
    }

    /// What the voice is like.
    /// - Throws: ``VoiceError/noVoice`` where there is less than half a second of it.
    public func finish() throws(VoiceError) -> SourceVoice {
        frames.finish(frame: frame) { add($1) }
        guard collector.voicedSeconds >= 0.5, let statistics = collector.statistics() else {
            throw .noVoice
        }
        return SourceVoice(statistics: statistics, speech: speech, excerpt: excerpt)
    }

    private func add(_ frame: VoiceFrame) {
        let cepstrum = mel.analyze(frame.envelope)
        let isVoiced = frame.frequency > 0 && !frame.isSilent
        let counts =
            isVoiced
            ? collector.add(frequency: frame.frequency, cepstrum: cepstrum, aperiodicity: [])
            : collector.counts(unvoiced: cepstrum)
        speech.add(SourceVoice.Frame(cepstrum: cepstrum, isVoiced: isVoiced, counts: counts))
    }
}
