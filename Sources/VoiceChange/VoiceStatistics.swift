import Foundation

/// What a voice is like on the whole, over its voiced frames.
public struct VoiceStatistics: Codable, Sendable, Equatable {
    /// Seconds of voiced frames that the figures come from.
    public var voicedSeconds: Double
    /// Hertz.
    public var medianFrequency: Double
    /// Standard deviation of the pitch in semitones.
    public var pitchSpread: Double
    /// Mean level, the natural logarithm of power (``MelCepstrum``'s first coefficient); of recordings, not of a voice.
    public var level: Float
    /// Long-term spectrum: mean mel-cepstrum of the envelope, freed of its level (`mean[0]` = 0).
    public var mean: [Float]
    /// Standard deviation of each coefficient.
    public var deviation: [Float]
    /// How much shorter than the reference's its vocal tract is: over 1, formants are higher.
    public var tractRatio: Double
    /// Breathiness: mean aperiodicity in decibels at 3, 6, … kHz.
    public var aperiodicity: [Float]

    enum CodingKeys: String, CodingKey {
        case level, mean, deviation, aperiodicity
        case voicedSeconds = "voiced_seconds"
        case medianFrequency = "median_hz"
        case pitchSpread = "pitch_spread_semitones"
        case tractRatio = "tract_ratio"
    }

    /// Bands of aperiodicity that packs know.
    static let bands = 5
}

extension VoiceStatistics {
    /// Long-term spectrum and deviations.
    var spread: CepstrumSpread { CepstrumSpread(mean: mean, deviation: deviation) }
}

/// Collects statistics, frame by frame, in constant memory.
struct StatisticsCollector {
    /// Frames that are this much weaker than the loudest voiced one so far do not count: 30 dB in natural logarithms of power.
    private static let depth: Float = 6.9
    /// Pitch is counted in steps of 5 cents from 30 Hz on.
    private static let steps = 240.0
    private static let lowest = 30.0

    private let secondsPerFrame: Double
    private var loudest = -Float.infinity
    /// The level is not part of a voice's spectrum, but its spread is of its dynamics.
    private var cepstra = CepstrumMoments()
    private var profile = TractProfile()
    private var pitches = [Int](repeating: 0, count: 2000)
    private var pitchCount = 0
    private var pitchMean = 0.0
    private var pitchSquares = 0.0
    private var bands = [Double](repeating: 0, count: VoiceStatistics.bands)

    init(secondsPerFrame: Double) { self.secondsPerFrame = secondsPerFrame }

    /// Adds a voiced frame. Its pitch counts in any case, as a tracker would hear it.
    /// - Returns: Whether it is loud enough that its spectrum counts.
    mutating func add(frequency: Float, cepstrum: [Float], aperiodicity: [Float]) -> Bool {
        addPitch(frequency)
        loudest = max(loudest, cepstrum[0])
        guard cepstrum[0] > loudest - Self.depth else { return false }
        cepstra.add(cepstrum)
        profile.add(cepstrum)
        for band in bands.indices where !aperiodicity.isEmpty {
            bands[band] += Double(aperiodicity[min(band, aperiodicity.count - 1)])
        }
        return true
    }

    /// Whether a frame without voice is no pause, but as loud as consonants are.
    func counts(unvoiced cepstrum: [Float]) -> Bool { cepstrum[0] > loudest - Self.depth }

    private mutating func addPitch(_ frequency: Float) {
        pitchCount += 1
        let semitones = 12 * log2(Double(frequency) / Self.lowest)
        let difference = semitones - pitchMean
        pitchMean += difference / Double(pitchCount)
        pitchSquares += difference * (semitones - pitchMean)
        let step = Int(semitones / 12 * Self.steps)
        pitches[min(max(step, 0), pitches.count - 1)] += 1
    }

    var voicedSeconds: Double { Double(cepstra.count) * secondsPerFrame }

    /// The statistics, if there was any frame.
    func statistics() -> VoiceStatistics? {
        guard cepstra.count > 1 else { return nil }
        var mean = cepstra.mean.map { Float($0) }
        let level = mean[0]
        mean[0] = 0
        return VoiceStatistics(
            voicedSeconds: voicedSeconds, medianFrequency: median,
            pitchSpread: (pitchSquares / Double(pitchCount)).squareRoot(), level: level,
            mean: mean,
            deviation: cepstra.deviation, tractRatio: profile.ratio(),
            aperiodicity: bands.map { Float($0 / Double(cepstra.count)) })
    }

    /// The middle of the pitches, between the steps by how many lie in one.
    private var median: Double {
        var below = 0
        let half = Double(pitchCount) / 2
        for (step, held) in pitches.enumerated() where held > 0 {
            if Double(below + held) >= half {
                let position = Double(step) + (half - Double(below)) / Double(held)
                return Self.lowest * exp2(position / Self.steps)
            }
            below += held
        }
        return Self.lowest
    }
}
