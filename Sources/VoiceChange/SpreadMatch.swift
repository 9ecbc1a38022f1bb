/// Gives mel-cepstra that were looked up the mean and the spread that those of a speaker have.
///
/// What is looked up is a mean of many frames, so it varies less than speech does, and sounds muffled and like nobody. Each
/// coefficient is stretched until it varies as much as the speaker's, as by the global variance of T. Toda and K. Tokuda, *A
/// speech parameter generation algorithm considering global variance for HMM-based speech synthesis*, IEICE Transactions
/// E90-D (5), 2007.
struct SpreadMatch {
    /// Bounds of the stretch.
    private static let stretch: ClosedRange<Float> = 0.7...2

    private let center: [Float]
    private let gain: [Float]
    private let target: [Float]

    /// - Parameters:
    ///   - found: What is looked up for a voice.
    ///   - statistics: Of the speaker whom it should be like.
    init(_ found: CepstrumMoments, like statistics: VoiceStatistics) {
        center = found.mean.map { Float($0) }
        target = statistics.mean
        gain = zip(statistics.deviation, found.deviation).map {
            min(max($0 / $1, Self.stretch.lowerBound), Self.stretch.upperBound)
        }
    }

    /// What becomes of coefficient `k`.
    func callAsFunction(_ value: Float, _ k: Int) -> Float {
        target[k] + gain[k] * (value - center[k])
    }
}
