import DSP
import Foundation

/// The magnitude planes that networks see of the spectra of all channels, and their power, frame by frame.
///
/// One channel is seen as two equal ones. More than two channels are seen as one whose magnitude is the
/// root of the mean power, which no phase between channels can cancel; all get the same mask.
final class MagnitudeQueue {
    private let shape: ShortTimeShape
    private let bins: Int
    private let planes: [PackManifest.Plane: FrameRing]
    /// By frame, the mean square of the samples under its window, over all channels.
    private let powers = FrameQueue(length: 1)
    /// Frames before and after its own whose mean power is a frame's level: together 1.5 seconds of music.
    private static let reach = 32

    /// - Parameter bins: The lowest ones, which the networks see.
    init(shape: ShortTimeShape, bins: Int, planes: some Sequence<PackManifest.Plane>) {
        self.shape = shape
        self.bins = bins
        // With one picture of all channels, the planes are equal (and the side is empty).
        self.planes = Dictionary(
            uniqueKeysWithValues: Set(planes).map { ($0, FrameRing(length: bins)) })
    }

    var end: Int { powers.end }

    func magnitudes(frame: Int, plane: PackManifest.Plane) -> UnsafePointer<Float> {
        UnsafePointer(planes[plane]![frame])
    }

    /// Index after the last frame whose ``level(frame:)`` later frames do not change.
    /// - Parameter isLast: No frames follow.
    func leveled(isLast: Bool) -> Int { isLast ? end : end - MagnitudeQueue.reach }

    /// The mean square of the samples around a frame, over all channels.
    func level(frame: Int) -> Float {
        let first = max(frame - MagnitudeQueue.reach, 0)
        let last = min(frame + MagnitudeQueue.reach + 1, end)
        let values = UnsafeBufferPointer(start: powers[first], count: last - first)
        return values.reduce(0, +) / Float(values.count)
    }

    /// Adds the next frame.
    /// - Parameter spectra: For each channel `2 · bins` values, real and imaginary parts alternating.
    func append(_ spectra: [UnsafePointer<Float>]) {
        powers.append(1)[0] = meanSquare(spectra)
        for (plane, queue) in planes { compute(plane, of: spectra, into: queue.append()) }
    }

    func drop(before frame: Int) {
        powers.drop(before: frame - MagnitudeQueue.reach)
        for queue in planes.values { queue.drop(before: frame) }
    }

    /// By Parseval's theorem; the squares of a Hann window sum to 3/8 of its length.
    private func meanSquare(_ spectra: [UnsafePointer<Float>]) -> Float {
        let length = 2 * shape.bins
        var sum: Float = 0
        for channel in spectra {
            let values = UnsafeBufferPointer(start: channel, count: length)
            var lanes = SIMD8<Float>()
            for index in stride(from: 0, to: length - 7, by: 8) {
                let part = UnsafeRawPointer(values.baseAddress! + index)
                    .loadUnaligned(as: SIMD8<Float>.self)
                lanes += part * part
            }
            for value in values[(length & ~7)...] { sum += value * value }
            sum += lanes.sum()
        }
        return 2 * sum / (0.375 * Float(shape.size * shape.size * spectra.count))
    }

    private func compute(
        _ plane: PackManifest.Plane, of spectra: [UnsafePointer<Float>],
        into place: UnsafeMutablePointer<Float>
    ) {
        guard spectra.count == 2 else {
            place.update(repeating: 0, count: bins)
            if plane == .side { return }
            for values in spectra {
                for bin in 0..<bins {
                    let (re, im) = (values[2 * bin], values[2 * bin + 1])
                    place[bin] += re * re + im * im
                }
            }
            let share = 1 / Float(spectra.count)
            for bin in 0..<bins { place[bin] = (place[bin] * share).squareRoot() }
            return
        }
        let (first, second) = (spectra[0], spectra[1])
        let (a, b): (Float, Float) =
            switch plane {
            case .left: (1, 0)
            case .right: (0, 1)
            case .mid: (0.5, 0.5)
            case .side: (0.5, -0.5)
            }
        for bin in 0..<bins {
            let re = a * first[2 * bin] + b * second[2 * bin]
            let im = a * first[2 * bin + 1] + b * second[2 * bin + 1]
            place[bin] = (re * re + im * im).squareRoot()
        }
    }
}
