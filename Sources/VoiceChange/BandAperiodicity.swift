import DSP
import Foundation

/// How much of a voice is not periodic, in bands of frequency, and whether a frame is voiced at all.
///
/// D4C: M. Morise, *D4C, a band-aperiodicity estimator for high-quality speech synthesis*, Speech Communication 84
/// (2016): of a periodic signal, group delay that is freed of the window's position is smooth; what it is not, band by
/// band, is noise (sections 3.1 to 3.3). The voicing check is the one that Morise's WORLD calls "Love Train".
final class BandAperiodicity {
    /// Frequencies, in hertz, between which periods must fit.
    private static let lowest = 47.0
    /// The share of the energy from 100 Hz to 7.9 kHz that a voiced frame has below 4 kHz.
    private static let voicedShare: Float = 0.85

    private let rate: Double
    private let bands: Int
    private let size: Int
    private let transform: RealTransform
    private let window: PitchWindow
    private let smoother: SpectrumSmoother
    private let bandWindow: [Float]
    private let samples: AlignedBuffer
    private let spectrum: AlignedBuffer
    private let slope: AlignedBuffer
    private let weighted: AlignedBuffer
    private let centroid: AlignedBuffer
    private let power: AlignedBuffer
    private let delay: AlignedBuffer

    init(_ shape: VoiceShape) throws(TransformError) {
        rate = Double(shape.sampleRate)
        bands = shape.bands
        size = VoiceShape.powerOfTwo(above: 4 * rate / Self.lowest + 1)
        transform = try RealTransform(size: size)
        window = PitchWindow(sampleRate: shape.sampleRate, size: size)
        smoother = SpectrumSmoother(sampleRate: shape.sampleRate, transformSize: size)
        let half = Int(VoiceShape.bandSpacing * Double(size) / rate)
        // Nuttall's window of four terms (IEEE Trans. ASSP 29 (1), 1981).
        bandWindow = (0...2 * half).map { index in
            let angle = Double.pi * Double(index) / Double(half)
            let sum = 0.355768 - 0.487396 * cos(angle) + 0.144232 * cos(2 * angle)
            return Float(sum - 0.012604 * cos(3 * angle))
        }
        samples = AlignedBuffer(count: size)
        spectrum = AlignedBuffer(count: size + 16)
        slope = AlignedBuffer(count: size)
        weighted = AlignedBuffer(count: size + 16)
        let bins = VectorMath.padded(size / 2 + 1)
        centroid = AlignedBuffer(count: bins)
        power = AlignedBuffer(count: bins)
        delay = AlignedBuffer(count: bins)
    }

    /// Whether a frame that a pitch was found in sounds voiced: hiss does not.
    func isVoiced(_ signal: FrameQueue, around center: Int, frequency: Float) -> Bool {
        let pitch = max(Double(frequency), Self.lowest)
        _ = window.cut(
            signal, around: center, frequency: pitch, periods: 3, .blackman, into: samples)
        transform.forward(samples.pointer, into: spectrum.pointer)
        func bin(_ hertz: Double) -> Int {
            min(Int((hertz * Double(size) / rate).rounded(.up)), size / 2)
        }
        var (below, all): (Float, Float) = (0, 0)
        let (first, middle, last) = (bin(100) + 1, bin(4000), bin(7900))
        for k in first...last {
            let (re, im) = (spectrum.pointer[2 * k], spectrum.pointer[2 * k + 1])
            all += re * re + im * im
            if k == middle { below = all }
        }
        return below > Self.voicedShare * all
    }

    /// Fills `aperiodicity` with decibels, one value for each band.
    /// - Parameter frequency: Hertz, above 0.
    func analyze(
        _ signal: FrameQueue, around center: Int, frequency: Float, into aperiodicity: inout [Float]
    ) {
        let pitch = max(Double(frequency), Self.lowest)
        // Two windows half a period apart: their sum does not depend on where in a period they lie.
        let quarter = 0.25 * rate / pitch
        centroid.clear()
        addCentroid(signal, around: Int((Double(center) - quarter).rounded()), pitch)
        addCentroid(signal, around: Int((Double(center) + quarter).rounded()), pitch)
        smoother.fillBelow(pitch, centroid.pointer)

        _ = window.cut(signal, around: center, frequency: pitch, periods: 4, .hann, into: samples)
        transform.forward(samples.pointer, into: spectrum.pointer)
        powerSpectrum()
        smoother.fillBelow(pitch, power.pointer)
        smoother.smooth(power.pointer, width: pitch, into: power.pointer)

        let (power, delay, centroid) = (power.pointer, delay.pointer, centroid.pointer)
        for i in 0...size / 2 { delay[i] = centroid[i] / max(power[i], 1e-25) }
        smoother.smooth(delay, width: pitch / 2, into: delay)
        smoother.smooth(delay, width: pitch, into: centroid)
        for i in 0...size / 2 { delay[i] -= centroid[i] }

        for band in 0..<bands {
            // High voices have fewer harmonics in a band and would seem noisier.
            let revised = unevenness(ofBand: band) + Float((pitch - 100) / 50)
            aperiodicity[band] = min(0, max(-60, revised))
        }
    }

    /// Adds the power spectrum's centroid in time, bin by bin (equation 9).
    private func addCentroid(_ signal: FrameQueue, around center: Int, _ pitch: Double) {
        _ = window.cut(
            signal, around: center, frequency: pitch, periods: 4, .blackman, into: samples)
        let (x, plain, slanted) = (samples.pointer, spectrum.pointer, weighted.pointer)
        var energy = SIMD8<Float>.zero
        for i in 0..<size / 8 { energy += x.vectors[i] * x.vectors[i] }
        let scale = 1 / max(energy.sum(), 1e-25)
        let slope = slope.pointer
        for i in 0..<size { slope[i] = x[i] * Float(i + 1) * scale }
        transform.forward(x, into: plain)
        transform.forward(slope, into: slanted)
        for i in 0...size / 2 {
            centroid.pointer[i] +=
                plain[2 * i] * slanted[2 * i] + plain[2 * i + 1] * slanted[2 * i + 1]
        }
    }

    private func powerSpectrum() {
        for bin in 0...size / 2 {
            let (re, im) = (spectrum.pointer[2 * bin], spectrum.pointer[2 * bin + 1])
            power.pointer[bin] = re * re + im * im
        }
    }

    /// How much of the group delay in a band lies outside its strongest components, in decibels of all.
    private func unevenness(ofBand band: Int) -> Float {
        let center = Int(VoiceShape.bandSpacing * Double(band + 1) * Double(size) / rate)
        let half = bandWindow.count / 2
        samples.clear()
        for i in 0...2 * half {
            samples.pointer[i] = delay.pointer[center - half + i] * bandWindow[i]
        }
        transform.forward(samples.pointer, into: spectrum.pointer)
        powerSpectrum()
        let strongest = Int((Double(size) * 8 / Double(bandWindow.count)).rounded()) + 1
        let split = Selection.split(power.pointer, count: size / 2 + 1, largest: strongest)
        return 10 * log10(max(split.rest, 1e-30) / max(split.rest + split.largest, 1e-30))
    }
}
