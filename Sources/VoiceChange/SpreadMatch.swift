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

    private let center: [Float]
    private let gain: [Float]
    private let target: [Float]

    /// - Parameters:
    ///   - found: Moments of what is looked up for a voice.
    ///   - statistics: Of the speaker whose it should be like.
    init(_ found: Moments, like statistics: VoiceStatistics) {
        center = found.mean
        target = statistics.mean
        gain = zip(statistics.deviation, found.deviation).map {
            min(max($0 / $1, Self.stretch.lowerBound), Self.stretch.upperBound)
        }
    }

    /// What becomes of coefficient `k`.
    func callAsFunction(_ value: Float, _ k: Int) -> Float {
        target[k] + gain[k] * (value - center[k])
    }

    /// Mean and deviation of mel-cepstra, coefficient by coefficient.
    struct Moments {
        private(set) var count = 0
        private(set) var mean = [Float](repeating: 0, count: MelCepstrum.order)
        private var squares = [Float](repeating: 0, count: MelCepstrum.order)

        mutating func add(_ cepstrum: [Float]) {
            count += 1
            for k in mean.indices {
                let difference = cepstrum[k] - mean[k]
                mean[k] += difference / Float(count)
                squares[k] += difference * (cepstrum[k] - mean[k])
            }
        }

        var deviation: [Float] {
            squares.map { max($0 / Float(max(count, 1)), 1e-6).squareRoot() }
        }
    }
}
