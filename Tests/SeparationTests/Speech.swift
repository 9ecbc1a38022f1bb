import Foundation
import Separation
import TestSupport

/// What tests of speech share.
enum Speech {
    /// Scale-invariant signal-to-distortion ratio, dB (Le Roux et al., “SDR – half-baked or well done?”, 2019).
    static func quality(_ estimate: [Float], _ truth: [Float]) -> Double {
        let scale = share(of: truth, in: estimate)
        var error = 0.0
        for (s, e) in zip(truth, estimate) {
            let difference = Double(e) - scale * Double(s)
            error += difference * difference
        }
        return 10 * log10(scale * scale * energy(truth[...]) / max(error, 1e-30))
    }

    /// The factor with which a signal is in another.
    static func share(of signal: [Float], in other: [Float]) -> Double {
        zip(signal, other).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            / max(energy(signal[...]), 1e-30)
    }

    static func energy(_ samples: ArraySlice<Float>) -> Double {
        samples.reduce(0.0) { $0 + Double($1) * Double($1) }
    }

    static func correlation(_ a: [Float], _ b: [Float], _ delay: Int) -> Double {
        var sum = 0.0
        for n in 64..<min(a.count, b.count) - 64 { sum += Double(a[n]) * Double(b[n + delay]) }
        return sum
    }
}
