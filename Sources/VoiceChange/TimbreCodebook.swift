import Foundation

/// What a speaker's envelope is when something is said: frames of the speaker, found by what is said in them.
///
/// Regression by nearest neighbors among learned features of content, as M. Baas, B. van Niekerk and H. Kamper, *Voice
/// conversion with just nearest neighbors*, Interspeech 2023.
struct TimbreCodebook: Sendable, Equatable {
    /// Neighbors that a frame's envelope is made of.
    private static let neighbors = 8

    /// What is looked up: an envelope's mel-cepstrum without its level, and aperiodicity in decibels.
    struct Timbre {
        var cepstrum = [Float](repeating: 0, count: MelCepstrum.order)
        var aperiodicity = [Float](repeating: 0, count: VoiceStatistics.bands)
    }

    let count: Int
    /// `count` × ``ContentNetwork/features``.
    private let keys: [SIMD8<Float>]
    /// `count` × (`order` + `bands`), the first coefficient left 0.
    private let values: [Float]

    private static let vectors = ContentNetwork.features / 8
    private static let width = MelCepstrum.order + VoiceStatistics.bands

    /// Numbers that one entry has on disk.
    static let entryWidth = ContentNetwork.features + width

    /// - Parameter entries: `entryWidth` numbers for each: features of its content, cepstrum, aperiodicity.
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
            values += entries[(start + ContentNetwork.features)..<(start + Self.entryWidth)]
        }
        self.keys = keys
        self.values = values
    }

    /// The mean of the nearest neighbors, nearer ones counting more.
    func timbre(of content: Content) -> Timbre {
        let own = content.own
        let features = (0..<Self.vectors).map {
            SIMD8(own[(own.startIndex + 8 * $0)..<(own.startIndex + 8 * $0 + 8)])
        }
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
        let weights = nearest.map { 1 / ($0.distance + 1e-3).squareRoot() }
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
