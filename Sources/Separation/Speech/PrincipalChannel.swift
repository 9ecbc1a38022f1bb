import DSP

/// One signal that stands for all channels of a recording: their weighted sum with the most energy of late.
///
/// The weights are the eigenvector of the largest eigenvalue of the channels' covariance, followed by a step of
/// the power method each frame. So a voice in the middle, on one side, in the center channel of a film, or in
/// channels of opposite polarity is found alike, where a plain sum can cancel it. Weights add up to one in magnitude:
/// equal channels give what each of them is.
struct PrincipalChannel {
    private var weights: [Double]
    /// `[row][column]`
    private var covariance: [[Double]]
    private let bins: Range<Int>

    /// How much of the covariance is kept from one frame to the next; with 10 ms a frame, that of some seconds.
    private static let decay = 0.998

    /// - Parameter bins: Those whose energy counts.
    init(channels: Int, bins: Range<Int>) {
        self.bins = bins
        // Uneven, so that no sum of channels of either polarity is zero.
        weights = (0..<channels).map { 1 / (1 + 0.01 * Double($0)) }
        covariance = Array(repeating: Array(repeating: 0, count: channels), count: channels)
    }

    /// Takes in the next frame.
    /// - Parameters:
    ///   - frame: Spectra by channel, real and imaginary parts alternating.
    ///   - result: Room for a spectrum of `length` values.
    mutating func mix(
        _ frame: [UnsafePointer<Float>], length: Int, into result: AlignedBuffer
    ) {
        if frame.count == 1 { return result.pointer.update(from: frame[0], count: length) }
        turn(frame)
        let sum = weights.reduce(0) { $0 + abs($1) }
        result.clear()
        for (channel, weight) in zip(frame, weights) {
            let factor = Float(weight / sum)
            for index in 0..<length { result.pointer[index] += factor * channel[index] }
        }
    }

    private mutating func turn(_ frame: [UnsafePointer<Float>]) {
        for row in frame.indices {
            for column in 0...row {
                var product: Float = 0
                for index in 2 * bins.lowerBound..<2 * bins.upperBound {
                    product += frame[row][index] * frame[column][index]
                }
                let mean =
                    covariance[row][column] * Self.decay + Double(product) * (1 - Self.decay)
                covariance[row][column] = mean
                covariance[column][row] = mean
            }
        }
        let turned = covariance.map { row in zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 } }
        let norm = turned.reduce(0) { $0 + $1 * $1 }.squareRoot()
        // Silence says nothing of where the voice is.
        if norm > 1e-12, norm.isFinite { weights = turned.map { $0 / norm } }
    }
}
