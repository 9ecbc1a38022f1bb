import DSP
import Foundation

/// From the mel-cepstra of a voice, and what is said, to what must be added to make them those of a pack.
struct TimbreMap {
    /// Ratios of vocal tracts this near to 1 cannot be told from it.
    private static let tractPrecision = 0.025
    /// How much of the difference of long-term spectra frames without voice get where there is no accent: consonants and
    /// breath stay the source's.
    private static let unvoicedShare: Float = 0.3
    /// How much nearest neighbors have to say; the regression says the rest.
    private static let nearestShare: Float = 0.25
    /// How much of the source's deviation from its own regression stays.
    private static let keptDeviation: Float = 0.5

    let accent: Float
    private let codebook: TimbreCodebook
    private let regression: TimbreRegression
    /// The source's; nil: there is no accent.
    private let own: TimbreRegression?
    private let warp: [[Float]]?
    /// What is added to warped cepstra.
    private let offset: [Float]
    /// What is added to frames without voice.
    private let unvoiced: [Float]

    struct Difference {
        var cepstrum: [Float]
        /// Decibels; nil: the source's.
        var aperiodicity: [Float]?
    }

    /// - Throws: `ModelError`.
    init(_ voice: Voice, source: SourceVoice, accent: Double) throws {
        self.accent = Float(accent)
        codebook = voice.codebook
        regression = voice.regression
        own = accent > 0 ? try source.regression(voice.content, from: voice.regression) : nil
        let target = voice.manifest.statistics
        let source = source.statistics
        let ratio = target.tractRatio / source.tractRatio
        let warp = abs(ratio - 1) < Self.tractPrecision ? nil : MelCepstrum.warp(by: ratio)
        self.warp = warp
        let warped = warp?.applied(to: source.mean) ?? source.mean
        offset = zip(target.mean, warped).map { $0 - $1 }
        unvoiced = zip(target.mean, source.mean).map { ($0 - $1) * Self.unvoicedShare }
    }

    /// What a frame needs.
    ///
    /// With an accent the envelope goes to how the pack's speaker would say the same, by two opinions: nearest neighbors are
    /// like the speaker, but restless; the regression is calm. To that comes half of how this frame differs from what this
    /// speaker's own regression expects: what the network does not tell of the content, without which words are lost.
    func difference(of cepstrum: [Float], _ content: Content, isVoiced: Bool) -> Difference {
        var result = unvoiced
        if isVoiced {
            let warped = warp?.applied(to: cepstrum) ?? cepstrum
            result = cepstrum.indices.map { warped[$0] + offset[$0] - cepstrum[$0] }
        }
        var aperiodicity: [Float]?
        if let own {
            let nearest = codebook.timbre(of: content)
            let expected = regression.cepstrum(of: content)
            let ownExpected = own.cepstrum(of: content)
            for k in result.indices {
                let said = expected[k] + Self.nearestShare * (nearest.cepstrum[k] - expected[k])
                let kept = Self.keptDeviation * (cepstrum[k] - ownExpected[k])
                result[k] += accent * (said + kept - cepstrum[k] - result[k])
            }
            if isVoiced { aperiodicity = nearest.aperiodicity }
        }
        result[0] = 0
        return Difference(cepstrum: result, aperiodicity: aperiodicity)
    }
}

extension [[Float]] {
    /// The product with a vector.
    func applied(to vector: [Float]) -> [Float] {
        map { row in
            var sum: Float = 0
            for i in vector.indices { sum += row[i] * vector[i] }
            return sum
        }
    }
}
