/// Elementary functions of eight floats at a time, exact to a few units in the last place.
///
/// Arguments are reduced as in Cody and Waite, *Software Manual for the Elementary Functions* (1980); what is
/// left goes into a power series. No function of the C library works on vectors.
public enum VectorMath {
    public typealias Vector = SIMD8<Float>
    public typealias Integers = SIMD8<Int32>

    /// Adding this rounds to an integer, which then stands in the low bits.
    @inlinable static var rounder: Float { 12_582_912 }

    /// `eˣ`; arguments are limited to ±87.
    @inlinable @inline(__always)
    public static func exp(_ value: Vector) -> Vector {
        let x = value.atLeast(Vector(repeating: -87)).atMost(Vector(repeating: 87))
        let shifted = x * 1.442695041 + rounder
        let n = shifted - rounder
        let r = (x - n * 0.693359375) + n * 2.12194440e-4
        var series = r * (1 / 5040) + (1 / 720)
        series = series * r + (1 / 120)
        series = series * r + (1 / 24)
        series = series * r + (1 / 6)
        series = series * r + 0.5
        series = series * (r * r) + r + 1
        let exponent = unsafeBitCast(shifted, to: Integers.self) &<< 23
        return unsafeBitCast(
            unsafeBitCast(series, to: Integers.self) &+ exponent, to: Vector.self)
    }

    /// The natural logarithm of normal, positive numbers.
    @inlinable @inline(__always)
    public static func log(_ x: Vector) -> Vector {
        let bits = unsafeBitCast(x, to: Integers.self)
        // The mantissa is brought between √½ and √2.
        let exponent = (bits &- 0x3f35_04f3) &>> 23
        let mantissa = unsafeBitCast(bits &- (exponent &<< 23), to: Vector.self)
        let s = (mantissa - 1) / (mantissa + 1)
        let square = s * s
        var series = square * (1 / 9) + (1 / 7)
        series = series * square + (1 / 5)
        series = series * square + (1 / 3)
        series = series * square + 1
        return Vector(exponent) * 0.693147181 + 2 * s * series
    }

    /// Sine and cosine of arguments up to some thousand.
    @inlinable @inline(__always)
    public static func sineAndCosine(_ x: Vector) -> (sine: Vector, cosine: Vector) {
        let shifted = x * 0.636619772 + rounder
        let n = shifted - rounder
        let r = ((x - n * 1.5703125) - n * 4.83751297e-4) - n * 7.54978995e-8
        let square = r * r
        var sine = square * (1 / 362_880) - (1 / 5040)
        sine = sine * square + (1 / 120)
        sine = sine * square - (1 / 6)
        sine = sine * square * r + r
        var cosine = square * (1 / 40_320) - (1 / 720)
        cosine = cosine * square + (1 / 24)
        cosine = cosine * square - 0.5
        cosine = cosine * square + 1
        // Every quarter of a turn swaps them and changes a sign.
        let quarter = unsafeBitCast(shifted, to: Integers.self)
        let swapped = (quarter & 1) .== Integers(repeating: 1)
        let sineSign = (quarter & 2) &<< 30
        let cosineSign = ((quarter &+ 1) & 2) &<< 30
        let first = sine.replacing(with: cosine, where: swapped)
        let second = cosine.replacing(with: sine, where: swapped)
        return (
            unsafeBitCast(unsafeBitCast(first, to: Integers.self) ^ sineSign, to: Vector.self),
            unsafeBitCast(unsafeBitCast(second, to: Integers.self) ^ cosineSign, to: Vector.self)
        )
    }

    /// `count` rounded up to whole vectors.
    @inlinable public static func padded(_ count: Int) -> Int { (count + 7) / 8 * 8 }
}

extension SIMD8<Float> {
    /// The larger one of each two numbers; what is no number stays. The standard library's `pointwiseMax` is a call that goes value by
    /// value.
    @inlinable @inline(__always)
    public func atLeast(_ least: Self) -> Self { replacing(with: least, where: self .< least) }

    /// The smaller one of each two numbers; what is no number stays.
    @inlinable @inline(__always)
    public func atMost(_ most: Self) -> Self { replacing(with: most, where: self .> most) }
}

extension UnsafeMutablePointer<Float> {
    /// The same memory, which must be aligned to 32 bytes, as vectors.
    @inlinable public var vectors: UnsafeMutablePointer<SIMD8<Float>> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: SIMD8<Float>.self)
    }
}
