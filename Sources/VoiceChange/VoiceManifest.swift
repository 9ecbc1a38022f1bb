import Foundation

/// What `voice.json` of a voice that was learned from recordings says.
public struct VoiceManifest: VoicePackManifest {
    public static let kind = "codebook"
    public static let format = 3

    public let format: Int
    public let kind: String
    public let id: String
    public let name: String
    public let description: String
    public let created: Int
    public let license: String?
    public let sources: [Source]
    /// SHA-256 of `codebook.bin`, lower-case hex.
    public let sha256: String
    /// SHA-256 of the content network that it was made with.
    public let content: String
    /// Entries of the codebook of voiced frames.
    public let entries: Int
    /// Nil: there were hardly any unvoiced frames in the recordings.
    let unvoiced: Unvoiced?
    public let statistics: VoiceStatistics
    let spectrum: LongTermSpectrum

    public var medianFrequency: Double? { statistics.medianFrequency }

    public struct Source: Codable, Sendable, Equatable {
        public let name: String
        public let license: String?
        public let attribution: String?

        public init(name: String, license: String? = nil, attribution: String? = nil) {
            self.name = name
            self.license = license
            self.attribution = attribution
        }
    }

    /// What the model of unvoiced frames is like.
    struct Unvoiced: Codable, Sendable, Equatable {
        /// Of its codebook.
        let entries: Int
        let spread: CepstrumSpread
    }

    /// Numbers in `codebook.bin`.
    var numbers: Int {
        TimbreModel.count(entries: entries)
            + (unvoiced.map { TimbreModel.count(entries: $0.entries) } ?? 0)
    }

    /// Entries that a codebook can have.
    static let entryLimit = 1...8192

    /// Whether an id can be a folder's name, and no other folder's.
    static func isID(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || $0 == 95 || $0 == 45
            }
    }

    public func fault() -> String? {
        if let fault = generalFault() { return fault }
        if !Self.entryLimit.contains(entries) { return "its number of entries is out of range" }
        if let unvoiced {
            guard Self.entryLimit.contains(unvoiced.entries) else {
                return "its number of entries is out of range"
            }
            guard unvoiced.spread.isSane else {
                return "what it says of unvoiced frames is not true of a voice"
            }
        }
        if !spectrum.isSane { return "its long-term spectrum is not that of a voice" }
        return statistics.fault()
    }
}

extension VoiceStatistics {
    fileprivate func fault() -> String? {
        let sane =
            (20...2000).contains(medianFrequency) && (0...24).contains(pitchSpread)
            && (0.5...2).contains(tractRatio) && voicedSeconds >= 0
            && abs(level) < 100 && spread.isSane && aperiodicity.count == Self.bands
            && aperiodicity.allSatisfy { (-100...0).contains($0) }
        return sane ? nil : "its statistics are not those of a voice"
    }
}
