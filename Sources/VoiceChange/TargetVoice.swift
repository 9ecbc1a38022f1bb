/// A voice of either kind that was loaded from its pack: what recordings are given.
public protocol TargetVoice: Sendable {
    /// Begins to give it to the voice in a recording.
    /// - Parameters:
    ///   - source: What ``VoiceSurvey`` found.
    ///   - pitch: Of the whole recording.
    ///   - sampleRate: Hertz, from 8000 on.
    ///   - weights: The mono mix that pitch and survey were taken from (``ChannelMix/weights``), one for each channel.
    /// - Throws: ``VoiceError/transform(size:)``, `ModelError`, `ResamplerError`.
    func makeConversion(
        _ settings: VoiceSettings, source: SourceVoice, pitch: PitchTrack, sampleRate: Int,
        weights: [Float]
    ) throws -> any VoiceConversion
}

/// Gives the voice in one recording that of a pack, in a stream. The output has the length of the input and does not depend on
/// how it came in.
public protocol VoiceConversion {
    /// Takes the next samples of the voice, `[channel][sample]`.
    /// - Returns: The samples that are ready, `[channel][sample]`.
    /// - Throws: `ModelError` where a network fails.
    func push(_ samples: [[Float]]) throws -> [[Float]]

    /// - Returns: The samples that are left.
    /// - Throws: `ModelError` where a network fails.
    func finish() throws -> [[Float]]
}

extension Voice: TargetVoice {
    public func makeConversion(
        _ settings: VoiceSettings, source: SourceVoice, pitch: PitchTrack, sampleRate: Int,
        weights: [Float]
    ) throws -> any VoiceConversion {
        try VoiceConverter(
            voice: self, settings: settings, source: source, pitch: pitch, sampleRate: sampleRate,
            weights: weights)
    }
}

extension VoiceConverter: VoiceConversion {}
