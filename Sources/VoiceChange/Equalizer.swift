import Foundation

/// What is added to all envelopes of a voice so that its long-term average spectrum becomes another one, as loud as before.
struct Equalizer {
    /// Decibels that no band gets or loses more of.
    private static let largest: Float = 12
    /// Of so many seconds of voice, what is found is trusted by half: which sounds they have is chance.
    private static let doubt = 0.3

    /// Decibels at the centers of ``LongTermSpectrum``.
    private let gains: [Float]

    /// - Parameters:
    ///   - found: Of the voice.
    ///   - wanted: What it should have.
    ///   - seconds: Of voice, from which `found` is.
    ///   - share: 0…1, how much of it is done.
    ///   - fundamental: Hertz where the voice's pitch is not the one that `wanted` has: near it and below, nothing is
    ///     done, as harmonics are elsewhere.
    init(
        from found: LongTermSpectrum, to wanted: LongTermSpectrum, seconds: Double, share: Float,
        fundamental: Double?
    ) {
        let trust = Float(seconds / (seconds + Self.doubt))
        let gains = zip(zip(wanted.levels, found.levels), LongTermSpectrum.centers).map {
            levels, center in
            let gain = min(max(trust * (levels.0 - levels.1), -Self.largest), Self.largest)
            let formants = fundamental.map {
                LongTermSpectrum.formantShare(of: center, fundamental: $0)
            }
            return share * gain * Float(formants ?? 1)
        }
        var (before, after) = (0.0, 0.0)
        for (band, gain) in gains.enumerated() {
            let center = LongTermSpectrum.centers[band]
            let power =
                pow(10, Double(found.levels[band]) / 10) * Loudness.weight(center)
                * LongTermSpectrum.width(of: center)
            before += power
            after += power * pow(10, Double(gain) / 10)
        }
        let offset = Float(10 * log10(before / after))
        self.gains = gains.map { $0 + offset }
    }

    /// What is added to each value of an envelope, in natural logarithms of power.
    func curve(_ shape: VoiceShape) -> [Float] {
        let spacing = Double(shape.sampleRate) / Double(shape.transformSize)
        return (0..<shape.bins).map { bin in
            LongTermSpectrum.value(of: gains, atHertz: Double(bin) * spacing)
                * Float(log(10.0) / 10)
        }
    }
}
