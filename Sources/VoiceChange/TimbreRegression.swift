import Foundation

/// What a speaker's envelope is when something is said, by linear regression on what is said in a frame and around it.
struct TimbreRegression: Sendable, Equatable {
    /// Numbers that it has on disk: for each coefficient of the mel-cepstrum a weight of each value of a ``Content``, and a
    /// constant.
    static let count = (Content.count + 1) * MelCepstrum.order

    /// `[coefficient][value]`, the constant last.
    let weights: [Float]

    /// - Parameter weights: ``count`` numbers.
    init(weights: [Float]) { self.weights = weights }

    /// The mel-cepstrum that is expected, its level 0.
    func cepstrum(of content: Content) -> [Float] {
        let width = Content.count + 1
        return weights.withUnsafeBufferPointer { weights in
            content.values.withUnsafeBufferPointer { values in
                (0..<MelCepstrum.order).map { k in
                    let row = weights.baseAddress! + k * width
                    var sum = SIMD8<Float>.zero
                    for start in stride(from: 0, to: Content.count, by: 8) {
                        let (a, b) = (row + start, values.baseAddress! + start)
                        sum +=
                            UnsafeRawPointer(a).loadUnaligned(as: SIMD8<Float>.self)
                            * UnsafeRawPointer(b).loadUnaligned(as: SIMD8<Float>.self)
                    }
                    return sum.sum() + row[Content.count]
                }
            }
        }
    }
}

/// Learns a ``TimbreRegression`` from frames, in constant memory: ridge regression by its normal equations.
struct TimbreRegressionCollector {
    /// What is added to the diagonal, in frames; the second where another regression is corrected.
    private static let ridges = (30.0, 100.0)
    /// Expected values vary less than true ones; their deviation is raised to this power of the ratio.
    private static let restored = 0.7
    private static let width = Content.count + 1

    private var frames = 0.0
    /// Sums of products, `width` × `width`, the lower half.
    private var products = [Double](repeating: 0, count: width * width)
    /// Sums of products with the coefficients, `order` × `width`.
    private var targets = [Double](repeating: 0, count: MelCepstrum.order * width)
    private var squares = [Double](repeating: 0, count: MelCepstrum.order)

    mutating func add(_ content: Content, cepstrum: [Float]) {
        let values = content.values.map(Double.init) + [1]
        frames += 1
        for row in 0..<Self.width {
            let value = values[row]
            for column in 0...row { products[row * Self.width + column] += value * values[column] }
        }
        for k in 1..<MelCepstrum.order {
            let value = Double(cepstrum[k])
            squares[k] += value * value
            for column in 0..<Self.width {
                targets[k * Self.width + column] += value * values[column]
            }
        }
    }

    /// The weights as ``TimbreRegression/init(weights:)`` takes them.
    /// - Parameter other: A regression that is corrected by the frames; the fewer there are, the more of it stays. What it
    ///   expects varies as it does; without one, deviations are restored.
    func weights(from other: TimbreRegression? = nil) -> [Float] {
        let width = Self.width
        let factor = cholesky(ridge: other == nil ? Self.ridges.0 : Self.ridges.1)
        var weights = [Float](repeating: 0, count: TimbreRegression.count)
        for k in 1..<MelCepstrum.order {
            var solution = Array(targets[k * width..<(k + 1) * width])
            if let other {
                for row in 0..<width {
                    for column in 0..<width {
                        let product = products[max(row, column) * width + min(row, column)]
                        solution[row] -= product * Double(other.weights[k * width + column])
                    }
                }
            }
            for row in 0..<width {
                for column in 0..<row {
                    solution[row] -= factor[row * width + column] * solution[column]
                }
                solution[row] /= factor[row * width + row]
            }
            for row in (0..<width).reversed() {
                for below in row + 1..<width {
                    solution[row] -= factor[below * width + row] * solution[below]
                }
                solution[row] /= factor[row * width + row]
            }
            if let other {
                for column in 0..<width {
                    let index = k * width + column
                    weights[index] = other.weights[index] + Float(solution[column])
                }
                continue
            }
            // How much what is expected varies, and what is there.
            let mean = targets[k * width + width - 1] / frames
            var expected = 0.0
            for row in 0..<width {
                for column in 0..<width {
                    let product = products[max(row, column) * width + min(row, column)]
                    expected += solution[row] * solution[column] * product
                }
            }
            let variance = (squares[k] / frames - mean * mean, expected / frames - mean * mean)
            let gain = pow(max(variance.0, 1e-9) / max(variance.1, 1e-9), Self.restored / 2)
            let scale = min(max(gain, 1), 3)
            for column in 0..<width {
                weights[k * width + column] = Float(solution[column] * scale)
            }
            weights[k * width + width - 1] += Float(mean * (1 - scale))
        }
        return weights
    }

    /// The lower triangular matrix whose product with its transpose the matrix of products is.
    private func cholesky(ridge: Double) -> [Double] {
        let width = Self.width
        var factor = products
        for row in 0..<width {
            // The constant costs nothing.
            factor[row * width + row] += row < Content.count ? ridge : 1e-9 * frames
            for column in 0...row {
                var sum = factor[row * width + column]
                for k in 0..<column { sum -= factor[row * width + k] * factor[column * width + k] }
                factor[row * width + column] =
                    row == column
                    ? max(sum, 1e-9).squareRoot() : sum / factor[column * width + column]
            }
        }
        return factor
    }
}
