import Foundation

/// What a speaker's envelope is when it moves in a certain way: pairs of normalized features and envelopes, and the
/// regression between them by nearest neighbors.
///
/// Nearest-neighbor regression between aligned spectra as in F. Villavicencio and J. Bonada, *Applying voice conversion to
/// concatenative singing-voice synthesis*, Interspeech 2010 (there with mixtures), and M. Baas, B. van Niekerk and
/// H. Kamper, *Voice conversion with just nearest neighbors*, Interspeech 2023 (there with learned features).
public struct TimbreCodebook: Sendable, Equatable {
    /// Coefficients of a frame's own mel-cepstrum in its features, from number 1 on.
    static let own = 20
    /// Coefficients of the frames before and after it.
    static let context = 12
    /// Seconds between a frame and those.
    static let distance = 0.03
    /// Values in the features of a frame, in whole vectors of eight.
    static let features = 48
    /// Neighbors that a frame's envelope is made of.
    private static let neighbors = 8

    /// What is looked up: an envelope's mel-cepstrum without its level, and aperiodicity in decibels.
    struct Timbre {
        var cepstrum = [Float](repeating: 0, count: MelCepstrum.order)
        var aperiodicity = [Float](repeating: 0, count: VoiceStatistics.bands)
    }

    let count: Int
    /// `count` × `features`.
    private let keys: [SIMD8<Float>]
    /// `count` × (`order` + `bands`), the first coefficient left 0.
    private let values: [Float]

    private static let vectors = features / 8
    private static let width = MelCepstrum.order + VoiceStatistics.bands

    /// Numbers that one entry has on disk.
    static let entryWidth = features + width

    /// - Parameter entries: `entryWidth` numbers for each: features, cepstrum, aperiodicity.
    init(entries: [Float]) {
        count = entries.count / Self.entryWidth
        var keys: [SIMD8<Float>] = []
        var values: [Float] = []
        keys.reserveCapacity(count * Self.vectors)
        values.reserveCapacity(count * Self.width)
        for entry in 0..<count {
            let start = entry * Self.entryWidth
            for vector in 0..<Self.vectors {
                keys.append(SIMD8(entries[(start + 8 * vector)..<(start + 8 * vector + 8)]))
            }
            values += entries[(start + Self.features)..<(start + Self.entryWidth)]
        }
        self.keys = keys
        self.values = values
    }

    /// The features of a frame, normalized by its speaker's statistics.
    /// - Parameters:
    ///   - before: The mel-cepstrum ``distance`` seconds before; `after` as long after.
    static func features(
        of cepstrum: [Float], before: [Float], after: [Float], _ statistics: VoiceStatistics
    ) -> [SIMD8<Float>] {
        var values = [Float](repeating: 0, count: features)
        for k in 1...own {
            // Deviations fall with the order; without a weight all count the same.
            let scale = 1 / statistics.deviation[k]
            values[k - 1] = (cepstrum[k] - statistics.mean[k]) * scale
        }
        for k in 1...context {
            let scale = 0.5 / statistics.deviation[k]
            values[own + k - 1] = (before[k] - statistics.mean[k]) * scale
            values[own + context + k - 1] = (after[k] - statistics.mean[k]) * scale
        }
        return (0..<vectors).map { SIMD8(values[(8 * $0)..<(8 * $0 + 8)]) }
    }

    /// The mean of the nearest neighbors, nearer ones counting more.
    func timbre(of features: [SIMD8<Float>]) -> Timbre {
        var nearest: [(distance: Float, entry: Int)] = []
        nearest.reserveCapacity(Self.neighbors + 1)
        var worst = Float.infinity
        keys.withUnsafeBufferPointer { keys in
            features.withUnsafeBufferPointer { features in
                for entry in 0..<count {
                    var sum = SIMD8<Float>.zero
                    for vector in 0..<Self.vectors {
                        let difference = keys[entry * Self.vectors + vector] - features[vector]
                        sum += difference * difference
                    }
                    let distance = sum.sum()
                    guard distance < worst else { continue }
                    let place = nearest.firstIndex { $0.distance > distance } ?? nearest.count
                    nearest.insert((distance, entry), at: place)
                    if nearest.count > Self.neighbors { nearest.removeLast() }
                    if nearest.count == Self.neighbors { worst = nearest.last!.distance }
                }
            }
        }
        var timbre = Timbre()
        let weights = nearest.map { 1 / ($0.distance + 1e-3) }
        let scale = 1 / weights.reduce(0, +)
        for (neighbor, weight) in zip(nearest, weights) {
            let start = neighbor.entry * Self.width
            for k in 0..<MelCepstrum.order {
                timbre.cepstrum[k] += values[start + k] * weight * scale
            }
            for band in 0..<VoiceStatistics.bands {
                timbre.aperiodicity[band] +=
                    values[start + MelCepstrum.order + band] * weight * scale
            }
        }
        return timbre
    }
}
