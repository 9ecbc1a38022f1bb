import DSP

/// Sums of the largest and of the other values, without sorting.
enum Selection {
    /// - Parameters:
    ///   - values: `count` values ≥ 0, aligned to 32 bytes, with zeros up to a multiple of 8.
    ///   - largest: How many to tell apart.
    static func split(
        _ values: UnsafeMutablePointer<Float>, count: Int, largest: Int
    ) -> (largest: Float, rest: Float) {
        let blocks = VectorMath.padded(count) / 8
        var maximum = SIMD8<Float>.zero
        for i in 0..<blocks { maximum = maximum.atLeast(values.vectors[i]) }
        // Bit patterns of positive floats are ordered as the floats: the threshold is bisected among them,
        // to an eighth of a percent.
        var high = maximum.max().bitPattern &+ 1
        var low = high > 40 << 23 ? high - 40 << 23 : 0
        while high - low > 1 << 13 {
            let middle = low + (high - low) / 2
            let threshold = SIMD8<Float>(repeating: Float(bitPattern: middle))
            var above = SIMD8<Int32>.zero
            for i in 0..<blocks {
                above.replace(with: above &+ 1, where: values.vectors[i] .>= threshold)
            }
            if above.wrappedSum() >= largest { low = middle } else { high = middle }
        }
        let threshold = SIMD8<Float>(repeating: Float(bitPattern: high))
        var (rest, top, above) = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Int32>.zero)
        for i in 0..<blocks {
            let mask = values.vectors[i] .>= threshold
            rest += values.vectors[i].replacing(with: 0, where: mask)
            top += values.vectors[i].replacing(with: 0, where: .!mask)
            above.replace(with: above &+ 1, where: mask)
        }
        let missing = Float(largest - Int(above.wrappedSum())) * Float(bitPattern: low)
        return (top.sum() + missing, max(rest.sum() - missing, 0))
    }
}
