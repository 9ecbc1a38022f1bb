import DSP

/// Where something stands between two channels, in eight bins: the covariance of its spectra, a Hermitian matrix of 2 · 2.
struct SpatialCovariance {
    /// Means of |y₁|², of |y₂|² and of y₁·ȳ₂, times whatever.
    var first: SIMD8<Float>
    var second: SIMD8<Float>
    var between: ComplexVector

    static let zero = SpatialCovariance(first: .zero, second: .zero, between: .zero)

    @inline(__always) init(first: SIMD8<Float>, second: SIMD8<Float>, between: ComplexVector) {
        self.first = first
        self.second = second
        self.between = between
    }

    /// Of one frame.
    @inline(__always) init(_ a: ComplexVector, _ b: ComplexVector) {
        self.init(first: a.power, second: b.power, between: .zero)
        between.add(a, timesConjugateOf: b)
    }

    @inline(__always) static func += (sum: inout Self, value: Self) {
        sum.first += value.first
        sum.second += value.second
        sum.between += value.between
    }

    @inline(__always) static func * (value: Self, factor: SIMD8<Float>) -> Self {
        Self(
            first: value.first * factor, second: value.second * factor,
            between: value.between * factor)
    }

    /// The product with a vector.
    @inline(__always) func times(_ a: ComplexVector, _ b: ComplexVector)
        -> (ComplexVector, ComplexVector)
    {
        var (x, y) = (a * first, b * second)
        x.add(b, times: between)
        y.add(a, timesConjugateOf: between)
        return (x, y)
    }

    /// The product of its inverse with a vector, and once more with what that leaves of it, as most of the digits go where one
    /// direction has nearly all power.
    @inline(__always) func dividing(_ a: ComplexVector, _ b: ComplexVector)
        -> (ComplexVector, ComplexVector)
    {
        let inverse = 1 / (first * second - between.power)
        var (x, y) = nearlyDividing(a, b, inverse)
        let back = times(x, y)
        let more = nearlyDividing(a - back.0, b - back.1, inverse)
        x += more.0
        y += more.1
        return (x, y)
    }

    @inline(__always) private func nearlyDividing(
        _ a: ComplexVector, _ b: ComplexVector, _ inverse: SIMD8<Float>
    ) -> (ComplexVector, ComplexVector) {
        var (x, y) = (a * second, b * first)
        x.subtract(b, times: between)
        y.subtract(a, timesConjugateOf: between)
        return (x * inverse, y * inverse)
    }
}
