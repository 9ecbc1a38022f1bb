import Foundation

/// How a voice is to be converted.
public struct VoiceSettings: Sendable, Equatable {
    /// Whose pitch the result has.
    public enum Tonality: String, Sendable {
        /// The recording's melody, moved by whole octaves at most.
        case sourceFile = "source_file"
        /// The pack's median pitch.
        case voicePack = "voice_pack"
    }

    /// 0 ... 1: how much of the pack's articulation (its models of what is said, and the power spectrum that comes of it) and
    /// prosody (its spread of pitch) is applied. With 0, only its vocal tract and its mean envelope are.
    public var accent: Double
    public var tonality: Tonality
    /// Whether somebody sings: pitch is moved by whole semitones, and its spread stays.
    public var isSong: Bool

    public init(accent: Double, tonality: Tonality, isSong: Bool) {
        self.accent = min(max(accent, 0), 1)
        self.tonality = tonality
        self.isSong = isSong
    }
}

/// Where a voice's pitch goes.
public struct PitchMap: Sendable, Equatable {
    /// Semitones that the median moves by.
    public let shift: Double
    /// By how much distances from the median, in semitones, grow.
    public let spread: Double
    private let median: Double

    /// Shifts of less than this many semitones are not worth a resynthesis.
    private static let audible = 0.15

    /// - Parameters:
    ///   - source: Of the recording.
    ///   - target: The pack's median in hertz; nil: pitch stays as it is.
    ///   - targetSpread: The standard deviation of the pack's pitch in semitones; nil: the recording's.
    init(
        _ settings: VoiceSettings, source: VoiceStatistics, target: Double?, targetSpread: Double?
    ) {
        let distance = target.map { 12 * log2($0 / source.medianFrequency) } ?? 0
        var (shift, spread) = (distance, 1.0)
        switch settings.tonality {
        case .sourceFile:
            // A voice between two octaves stays where it is unless it is nearer to the other one by far.
            shift = 12 * (distance / 12).rounded()
        case .voicePack:
            if settings.isSong {
                shift = distance.rounded()
            } else if let targetSpread {
                let ratio = targetSpread / max(source.pitchSpread, 0.1)
                // A monotonous speaker does not start to sing.
                spread = 1 + settings.accent * (min(max(ratio, 0.6), 1.6) - 1)
            }
        }
        self.shift = abs(shift) < Self.audible ? 0 : shift
        self.spread = abs(spread - 1) < 0.05 ? 1 : spread
        median = source.medianFrequency
    }

    /// Whether pitch stays as it is.
    public var isIdentity: Bool { shift == 0 && spread == 1 }

    /// Where a frequency in hertz goes; 0 stays 0.
    public func callAsFunction(_ frequency: Float) -> Float {
        guard frequency > 0, !isIdentity else { return frequency }
        let distance = 12 * log2(Double(frequency) / median)
        return Float(median * exp2((shift + distance * spread) / 12))
    }
}
