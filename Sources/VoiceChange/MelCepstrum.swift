import DSP
import Foundation

/// The shape of a spectral envelope in few numbers, whatever the sample rate: the cosine transform of its logarithm over
/// the mel scale from 0 to 8 kHz.
///
/// Mel scale: 1127 · ln(1 + f / 700) (O'Shaughnessy, *Speech Communication*, 1987). Linear in the logarithm of power, so
/// means and differences of cepstra are those of envelopes.
final class MelCepstrum {
    /// Points of the mel scale at which an envelope is read.
    static let points = 64
    /// Coefficients kept; number 0 is the level.
    static let order = 40
    /// Hertz. What speakers differ in lies below; above, envelopes are not modeled.
    static let highest = 8000.0

    private let bins: Int
    /// Triangles over the bins, one for each point: the first bin and the weights.
    private let triangles: [(first: Int, weights: [Float])]
    /// Rows of the cosine transform, `order` × `points`.
    private let analysis: [[Float]]
    /// Cosines at the bins, `order` × `bins`, each row padded to whole vectors.
    private let basis: [AlignedBuffer]
    private var values = [Float](repeating: 0, count: points)

    init(_ shape: VoiceShape) {
        bins = shape.bins
        let spacing = Double(shape.sampleRate) / Double(shape.transformSize)
        let highestBin = shape.bins - 1
        let last = Double(highestBin)
        triangles = (0..<Self.points).map { point in
            let center = Self.hertz(Self.position(ofPoint: point)) / spacing
            let below = Self.hertz(Self.position(ofPoint: point) - 1 / Double(Self.points))
            let above = Self.hertz(Self.position(ofPoint: point) + 1 / Double(Self.points))
            // Low points lie closer together than bins; a point above the highest bin reads that one.
            let from = max(0, min(below / spacing, center - 1, last - 1))
            let to = min(max(above / spacing, center + 1), last + 1)
            let peak = min(center, last)
            let first = Int(from.rounded(.down)) + (from == 0 ? 0 : 1)
            let weights = (min(first, highestBin)...min(Int(to), highestBin)).map { bin in
                let x = Double(bin)
                let weight = x <= peak ? (x - from) / (peak - from) : (to - x) / (to - peak)
                return Float(max(weight, 1e-6))
            }
            let sum = weights.reduce(0, +)
            return (min(first, highestBin), weights.map { $0 / sum })
        }
        analysis = (0..<Self.order).map { k in
            (0..<Self.points).map { point in
                Float(
                    Self.cosine(k, at: Self.position(ofPoint: point)) / Double(Self.points)
                        * (k == 0 ? 1 : 2))
            }
        }
        basis = (0..<Self.order).map { k in
            let row = AlignedBuffer(count: VectorMath.padded(shape.bins))
            for bin in 0..<shape.bins {
                row.pointer[bin] = Float(
                    Self.cosine(k, at: Self.position(ofHertz: Double(bin) * spacing)))
            }
            return row
        }
    }

    /// - Parameter envelope: Natural logarithms of power, `bins` values.
    /// - Returns: `order` coefficients; their series of cosines is the natural logarithm of power.
    func analyze(_ envelope: UnsafePointer<Float>) -> [Float] {
        for (point, triangle) in triangles.enumerated() {
            var sum: Float = 0
            for (i, weight) in triangle.weights.enumerated() {
                sum += envelope[triangle.first + i] * weight
            }
            values[point] = sum
        }
        return analysis.map { row in
            var sum: Float = 0
            for point in 0..<Self.points { sum += row[point] * values[point] }
            return sum
        }
    }

    /// Writes the envelope that coefficients stand for, `bins` values rounded up to whole vectors.
    func envelope(of cepstrum: [Float], into envelope: UnsafeMutablePointer<Float>) {
        for block in 0..<VectorMath.padded(bins) / 8 {
            var sum = SIMD8<Float>.zero
            for k in 0..<Self.order { sum += basis[k].pointer.vectors[block] * cepstrum[k] }
            envelope.vectors[block] = sum
        }
    }

    /// The cepstrum's value at a place of the scale, 0 ... 1.
    static func value(of cepstrum: [Float], at position: Double) -> Float {
        var sum: Float = 0
        for k in 0..<order { sum += cepstrum[k] * Float(cosine(k, at: position)) }
        return sum
    }

    /// The linear map between cepstra, `order` × `order`, that stretches envelopes along the frequency.
    /// - Parameter ratio: Over 1 moves formants up, as a shorter vocal tract does.
    static func warp(by ratio: Double) -> [[Float]] {
        var map = [[Float]](repeating: [Float](repeating: 0, count: order), count: order)
        for point in 0..<points {
            let position = position(ofPoint: point)
            let source = min(Self.position(ofHertz: hertz(position) / ratio), 1)
            for k in 0..<order {
                let row = cosine(k, at: position) / Double(points) * (k == 0 ? 1 : 2)
                for j in 0..<order { map[k][j] += Float(row * cosine(j, at: source)) }
            }
        }
        return map
    }

    static func position(ofPoint point: Int) -> Double { (Double(point) + 0.5) / Double(points) }

    /// Where a frequency lies on the scale from 0 to ``highest``; higher ones lie at its end.
    static func position(ofHertz hertz: Double) -> Double {
        min(log(1 + max(hertz, 0) / 700) / log(1 + highest / 700), 1)
    }

    static func hertz(_ position: Double) -> Double {
        700 * (exp(max(position, 0) * log(1 + highest / 700)) - 1)
    }

    private static func cosine(_ k: Int, at position: Double) -> Double {
        cos(Double.pi * Double(k) * position)
    }
}
