import CTransforms

/// The inverse discrete Fourier transform of the spectra of two real signals at once, by the complex transform of
/// `av_tx` of libavutil: of `X + iY` it gives `x + iy` (e.g. Press et al., *Numerical Recipes*, 12.3.1). It takes little
/// longer than one real transform.
///
/// Not normalized: `size` times the signals.
final class PairTransform {
    let size: Int
    private var context: OpaquePointer?
    private let function: av_tx_fn
    private let packed: AlignedBuffer

    /// - Parameter size: Samples; a multiple of four.
    /// - Throws: ``TransformError`` where libavutil has no transform of this size.
    init(size: Int) throws(TransformError) {
        self.size = size
        packed = AlignedBuffer(count: 2 * size)
        var inverse: av_tx_fn?
        var scale: Float = 1
        guard
            size % 4 == 0,
            av_tx_init(&context, &inverse, AV_TX_FLOAT_FFT, 1, Int32(size), &scale, 0) >= 0,
            let inverse
        else {
            av_tx_uninit(&context)
            throw TransformError(size: size)
        }
        function = inverse
    }

    deinit { av_tx_uninit(&context) }

    /// - Parameters:
    ///   - first: `size / 2 + 1` complex values, real and imaginary parts alternating.
    ///   - second: The same of the other signal.
    ///   - samples: Room for `size` pairs of samples, aligned to 64 bytes.
    func inverse(
        _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>,
        into samples: UnsafeMutablePointer<Float>
    ) {
        let place = packed.pointer
        let half = size / 2
        // Of real signals the first and the middle value are real.
        (place[0], place[1]) = (first[0], second[0])
        (place[2 * half], place[2 * half + 1]) = (first[2 * half], second[2 * half])
        pack(first, second, bin: 1)
        for bin in stride(from: 2, to: half, by: 2) { packTwo(first, second, bin) }
        function(context, samples, place, 2 * MemoryLayout<Float>.stride)
    }

    /// `X + iY` of a bin, and of the bin at the negative frequency, where both spectra are conjugate.
    private func pack(_ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, bin: Int) {
        let (a, b) = (first[2 * bin], first[2 * bin + 1])
        let (c, d) = (second[2 * bin], second[2 * bin + 1])
        let mirrored = 2 * (size - bin)
        (packed.pointer[2 * bin], packed.pointer[2 * bin + 1]) = (a - d, b + c)
        (packed.pointer[mirrored], packed.pointer[mirrored + 1]) = (a + d, c - b)
    }

    /// The same for a bin and the one after it.
    private func packTwo(_ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, _ bin: Int)
    {
        let x = UnsafeRawPointer(first + 2 * bin).loadUnaligned(as: SIMD4<Float>.self)
        let y = UnsafeRawPointer(second + 2 * bin).loadUnaligned(as: SIMD4<Float>.self)
        let turned = SIMD4(y[1], y[0], y[3], y[2])
        let sum = x + turned * SIMD4(-1, 1, -1, 1)
        let mirrored = x * SIMD4(1, -1, 1, -1) + turned
        let place = UnsafeMutableRawPointer(packed.pointer)
        let bytes = 2 * MemoryLayout<Float>.stride
        place.storeBytes(of: sum, toByteOffset: bin * bytes, as: SIMD4<Float>.self)
        place.storeBytes(
            of: SIMD4(mirrored[2], mirrored[3], mirrored[0], mirrored[1]),
            toByteOffset: (size - bin - 1) * bytes, as: SIMD4<Float>.self)
    }
}
