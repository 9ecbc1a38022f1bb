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
    private static let nearestShare: Float = 0.5
    /// How much of the source's deviation from its own regression stays.
    private static let keptDeviation: Float = 0.5
    /// Frames that the spread is taken from: the first minute of voice.
    private static let spreadFrames = 6000

    let accent: Float
    private let codebook: TimbreCodebook
    private let regression: TimbreRegression
    /// The source's; nil: there is no accent.
    private let own: TimbreRegression?
    /// For what is looked up; nil: there is no accent.
    private var spread: SpreadMatch?
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
        let ratio = target.tractRatio / source.statistics.tractRatio
        let warp = abs(ratio - 1) < Self.tractPrecision ? nil : MelCepstrum.warp(by: ratio)
        self.warp = warp
        let warped = warp?.applied(to: source.statistics.mean) ?? source.statistics.mean
        offset = zip(target.mean, warped).map { $0 - $1 }
        unvoiced = zip(target.mean, source.statistics.mean).map {
            ($0 - $1) * Self.unvoicedShare
        }
        guard let own else { return }
        var found = CepstrumMoments()
        try source.forEach(voice.content) { frame, content in
            found.add(wanted(frame.cepstrum, content, own: own).cepstrum)
            return found.count < Self.spreadFrames
        }
        spread = SpreadMatch(found, like: target)
    }

    /// What a frame needs.
    ///
    /// With an accent the envelope goes to how the pack's speaker would say the same, and varies as much as that one's do.
    func difference(of cepstrum: [Float], _ content: Content, isVoiced: Bool) -> Difference {
        var result = unvoiced
        if isVoiced {
            let warped = warp?.applied(to: cepstrum) ?? cepstrum
            result = cepstrum.indices.map { warped[$0] + offset[$0] - cepstrum[$0] }
        }
        var aperiodicity: [Float]?
        if let own, let spread {
            let wanted = wanted(cepstrum, content, own: own)
            for k in result.indices {
                result[k] += accent * (spread(wanted.cepstrum[k], k) - cepstrum[k] - result[k])
            }
            if isVoiced { aperiodicity = wanted.aperiodicity }
        }
        result[0] = 0
        return Difference(cepstrum: result, aperiodicity: aperiodicity)
    }

    /// How the pack's speaker would say the same, by two opinions: nearest neighbors are like the speaker, but restless; the
    /// regression is calm. To that comes half of how this frame differs from what this speaker's own regression expects: what
    /// the network does not tell of the content, without which words are lost.
    private func wanted(
        _ cepstrum: [Float], _ content: Content, own: TimbreRegression
    ) -> TimbreCodebook.Timbre {
        var wanted = codebook.timbre(of: content)
        let expected = regression.cepstrum(of: content)
        let ownExpected = own.cepstrum(of: content)
        for k in expected.indices {
            let said = expected[k] + Self.nearestShare * (wanted.cepstrum[k] - expected[k])
            wanted.cepstrum[k] = said + Self.keptDeviation * (cepstrum[k] - ownExpected[k])
        }
        return wanted
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
