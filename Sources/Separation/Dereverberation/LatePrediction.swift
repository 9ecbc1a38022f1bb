import DSP

/// How eight bins of some channels follow from what was heard in all of these channels some time before: complex weights for
/// `taps` frames, the newest of which lies `delay` frames back.
///
/// The weights make the least of what is not foretold, where errors of loud frames count less: they solve R·g = p, where R
/// are correlations among the past frames (`rows` · `rows`, Hermitian), and p those with the present one.
struct LatePrediction {
    typealias Frames = UnsafePointer<ComplexVector>

    /// How much the past is distrusted: this share of its mean power is added to R's diagonal.
    private static let loading: Float = 1e-4
    /// Frames that are weaker than this, of the loudest one's power, count like one that has it: −35 dB.
    private static let range: Float = 3e-4

    let channels: Int
    let taps: Int
    let delay: Int

    /// Past frames by channel.
    var rows: Int { channels * taps }
    /// Values of R, of which the lower half is kept, row by row.
    private var square: Int { rows * (rows + 1) / 2 }
    /// Values of R and p.
    var values: Int { square + rows * channels }

    /// Row `channel + channels · tap`, from the frame on that `present` begins with.
    @inline(__always) private func past(_ row: Int, _ present: [Frames]) -> Frames {
        present[row % channels] - delay - row / channels
    }

    /// Finds R and p.
    /// - Parameters:
    ///   - present: By channel the frames, before which `delay + taps - 1` others lie.
    ///   - scratch: Room for two values a frame.
    ///   - result: Room for ``values``. A frame counts by the loudest one's power over its own, so that sums of such
    ///     results follow the loud ones.
    func measure(
        _ present: [Frames], count: Int, scratch: UnsafeMutablePointer<ComplexVector>,
        into result: UnsafeMutablePointer<ComplexVector>
    ) {
        let (weighted, weights) = (scratch, scratch + count)
        var loudest = SIMD8<Float>(repeating: .leastNormalMagnitude)
        for t in 0..<count {
            var power = SIMD8<Float>.zero
            for channel in present { power += channel[t].power }
            weights[t].real = power
            loudest = loudest.atLeast(power)
        }
        for t in 0..<count {
            weights[t].real = loudest / weights[t].real.atLeast(loudest * Self.range)
        }
        var place = result
        for row in 0..<rows {
            let own = past(row, present)
            for t in 0..<count { weighted[t] = own[t] * weights[t].real }
            var column = 0
            while column <= row {
                let pair = Self.correlations(
                    weighted, past(column, present), past(min(column + 1, row), present), count)
                place[column] = pair.0
                if column < row { place[column + 1] = pair.1 }
                column += 2
            }
            place += row + 1
            let targets = result + square + row * channels
            for channel in stride(from: 0, to: channels, by: 2) {
                let other = min(channel + 1, channels - 1)
                let pair = Self.correlations(weighted, present[channel], present[other], count)
                targets[channel] = pair.0
                targets[other] = pair.1
            }
        }
    }

    /// Σ x·ā and Σ x·b̄.
    private static func correlations(_ x: Frames, _ a: Frames, _ b: Frames, _ count: Int)
        -> (ComplexVector, ComplexVector)
    {
        var (first, second) = (ComplexVector.zero, ComplexVector.zero)
        for t in 0..<count {
            first.add(x[t], timesConjugateOf: a[t])
            second.add(x[t], timesConjugateOf: b[t])
        }
        return (first, second)
    }

    /// Solves R·g = p by Cholesky's decomposition R = L·Lᴴ.
    /// - Parameters:
    ///   - system: R and p, which become L and g.
    /// - Returns: g, `rows` · `channels`, the channels of a row side by side.
    func solve(_ system: UnsafeMutablePointer<ComplexVector>) -> UnsafeMutablePointer<ComplexVector>
    {
        let line = { (row: Int) in system + row * (row + 1) / 2 }
        var mean = SIMD8<Float>.zero
        for row in 0..<rows { mean += line(row)[row].real }
        // Where all is silence, nothing is foretold.
        let added = (mean * (Self.loading / Float(rows))).atLeast(
            SIMD8(repeating: .leastNormalMagnitude * 1e8))
        for row in 0..<rows {
            let own = line(row)
            own[row].real += added
            for column in 0...row {
                let other = line(column)
                var value = own[column]
                for k in 0..<column { value.subtract(own[k], timesConjugateOf: other[k]) }
                if column < row {
                    // The diagonal holds the inverse of L's.
                    own[column] = value * other[column].real
                } else {
                    let pivot = value.real.atLeast(added)
                    own[row] = ComplexVector(real: 1 / pivot.squareRoot(), imaginary: .zero)
                }
            }
        }
        let result = system + square
        for channel in 0..<channels {
            let g = { (row: Int) in result + row * channels + channel }
            for row in 0..<rows {
                let own = line(row)
                var value = g(row).pointee
                for k in 0..<row {
                    let (a, b) = (own[k], g(k).pointee)
                    value.real -= a.real * b.real - a.imaginary * b.imaginary
                    value.imaginary -= a.real * b.imaginary + a.imaginary * b.real
                }
                g(row).pointee = value * own[row].real
            }
            for row in (0..<rows).reversed() {
                var value = g(row).pointee
                for k in row + 1..<rows {
                    value.subtract(g(k).pointee, timesConjugateOf: line(k)[row])
                }
                g(row).pointee = value * line(row)[row].real
            }
        }
        return result
    }

    /// What of a frame is not foretold.
    func rest(
        _ present: [Frames], frame t: Int, channel: Int,
        _ weights: UnsafePointer<ComplexVector>
    ) -> ComplexVector {
        var value = present[channel][t]
        for row in 0..<rows {
            value.subtract(
                past(row, present)[t], timesConjugateOf: weights[row * channels + channel])
        }
        return value
    }
}
