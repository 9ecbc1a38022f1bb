import DSP
import Foundation

/// What DeepFilterNet sees of a spectrum, frame by frame: log energies of bands, and the lowest bins, both
/// against what they were of late (Schröter et al., “DeepFilterNet: A Low Complexity Speech Enhancement Framework
/// for Full-Band Audio Based on Deep Filtering”, ICASSP 2022, section 2.3; constants as in the authors' libDF).
struct SpeechFeatures {
    private let bands: [Int]
    /// Spectra of the network are divided by the size of the transform.
    private let scale: Float
    /// Means of the last second: band energies in dB, and magnitudes of bins.
    private var energies: [Float]
    private var magnitudes: [Float]

    /// How much of a mean is kept from one frame to the next: `exp(−10 ms / 1 s)`, rounded to three digits.
    private static let decay: Float = 0.99

    init(_ manifest: DeepFilterManifest) {
        bands = manifest.erbBands
        scale = 1 / Float(manifest.stft.size)
        energies = SpeechFeatures.line(from: -60, to: -90, count: bands.count)
        magnitudes = SpeechFeatures.line(from: 1e-3, to: 1e-4, count: manifest.filterBins)
    }

    /// Takes in the next frame.
    /// - Parameters:
    ///   - frame: A spectrum, not normalized, real and imaginary parts alternating.
    ///   - erb: Room for a value for each band.
    ///   - real: Room for the real parts of the lowest bins, and `imaginary` for the others.
    mutating func take(
        _ frame: UnsafePointer<Float>, erb: UnsafeMutablePointer<Float>,
        real: UnsafeMutablePointer<Float>, imaginary: UnsafeMutablePointer<Float>
    ) {
        let fresh = 1 - SpeechFeatures.decay
        var bin = 0
        for (band, width) in bands.enumerated() {
            var energy: Float = 0
            for _ in 0..<width {
                energy += frame[2 * bin] * frame[2 * bin] + frame[2 * bin + 1] * frame[2 * bin + 1]
                bin += 1
            }
            let level = 10 * log10(energy * scale * scale / Float(width) + 1e-10)
            energies[band] = level * fresh + energies[band] * SpeechFeatures.decay
            erb[band] = (level - energies[band]) / 40
        }
        for bin in magnitudes.indices {
            let re = frame[2 * bin] * scale
            let im = frame[2 * bin + 1] * scale
            let magnitude = (re * re + im * im).squareRoot()
            magnitudes[bin] = magnitude * fresh + magnitudes[bin] * SpeechFeatures.decay
            // After minutes of silence the mean would be zero.
            let factor = 1 / max(magnitudes[bin], 1e-12).squareRoot()
            real[bin] = re * factor
            imaginary[bin] = im * factor
        }
    }

    private static func line(from first: Float, to last: Float, count: Int) -> [Float] {
        (0..<count).map { first + (last - first) / Float(count - 1) * Float($0) }
    }
}
