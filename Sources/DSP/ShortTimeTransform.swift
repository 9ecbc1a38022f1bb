import Foundation

/// The shape of a short-time Fourier transform.
public struct ShortTimeShape: Hashable, Sendable {
    /// Samples in a window.
    public let size: Int
    /// Samples between the centers of neighboring frames.
    public let hop: Int
    public let windowShape: Window

    /// How samples are weighed, in analysis and in synthesis.
    public enum Window: String, Codable, Sendable {
        /// Periodic Hann.
        case hann
        /// `sin(π/2 · sin²(…))`; its squares, half a window apart, sum to one (Vorbis I specification, 4.3.1).
        case vorbis
    }

    public init(size: Int, hop: Int, window: Window = .hann) {
        self.size = size
        self.hop = hop
        windowShape = window
    }

    /// Complex values in a frame.
    public var bins: Int { size / 2 + 1 }

    /// Floats that hold a frame: real and imaginary parts, rounded up so that every frame of a queue is
    /// aligned to 64 bytes.
    public var frameLength: Int { (2 * bins + 15) / 16 * 16 }

    /// Frames that a signal of `samples` has: frame `t` is centered at sample `t · hop`, and the last one at or
    /// after the end, so that every sample lies in as many windows as those in the middle, or in one less.
    public func frames(samples: Int) -> Int { samples == 0 ? 0 : (samples + hop - 1) / hop + 1 }

    /// The window's `size` weights.
    public var window: [Float] {
        (0..<size).map { index in
            switch windowShape {
            case .hann:
                return Float(0.5 - 0.5 * cos(2 * Double.pi * Double(index) / Double(size)))
            case .vorbis:
                let sine = sin(Double.pi * (Double(index) + 0.5) / Double(size))
                return Float(sin(0.5 * Double.pi * sine * sine))
            }
        }
    }
}

/// Analyzes a stream of samples into frames: frame `t` is the spectrum of the windowed samples around
/// `t · hop`; what lies before the start or after the end counts as zero. Not normalized.
public final class Analyzer {
    public let shape: ShortTimeShape
    private let transform: RealTransform
    private let window: [Float]
    private let samples: AlignedBuffer

    public init(_ shape: ShortTimeShape) throws(TransformError) {
        self.shape = shape
        transform = try RealTransform(size: shape.size)
        window = shape.window
        samples = AlignedBuffer(count: shape.size)
    }

    /// The spectrum of frame `t`.
    /// - Parameters:
    ///   - signal: A queue of samples (frames of length 1) that still holds what the window covers.
    ///   - spectrum: Room for `frameLength` values, aligned to 64 bytes.
    public func analyze(
        frame t: Int, of signal: FrameQueue, into spectrum: UnsafeMutablePointer<Float>
    ) {
        let first = t * shape.hop - shape.size / 2
        let from = max(first, signal.start)
        let to = min(first + shape.size, signal.end)
        if to - from < shape.size { samples.clear() }
        if to > from {
            let source = signal[from]
            let destination = samples.pointer + (from - first)
            window.withUnsafeBufferPointer { window in
                let weights = window.baseAddress! + (from - first)
                for i in 0..<(to - from) { destination[i] = source[i] * weights[i] }
            }
        }
        transform.forward(samples.pointer, into: spectrum)
    }
}
