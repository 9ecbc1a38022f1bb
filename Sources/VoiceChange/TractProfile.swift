import Foundation

/// Where in frequency a voice moves: the spread of its envelope over frames, along the mel scale. Microphones and rooms
/// do not change it; the length of the vocal tract stretches it.
struct TractProfile {
    /// The factors between voices that are told apart.
    private static let ratios = stride(from: 0.8, through: 1.25, by: 0.01)
    /// Hertz between which profiles are compared: below lies the pitch, above what microphones leave out.
    private static let compared = 300.0...5000.0

    /// Long and short vocal tracts are rare: what correlation must gain to be believed.
    private static let rarity = 3.0

    private var count = 0.0
    private var mean = [Double](repeating: 0, count: MelCepstrum.points)
    private var squares = [Double](repeating: 0, count: MelCepstrum.points)

    /// Cosines at the points, without the level.
    private static let basis: [[Float]] = (0..<MelCepstrum.points).map { point in
        (0..<MelCepstrum.order).map { k in
            k == 0
                ? 0
                : Float(cos(Double.pi * Double(k) * MelCepstrum.position(ofPoint: point)))
        }
    }

    mutating func add(_ cepstrum: [Float]) {
        count += 1
        for (point, row) in Self.basis.enumerated() {
            var sum: Float = 0
            for k in 1..<MelCepstrum.order { sum += row[k] * cepstrum[k] }
            let difference = Double(sum) - mean[point]
            mean[point] += difference / count
            squares[point] += difference * (Double(sum) - mean[point])
        }
    }

    /// The profile, at the points.
    var values: [Double] { squares.map { ($0 / max(count, 1)).squareRoot() } }

    /// The factor by which the reference must be stretched to look most like this voice.
    func ratio() -> Double {
        let values = values
        let scores = Self.ratios.map { ratio in
            (
                ratio: ratio,
                score: Self.likeness(of: values, stretched: ratio) - Self.rarity
                    * pow(log(ratio), 2)
            )
        }
        guard let best = scores.indices.max(by: { scores[$0].score < scores[$1].score }) else {
            return 1
        }
        return scores[best].ratio
    }

    /// Correlation of a profile with the reference stretched by a factor.
    private static func likeness(of values: [Double], stretched ratio: Double) -> Double {
        var pairs: [(Double, Double)] = []
        for point in values.indices {
            let hertz = MelCepstrum.hertz(MelCepstrum.position(ofPoint: point))
            guard compared.contains(hertz) else { continue }
            let place = MelCepstrum.position(ofHertz: hertz / ratio)
            let index = max(place * Double(MelCepstrum.points) - 0.5, 0)
            let first = min(Int(index), reference.count - 2)
            let share = min(index - Double(first), 1)
            pairs.append(
                (values[point], reference[first] * (1 - share) + reference[first + 1] * share))
        }
        let n = Double(pairs.count)
        let (a, b) = (
            pairs.reduce(0) { $0 + $1.0 } / n, pairs.reduce(0) { $0 + $1.1 } / n
        )
        var (product, first, second) = (0.0, 1e-12, 1e-12)
        for (x, y) in pairs {
            product += (x - a) * (y - b)
            first += (x - a) * (x - a)
            second += (y - b) * (y - b)
        }
        return product / (first * second).squareRoot()
    }

    /// The mean profile of the speakers that shipped voices are made from.
    private static let reference: [Double] = [
        1.511, 1.517, 1.525, 1.530, 1.529, 1.538, 1.568, 1.609, 1.646, 1.668, 1.673, 1.664, 1.650,
        1.672, 1.761, 1.891, 1.997, 2.051, 2.048, 2.019, 2.007, 2.021, 2.051, 2.095, 2.143, 2.174,
        2.170, 2.133, 2.069, 2.011, 1.975, 1.953, 1.928, 1.888, 1.856, 1.856, 1.876, 1.873, 1.878,
        1.902, 1.915, 1.870, 1.774, 1.682, 1.624, 1.611, 1.674, 1.811, 1.904, 1.922, 1.917, 1.938,
        1.999, 2.078, 2.113, 2.100, 2.069, 2.034, 1.989, 1.911, 1.806, 1.739, 1.748, 1.759,
    ]
}
