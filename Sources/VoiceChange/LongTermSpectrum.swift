import DSP
import Foundation

/// The long-term average spectrum of a voice: mean power by thirds of an octave.
struct LongTermSpectrum: Codable, Sendable, Equatable {
    /// Decibels of the power of one hertz around each of ``centers``, as many as the recordings reach; all power together
    /// has 0 dB.
    let levels: [Float]

    /// Hertz: 63 … 16127.
    static let centers = (0..<25).map { 63 * exp2(Double($0) / 3) }
    /// From a center to the border of its band.
    static let half = exp2(1.0 / 6)
    /// Hertz from a center on from which the spectrum is that of formants, not of harmonics.
    private static let formants = 500.0

    /// What is weaker than this is nothing, as a ratio of powers.
    private static let nothing = 1e-12

    init(levels: [Float]) { self.levels = levels }

    /// - Parameter powers: Of one hertz around each center, in any unit; nil where all are 0.
    init?(powers: [Double]) {
        let whole = zip(powers, Self.centers).reduce(0) { $0 + $1.0 * Self.width(of: $1.1) }
        guard whole > 0 else { return nil }
        levels = powers.map { Float(10 * log10(max($0 / whole, Self.nothing))) }
    }

    /// Hertz from one border of a band to the other.
    static func width(of center: Double) -> Double { center * (half - 1 / half) }

    /// Whether it can be that of a voice.
    var isSane: Bool {
        (1...Self.centers.count).contains(levels.count) && levels.allSatisfy { abs($0) < 200 }
    }

    /// What levels at the ``centers`` are at a frequency, on straight lines over its logarithm; beyond the centers those of
    /// the last one.
    static func value(of levels: [Float], atHertz hertz: Double) -> Float {
        let position = 3 * log2(max(hertz, 1) / centers[0])
        let index = min(max(Int(position), 0), levels.count - 1)
        let next = min(index + 1, levels.count - 1)
        let share = Float(min(max(position - Double(index), 0), 1))
        return levels[index] + share * (levels[next] - levels[index])
    }

    /// How much the level at a frequency is a matter of formants: 0 at the fundamental and below it, where it is one of
    /// harmonics, 1 from 500 Hz on.
    static func formantShare(of hertz: Double, fundamental: Double) -> Double {
        let top = max(formants, 2 * fundamental)
        return min(max(log2(hertz / fundamental) / log2(top / fundamental), 0), 1)
    }

    /// The spectrum of a voice whose harmonics lie at another pitch, and whose formants lie elsewhere: at the fundamental
    /// frequency and below it, all moves with the pitch, from 500 Hz on with the formants.
    /// - Parameters:
    ///   - pitch: Factor of the pitch.
    ///   - formants: Factor of formants.
    ///   - fundamental: Hertz, the new median.
    func moved(pitch: Double, formants: Double, fundamental: Double) -> LongTermSpectrum {
        LongTermSpectrum(
            levels: levels.indices.map { band in
                let center = Self.centers[band]
                let share = Self.formantShare(of: center, fundamental: fundamental)
                return Self.value(
                    of: levels,
                    atHertz: center / (pow(pitch, 1 - share) * pow(formants, share)))
            })
    }
}

/// Measures a ``LongTermSpectrum`` in a stream of samples: the mean of power spectra under Hann windows, of which one begins
/// in the middle of the other (P. D. Welch, *The use of fast Fourier transform for the estimation of power spectra*, IEEE
/// Transactions on Audio and Electroacoustics 15 (2), 1967).
final class LongTermSpectrumMeter {
    private let size: Int
    private let transform: RealTransform
    private let input: AlignedBuffer
    private let spectrum: AlignedBuffer
    private let window: [Float]
    private let bands: [Range<Int>]
    private let samples = FrameQueue(length: 1)
    private let scale: Double
    /// Energies of one hertz, for each band that the rate has.
    private(set) var energies: [Double]

    /// - Throws: ``VoiceError/transform(size:)``.
    init(_ shape: VoiceShape) throws(VoiceError) {
        let size = shape.transformSize
        self.size = size
        do { transform = try RealTransform(size: size) } catch {
            throw .transform(size: error.size)
        }
        input = AlignedBuffer(count: size)
        spectrum = AlignedBuffer(count: size + 16)
        window = (0..<size).map { 0.5 - 0.5 * cos(2 * Float.pi * Float($0) / Float(size)) }
        let spacing = Double(shape.sampleRate) / Double(size)
        bands = LongTermSpectrum.centers.compactMap { center in
            let first = Int((center / LongTermSpectrum.half / spacing).rounded(.up))
            let end = Int((center * LongTermSpectrum.half / spacing).rounded(.up))
            guard end <= size / 2 else { return nil }
            // The lowest bands may be narrower than bins lie apart.
            let nearest = Int((center / spacing).rounded())
            return first < end ? first..<end : nearest..<nearest + 1
        }
        // The power of a window is that of half as many samples.
        scale = 0.5 / (Double(shape.sampleRate) * Double(shape.sampleRate))
        energies = [Double](repeating: 0, count: bands.count)
    }

    func add(_ new: UnsafeBufferPointer<Float>) {
        guard let base = new.baseAddress else { return }
        samples.append(new.count).update(from: base, count: new.count)
        while samples.end - samples.start >= size {
            let block = samples[samples.start]
            for index in 0..<size { input.pointer[index] = block[index] * window[index] }
            transform.forward(input.pointer, into: spectrum.pointer)
            for (band, bins) in bands.enumerated() {
                var sum: Float = 0
                for bin in bins {
                    let (re, im) = (spectrum.pointer[2 * bin], spectrum.pointer[2 * bin + 1])
                    sum += re * re + im * im
                }
                energies[band] += scale * Double(sum) / Double(bins.count)
            }
            samples.drop(before: samples.start + size / 2)
        }
    }
}
