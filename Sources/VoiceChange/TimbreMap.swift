/// From the mel-cepstra of a voice, and what is said, to what must be added to make them those of a pack.
struct TimbreMap {
    /// Ratios of vocal tracts this near to 1 cannot be told from it.
    private static let tractPrecision = 0.025
    /// How much of the difference of long-term spectra frames without voice get where there is no accent: consonants and
    /// breath stay the source's.
    private static let unvoicedShare: Float = 0.3
    /// Frames without voice that are so much weaker than the mean of those with one are pauses: 22 dB in natural logarithms
    /// of power.
    private static let pause: Float = 5
    /// Frames that the spread is taken from: a minute of each kind.
    private static let spreadFrames = 6000

    let accent: Float
    /// Nil: there is no accent.
    private var voiced: TimbreMatch?
    /// Nil: there is no accent, or nobody knows the speaker's unvoiced frames.
    private var unvoiced: TimbreMatch?
    private let warp: [[Float]]?
    /// What is added to warped cepstra.
    private let offset: [Float]
    /// What is added to frames without voice, of consonants where there is no accent.
    private let unvoicedOffset: [Float]
    /// The level of the loudest pauses.
    private let quiet: Float

    struct Difference {
        var cepstrum: [Float]
        /// Decibels; nil: the source's.
        var aperiodicity: [Float]?
    }

    /// - Throws: `ModelError`.
    init(_ voice: Voice, source: SourceVoice, accent: Double) throws {
        self.accent = Float(accent)
        let (target, given) = (voice.manifest.statistics, source.statistics)
        let ratio = target.tractRatio / given.tractRatio
        let warp = abs(ratio - 1) < Self.tractPrecision ? nil : MelCepstrum.warp(by: ratio)
        self.warp = warp
        let warped = warp?.applied(to: given.mean) ?? given.mean
        offset = zip(target.mean, warped).map { $0 - $1 }
        unvoicedOffset = zip(target.mean, given.mean).map { ($0 - $1) * Self.unvoicedShare }
        quiet = given.level - Self.pause
        if accent > 0 { try learn(voice, source) }
    }

    /// - Throws: `ModelError`.
    private mutating func learn(_ voice: Voice, _ source: SourceVoice) throws {
        let own = try source.regressions(
            voice.content, from: (voice.voiced.regression, voice.unvoiced?.regression))
        let voiced = TimbreMatch(voice.voiced, own: own.voiced)
        let unvoiced = voice.unvoiced.flatMap { model in
            own.unvoiced.map { TimbreMatch(model, own: $0) }
        }
        var found = (voiced: CepstrumMoments(), unvoiced: CepstrumMoments())
        try source.forEach(voice.content) { frame, content in
            if frame.isVoiced {
                found.voiced.add(voiced.lookUp(frame.cepstrum, content).cepstrum)
            } else if let unvoiced {
                found.unvoiced.add(unvoiced.lookUp(frame.cepstrum, content).cepstrum)
            }
            return found.voiced.count < Self.spreadFrames
        }
        self.voiced = voiced
        self.unvoiced = unvoiced
        self.voiced?.match(found.voiced)
        self.unvoiced?.match(found.unvoiced)
    }

    /// What a frame needs.
    ///
    /// With an accent the envelope goes to how the pack's speaker would say the same, and varies as much as that one's do.
    func difference(of cepstrum: [Float], _ content: Content, isVoiced: Bool) -> Difference {
        var result = unvoicedOffset
        if isVoiced {
            let warped = warp?.applied(to: cepstrum) ?? cepstrum
            result = cepstrum.indices.map { warped[$0] + offset[$0] - cepstrum[$0] }
        }
        var aperiodicity: [Float]?
        let match = isVoiced ? voiced : cepstrum[0] > quiet ? unvoiced : nil
        if let wanted = match?(cepstrum, content) {
            for k in result.indices {
                result[k] += accent * (wanted.cepstrum[k] - cepstrum[k] - result[k])
            }
            if isVoiced { aperiodicity = wanted.aperiodicity }
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
