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
    /// Frames before and after its own whose mean power is how loud it is around a frame: together 1.5 seconds of music.
    private static let reach = 32
    /// By frame, ``level(frame:)``, of those that were asked for; and the loudest before the next.
    private let levels = FrameQueue(length: 1)
    private var loudest: Float = 0
    /// By frame, what its level is at least, where that was given.
    private let floors = FrameQueue(length: 1)
    /// What is quieter than the loudest before it is taken for so much quieter at most: 16 dB, as power.
    private static let range: Float = 0.025
    /// How much of the loudest is kept from one frame to the next: at 44.1 kHz it falls by 6 dB a minute.
    private static let fall: Float = 0.999_465
    /// Nothing is taken for quieter, as power: −80 dBFS, so that the noise of 16 bits before a song is not blown up either.
    private static let floor: Float = 1e-8

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

    /// What networks take for the mean square of the samples around a frame, over all channels. A quiet part of a song is
    /// heard like a loud one, but a silence does not become noise.
    func level(frame: Int) -> Float {
        follow(before: frame + 1)
        return levels[frame][0]
    }

    /// Finds the levels of all frames before one.
    private func follow(before frame: Int) {
        while levels.end < frame {
            let own = power(around: levels.end)
            loudest = max(own, loudest * MagnitudeQueue.fall)
            let least =
                levels.end < floors.end
                ? floors[levels.end][0] : loudest * MagnitudeQueue.range
            levels.append(1)[0] = max(own, least, MagnitudeQueue.floor)
        }
    }

    private func power(around frame: Int) -> Float {
        let first = max(frame - MagnitudeQueue.reach, 0)
        let last = min(frame + MagnitudeQueue.reach + 1, end)
        let values = UnsafeBufferPointer(start: powers[first], count: last - first)
        return values.reduce(0, +) / Float(values.count)
    }

    /// Adds the next frame.
    /// - Parameters:
    ///   - spectra: For each channel `2 · bins` values, real and imaginary parts alternating.
    ///   - floor: What its level is at least. It is the same for all frames whether there is one.
    func append(_ spectra: [UnsafePointer<Float>], floor: Float? = nil) {
        if let floor { floors.append(1)[0] = floor }
        powers.append(1)[0] = meanSquare(spectra)
        for (plane, queue) in planes { compute(plane, of: spectra, into: queue.append()) }
    }

    /// - Parameters:
    ///   - frame: At most ``leveled(isLast:)``, or beyond the end.
    ///   - level: The first frame whose level is still asked for.
    func drop(before frame: Int, level: Int) {
        follow(before: min(frame, end))
        levels.drop(before: min(frame, level))
        floors.drop(before: levels.end)
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
