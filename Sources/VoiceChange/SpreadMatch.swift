import Foundation

/// Gives mel-cepstra that were looked up the mean and the spread that those of a speaker have.
///
/// What is looked up is a mean of many frames, so it varies less than speech does, and sounds muffled and like nobody. Each
/// coefficient is stretched until it varies as much as the speaker's, as by the global variance of T. Toda and K. Tokuda, *A
/// speech parameter generation algorithm considering global variance for HMM-based speech synthesis*, IEICE Transactions
/// E90-D (5), 2007.
struct SpreadMatch {
    /// Bounds of the stretch.
    private static let stretch: ClosedRange<Float> = 0.7...2
    /// Of so few frames, 0.5 s, what is found is trusted by half.
    private static let doubt: Float = 50

    private let center: [Float]
    private let gain: [Float]
    private let target: [Float]

    /// - Parameters:
    ///   - found: What is looked up for a voice.
    ///   - speaker: Whom it should be like.
    init(_ found: CepstrumMoments, like speaker: CepstrumSpread) {
        let trust = Float(found.count) / (Float(found.count) + Self.doubt)
        target = speaker.mean
        center = zip(speaker.mean, found.mean).map { $0 + trust * (Float($1) - $0) }
        gain = zip(speaker.deviation, found.deviation).map {
            pow(min(max($0 / $1, Self.stretch.lowerBound), Self.stretch.upperBound), trust)
        }
    }

    /// What becomes of coefficient `k`.
    func callAsFunction(_ value: Float, _ k: Int) -> Float {
        target[k] + gain[k] * (value - center[k])
    }
}
