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

    /// The mean profile of the speakers that shipped voices are made from, each of them counting alike.
    private static let reference: [Double] = [
        1.512, 1.518, 1.517, 1.508, 1.496, 1.492, 1.516, 1.559, 1.609, 1.646, 1.663, 1.667, 1.661,
        1.665, 1.708, 1.823, 1.949, 2.023, 2.061, 2.076, 2.090, 2.142, 2.199, 2.235, 2.263, 2.272,
        2.251, 2.224, 2.205, 2.170, 2.102, 2.059, 2.046, 2.019, 1.964, 1.933, 1.978, 2.016, 1.994,
        1.950, 1.942, 1.913, 1.837, 1.730, 1.678, 1.674, 1.694, 1.805, 1.927, 1.956, 1.869, 1.786,
        1.816, 1.878, 1.943, 2.039, 2.079, 2.038, 2.025, 2.026, 1.982, 1.923, 1.831, 1.849,
    ]
}
