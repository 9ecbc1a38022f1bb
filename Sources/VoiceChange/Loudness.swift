import DSP
import Foundation

/// Keeps a frame as loud as it was when its envelope changes.
final class Loudness {
    private let shape: VoiceShape
    private let weights: AlignedBuffer

    init(_ shape: VoiceShape) {
        self.shape = shape
        weights = AlignedBuffer(count: VectorMath.padded(shape.bins))
        let spacing = Double(shape.sampleRate) / Double(shape.transformSize)
        for bin in 0..<shape.bins {
            weights.pointer[bin] = Float(Self.weight(Double(bin) * spacing))
        }
    }

    /// A-weighting of power (IEC 61672-1, annex E).
    private static func weight(_ hertz: Double) -> Double {
        let f = hertz * hertz
        let (a, b, c, d) = (20.6 * 20.6, 107.7 * 107.7, 737.9 * 737.9, 12_194.0 * 12_194.0)
        let gain = d * f * f / ((f + a) * ((f + b) * (f + c)).squareRoot() * (f + d))
        return gain * gain
    }

    /// Moves `difference` up or down so that the envelope with it is as loud as without; both are natural logarithms of
    /// power, `bins` values rounded up to whole vectors.
    func match(
        _ difference: UnsafeMutablePointer<Float>, of envelope: UnsafeMutablePointer<Float>
    ) {
        var (before, after) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        let blocks = VectorMath.padded(shape.bins) / 8
        for block in 0..<blocks {
            let weight = weights.pointer.vectors[block]
            before += weight * VectorMath.exp(envelope.vectors[block])
            after +=
                weight * VectorMath.exp(envelope.vectors[block] + difference.vectors[block])
        }
        let gain = Foundation.log(max(before.sum(), 1e-20) / max(after.sum(), 1e-20))
        for block in 0..<blocks { difference.vectors[block] += gain }
    }
}
