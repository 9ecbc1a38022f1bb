import DSP
import Foundation

/// Cuts a few periods out of a signal, under a window whose length follows the pitch.
final class PitchWindow {
    enum Kind { case hann, blackman }

    private let rate: Double
    private let weights: AlignedBuffer

    /// - Parameter size: Samples that the longest window may have.
    init(sampleRate: Int, size: Int) {
        rate = Double(sampleRate)
        weights = AlignedBuffer(count: VectorMath.padded(size) + 8)
    }

    /// The samples around `center`, `periods` periods in all, windowed and without their weighted mean, at the start
    /// of `output`; the rest of it is zeros. What lies outside the signal counts as zero.
    /// - Returns: The sum of the squared weights.
    func cut(
        _ signal: FrameQueue, around center: Int, frequency: Double, periods: Double, _ kind: Kind,
        into output: AlignedBuffer
    ) -> Float {
        let wanted = Int((periods / 2 * rate / frequency).rounded())
        let half = min(wanted, (min(output.count, weights.count - 8) - 1) / 2)
        let length = 2 * half + 1
        let step = Float(2 * Double.pi * frequency / (periods * rate))
        let ramp = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7) * step
        let window = weights.pointer
        for block in 0..<(length + 7) / 8 {
            let cosine = VectorMath.sineAndCosine(ramp + Float(8 * block - half) * step).cosine
            window.vectors[block] =
                kind == .hann
                ? 0.5 + 0.5 * cosine : 0.34 + 0.5 * cosine + 0.16 * cosine * cosine
        }
        for i in length..<VectorMath.padded(length) { window[i] = 0 }

        let samples = output.pointer
        samples.update(repeating: 0, count: output.count)
        let first = center - half
        let from = max(first, signal.start)
        let to = min(first + length, signal.end)
        if from < to {
            let source = signal[from]
            let (place, weight) = (samples + (from - first), window + (from - first))
            for i in 0..<(to - from) { place[i] = source[i] * weight[i] }
        }
        let blocks = VectorMath.padded(length) / 8
        var (sum, total, squares) = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
        for block in 0..<blocks {
            let weight = window.vectors[block]
            sum += samples.vectors[block]
            total += weight
            squares += weight * weight
        }
        let mean = sum.sum() / total.sum()
        for block in 0..<blocks { samples.vectors[block] -= window.vectors[block] * mean }
        return squares.sum()
    }
}
