import DSP

/// Where something stands between two channels, in eight bins: the covariance of its spectra, a Hermitian matrix of 2 · 2.
struct SpatialCovariance {
    /// Means of |y₁|², of |y₂|² and of y₁·ȳ₂, times whatever.
    var first: SIMD8<Float>
    var second: SIMD8<Float>
    var cross: ComplexVector

    static let zero = SpatialCovariance(first: .zero, second: .zero, cross: .zero)

    @inline(__always) init(first: SIMD8<Float>, second: SIMD8<Float>, cross: ComplexVector) {
        self.first = first
        self.second = second
        self.cross = cross
    }

    /// Of one frame.
    @inline(__always) init(_ a: ComplexVector, _ b: ComplexVector) {
        self.init(first: a.power, second: b.power, cross: .zero)
        cross.add(a, timesConjugateOf: b)
    }

    @inline(__always) static func += (sum: inout Self, value: Self) {
        sum.first += value.first
        sum.second += value.second
        sum.cross += value.cross
    }

    @inline(__always) static func * (value: Self, factor: SIMD8<Float>) -> Self {
        Self(
            first: value.first * factor, second: value.second * factor,
            cross: value.cross * factor)
    }

    /// The product with a vector.
    @inline(__always) func times(_ a: ComplexVector, _ b: ComplexVector)
        -> (ComplexVector, ComplexVector)
    {
        var (x, y) = (a * first, b * second)
        x.add(b, times: cross)
        y.add(a, timesConjugateOf: cross)
        return (x, y)
    }

    /// What it has to be multiplied with to give a vector, refined by one iteration: where nearly all power comes from one place,
    /// the determinant has few digits.
    @inline(__always) func solve(_ a: ComplexVector, _ b: ComplexVector)
        -> (ComplexVector, ComplexVector)
    {
        let inverse = 1 / (first * second - cross.power)
        var (x, y) = roughlySolve(a, b, inverse)
        let back = times(x, y)
        let more = roughlySolve(a - back.0, b - back.1, inverse)
        x += more.0
        y += more.1
        return (x, y)
    }

    @inline(__always) private func roughlySolve(
        _ a: ComplexVector, _ b: ComplexVector, _ inverse: SIMD8<Float>
    ) -> (ComplexVector, ComplexVector) {
        var (x, y) = (a * second, b * first)
        x.subtract(b, times: cross)
        y.subtract(a, timesConjugateOf: cross)
        return (x * inverse, y * inverse)
    }
}
