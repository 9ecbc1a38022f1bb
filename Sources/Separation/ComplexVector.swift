import DSP

/// A complex number for each of eight neighboring bins.
struct ComplexVector {
    /// Bins in one.
    static let width = 8
    static let zero = ComplexVector(real: .zero, imaginary: .zero)

    var real: SIMD8<Float>
    var imaginary: SIMD8<Float>

    /// Eight bins of a spectrum, from the first's real part on, aligned to 64 bytes.
    @inline(__always) init(_ spectrum: UnsafePointer<Float>) {
        let both = UnsafeRawPointer(spectrum).load(as: SIMD16<Float>.self)
        self.init(real: both.evenHalf, imaginary: both.oddHalf)
    }

    @inline(__always) init(real: SIMD8<Float>, imaginary: SIMD8<Float>) {
        self.real = real
        self.imaginary = imaginary
    }

    @inline(__always) func store(to spectrum: UnsafeMutablePointer<Float>) {
        var both = SIMD16<Float>()
        both.evenHalf = real
        both.oddHalf = imaginary
        UnsafeMutableRawPointer(spectrum).storeBytes(of: both, as: SIMD16<Float>.self)
    }

    @inline(__always) var power: SIMD8<Float> { real * real + imaginary * imaginary }

    @inline(__always) static func += (sum: inout Self, value: Self) {
        sum.real += value.real
        sum.imaginary += value.imaginary
    }

    @inline(__always) static func * (value: Self, factor: SIMD8<Float>) -> Self {
        Self(real: value.real * factor, imaginary: value.imaginary * factor)
    }

    @inline(__always) static func - (a: Self, b: Self) -> Self {
        Self(real: a.real - b.real, imaginary: a.imaginary - b.imaginary)
    }

    /// Adds a product.
    @inline(__always) mutating func add(_ a: Self, times b: Self) {
        real += a.real * b.real
        real -= a.imaginary * b.imaginary
        imaginary += a.real * b.imaginary
        imaginary += a.imaginary * b.real
    }

    /// Takes a product away.
    @inline(__always) mutating func subtract(_ a: Self, times b: Self) {
        real -= a.real * b.real
        real += a.imaginary * b.imaginary
        imaginary -= a.real * b.imaginary
        imaginary -= a.imaginary * b.real
    }

    /// Adds the product with another's conjugate.
    @inline(__always) mutating func add(_ a: Self, timesConjugateOf b: Self) {
        real += a.real * b.real
        real += a.imaginary * b.imaginary
        imaginary += a.imaginary * b.real
        imaginary -= a.real * b.imaginary
    }

    /// Takes away the product with another's conjugate.
    @inline(__always) mutating func subtract(_ a: Self, timesConjugateOf b: Self) {
        real -= a.real * b.real
        real -= a.imaginary * b.imaginary
        imaginary -= a.imaginary * b.real
        imaginary += a.real * b.imaginary
    }
}
