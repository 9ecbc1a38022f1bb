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

    /// K-weighting of power (ITU-R BS.1770-4, annex 1), from the filters' analog prototypes: a shelf that raises what lies
    /// above 1.7 kHz by 4 dB, and a high-pass at 38 Hz.
    static func weight(_ hertz: Double) -> Double {
        let (high, middle, quality) = (1.58486, 1.25872, 0.70718)
        let w = hertz / 1681.97
        let shelf =
            (pow(1 - high * w * w, 2) + pow(middle * w / quality, 2))
            / (pow(1 - w * w, 2) + pow(w / quality, 2))
        let f = hertz * hertz
        return shelf * pow(f / (f + 38.135 * 38.135), 2)
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
