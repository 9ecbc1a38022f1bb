/// From the mel-cepstra of a voice, and what is said, to how another speaker says the same, in frames of one kind.
struct TimbreMatch {
    /// How much nearest neighbors have to say; the regression says the rest.
    private static let nearestShare: Float = 0.5
    /// How much of the source's deviation from its own regression stays.
    private static let keptDeviation: Float = 0.4

    private let model: TimbreModel
    /// The source's.
    private let own: TimbreRegression
    private var spread: SpreadMatch

    /// - Parameter own: How the source's cepstra follow from what is said.
    init(_ model: TimbreModel, own: TimbreRegression) {
        self.model = model
        self.own = own
        spread = SpreadMatch(CepstrumMoments(), like: model.spread)
    }

    /// Takes note of what is looked up for the source, so that it gets the speaker's spread.
    mutating func match(_ found: CepstrumMoments) {
        spread = SpreadMatch(found, like: model.spread)
    }

    /// How the speaker would say the same, as much varied as that one's speech is.
    func callAsFunction(_ cepstrum: [Float], _ content: Content) -> TimbreCodebook.Timbre {
        var timbre = lookUp(cepstrum, content)
        for k in timbre.cepstrum.indices { timbre.cepstrum[k] = spread(timbre.cepstrum[k], k) }
        return timbre
    }

    /// How the speaker would say the same, by two opinions: nearest neighbors are like the speaker, but restless; the
    /// regression is calm. To that comes a part of how this frame differs from what the source's own regression expects: what
    /// the network does not tell of the content, without which words are lost.
    func lookUp(_ cepstrum: [Float], _ content: Content) -> TimbreCodebook.Timbre {
        var timbre = model.codebook.timbre(of: content)
        let expected = model.regression.cepstrum(of: content)
        let ownExpected = own.cepstrum(of: content)
        for k in expected.indices {
            let said = expected[k] + Self.nearestShare * (timbre.cepstrum[k] - expected[k])
            timbre.cepstrum[k] = said + Self.keptDeviation * (cepstrum[k] - ownExpected[k])
        }
        return timbre
    }
}
