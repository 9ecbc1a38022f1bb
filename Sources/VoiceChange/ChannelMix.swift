/// The direction of a voice among channels: what it is analyzed from, and how it lies in them.
///
/// The mono mix that holds most of the power (the principal component), so that a voice on one side, or of opposite polarity
/// on both, is not lost.
public struct ChannelMix: Sendable {
    public let channels: Int
    /// Sums of products of channels.
    private var products: [[Double]]

    public init(channels: Int) {
        precondition(channels > 0, "no channels")
        self.channels = channels
        products = [[Double]](
            repeating: [Double](repeating: 0, count: channels), count: channels)
    }

    /// Takes samples into account, `[channel][sample]`.
    public mutating func add(_ samples: [[Float]]) {
        for a in 0..<channels {
            for b in a..<channels {
                var sum = 0.0
                for (x, y) in zip(samples[a], samples[b]) { sum += Double(x) * Double(y) }
                products[a][b] += sum
                if a != b { products[b][a] += sum }
            }
        }
    }

    /// A factor for each channel; their absolute values sum to one.
    public var weights: [Float] {
        // Power iteration, from all channels alike.
        var vector = (0..<channels).map { 1 + 0.01 * Double($0) }
        for _ in 0..<200 {
            let next = products.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
            let length = next.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 0 else {
                return [Float](repeating: 1 / Float(channels), count: channels)
            }
            vector = next.map { $0 / length }
        }
        if vector.reduce(0, +) < 0 { vector = vector.map { -$0 } }
        let sum = vector.reduce(0) { $0 + abs($1) }
        return vector.map { Float($0 / sum) }
    }

    /// The mono mix of samples, `[channel][sample]`.
    public static func mono(_ samples: [[Float]], weights: [Float]) -> [Float] {
        if weights == [1] { return samples[0] }
        var mono = [Float](repeating: 0, count: samples[0].count)
        for (channel, weight) in zip(samples, weights) where weight != 0 {
            for i in mono.indices { mono[i] += channel[i] * weight }
        }
        return mono
    }
}
