import DSP
import Foundation

/// From the mel-cepstra of a voice, and what is said, to what must be added to make them those of a pack.
struct TimbreMap {
    /// Ratios of vocal tracts this near to 1 cannot be told from it.
    private static let tractPrecision = 0.025
    /// How much of the difference of long-term spectra frames without voice get: consonants and breath stay the source's.
    private static let unvoicedShare: Float = 0.3

    let accent: Float
    private let codebook: TimbreCodebook
    private let regression: TimbreRegression
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

    init(_ voice: Voice, source: VoiceStatistics, accent: Double) {
        self.accent = Float(accent)
        codebook = voice.codebook
        regression = voice.regression
        let target = voice.manifest.statistics
        let ratio = target.tractRatio / source.tractRatio
        let warp = abs(ratio - 1) < Self.tractPrecision ? nil : MelCepstrum.warp(by: ratio)
        self.warp = warp
        let warped = warp?.applied(to: source.mean) ?? source.mean
        offset = zip(target.mean, warped).map { $0 - $1 }
        unvoiced = zip(target.mean, source.mean).map { ($0 - $1) * Self.unvoicedShare }
    }

    /// What a frame needs.
    ///
    /// With an accent the envelope goes to the mean of two opinions of how the pack's speaker would say the same: nearest neighbors are
    /// like the speaker, but restless; the regression is calm.
    func difference(of cepstrum: [Float], _ content: Content, isVoiced: Bool) -> Difference {
        guard isVoiced else { return Difference(cepstrum: unvoiced) }
        let warped = warp?.applied(to: cepstrum) ?? cepstrum
        var result = cepstrum.indices.map { warped[$0] + offset[$0] - cepstrum[$0] }
        var aperiodicity: [Float]?
        if accent > 0 {
            let nearest = codebook.timbre(of: content)
            let expected = regression.cepstrum(of: content)
            for k in result.indices {
                let said = (nearest.cepstrum[k] + expected[k]) / 2
                result[k] += accent * (said - cepstrum[k] - result[k])
            }
            aperiodicity = nearest.aperiodicity
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
