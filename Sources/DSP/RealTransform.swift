import CTransforms

/// The discrete Fourier transform of real input, by `av_tx` of libavutil.
///
/// Spectra are `size / 2 + 1` complex values, real and imaginary parts alternating. Neither direction is
/// normalized at the input: `inverse(forward(x)) = x`, as the inverse divides by `size`.
public final class RealTransform {
    public let size: Int
    private var forwardContext: OpaquePointer?
    private var inverseContext: OpaquePointer?
    private let forwardFunction: av_tx_fn
    private let inverseFunction: av_tx_fn
    /// The inverse overwrites its input, so it works on a copy.
    private let work: AlignedBuffer

    /// - Parameter size: Samples; even.
    /// - Throws: ``TransformError`` where libavutil has no transform of this size.
    public init(size: Int) throws(TransformError) {
        self.size = size
        work = AlignedBuffer(count: size + 2)
        var forward: av_tx_fn?
        var inverse: av_tx_fn?
        var one: Float = 1
        var scale = 1 / Float(size)
        // libavutil counts the inverse's scale from its complex transform of half the size.
        guard
            av_tx_init(&forwardContext, &forward, AV_TX_FLOAT_RDFT, 0, Int32(size), &one, 0) >= 0,
            av_tx_init(&inverseContext, &inverse, AV_TX_FLOAT_RDFT, 1, Int32(size), &scale, 0) >= 0,
            let forward, let inverse
        else {
            av_tx_uninit(&forwardContext)
            av_tx_uninit(&inverseContext)
            throw TransformError(size: size)
        }
        forwardFunction = forward
        inverseFunction = inverse
    }

    deinit {
        av_tx_uninit(&forwardContext)
        av_tx_uninit(&inverseContext)
    }

    /// - Parameters:
    ///   - samples: `size` values, aligned to 64 bytes; overwritten.
    ///   - spectrum: Room for `size + 2` values, aligned to 64 bytes.
    public func forward(
        _ samples: UnsafeMutablePointer<Float>, into spectrum: UnsafeMutablePointer<Float>
    ) {
        forwardFunction(forwardContext, spectrum, samples, MemoryLayout<Float>.stride)
    }

    /// - Parameters:
    ///   - spectrum: `size + 2` values.
    ///   - samples: Room for `size` values, aligned to 64 bytes.
    public func inverse(
        _ spectrum: UnsafePointer<Float>, into samples: UnsafeMutablePointer<Float>
    ) {
        work.pointer.update(from: spectrum, count: size + 2)
        inverseFunction(inverseContext, samples, work.pointer, MemoryLayout<Float>.stride)
    }
}

/// libavutil has no transform of the size.
public struct TransformError: Error, CustomStringConvertible {
    public let size: Int
    public var description: String { "libavutil has no real transform of size \(size)" }
}
