import DSP
import Foundation

/// The spectra of the channels of a stream, and the magnitude planes that networks see of them.
///
/// One channel is seen as two equal ones. More than two channels are seen as one whose magnitude is the
/// root of the mean power, which no phase between channels can cancel; all get the same mask.
final class MagnitudeQueue {
    let shape: ShortTimeShape
    let channels: Int
    private let spectra: [FrameQueue]
    private let planes: [PackManifest.Plane: FrameQueue]
    private let powers = FrameQueue(length: 1)
    private let analyzers: [Analyzer]

    init(shape: ShortTimeShape, channels: Int, planes: Set<PackManifest.Plane>)
        throws(TransformError)
    {
        self.shape = shape
        self.channels = channels
        spectra = (0..<channels).map { _ in FrameQueue(length: shape.frameLength) }
        // With one picture of all channels, the planes are equal (and the side is empty).
        self.planes = Dictionary(
            uniqueKeysWithValues: planes.map { ($0, FrameQueue(length: shape.bins)) })
        var analyzers: [Analyzer] = []
        for _ in 0..<channels { analyzers.append(try Analyzer(shape)) }
        self.analyzers = analyzers
    }

    var end: Int { spectra[0].end }

    /// The complex spectrum of a channel, real and imaginary parts alternating.
    func spectrum(frame: Int, channel: Int) -> UnsafePointer<Float> {
        UnsafePointer(spectra[channel][frame])
    }

    func magnitudes(frame: Int, plane: PackManifest.Plane) -> UnsafePointer<Float> {
        UnsafePointer(planes[plane]![frame])
    }

    /// The mean square of the samples under a frame's window, over all channels.
    func power(frame: Int) -> Float { powers[frame][0] }

    /// Analyzes the next frame.
    func append(from signals: [FrameQueue]) {
        let frame = end
        for channel in 0..<channels {
            analyzers[channel].analyze(
                frame: frame, of: signals[channel], into: spectra[channel].append(1))
        }
        powers.append(1)[0] = meanSquare(frame: frame)
        for (plane, queue) in planes { compute(plane, frame: frame, into: queue.append(1)) }
    }

    func drop(before frame: Int) {
        for queue in spectra { queue.drop(before: frame) }
        powers.drop(before: frame)
        for queue in planes.values { queue.drop(before: frame) }
    }

    /// By Parseval's theorem; the squares of a Hann window sum to 3/8 of its length.
    private func meanSquare(frame: Int) -> Float {
        let length = 2 * shape.bins
        var sum: Float = 0
        for channel in spectra {
            let values = UnsafeBufferPointer(start: channel[frame], count: length)
            var lanes = SIMD8<Float>()
            for index in stride(from: 0, to: length - 7, by: 8) {
                let part = UnsafeRawPointer(values.baseAddress! + index)
                    .loadUnaligned(as: SIMD8<Float>.self)
                lanes += part * part
            }
            for value in values[(length & ~7)...] { sum += value * value }
            sum += lanes.sum()
        }
        return 2 * sum / (0.375 * Float(shape.size * shape.size * channels))
    }

    private func compute(
        _ plane: PackManifest.Plane, frame: Int, into place: UnsafeMutablePointer<Float>
    ) {
        let bins = shape.bins
        let first = spectra[0][frame]
        guard channels == 2 else {
            if plane == .side { return }
            for channel in spectra {
                let values = channel[frame]
                for bin in 0..<bins {
                    let (re, im) = (values[2 * bin], values[2 * bin + 1])
                    place[bin] += re * re + im * im
                }
            }
            let share = 1 / Float(channels)
            for bin in 0..<bins { place[bin] = (place[bin] * share).squareRoot() }
            return
        }
        let second = spectra[1][frame]
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
