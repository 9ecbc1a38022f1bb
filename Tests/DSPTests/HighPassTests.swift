import DSP
import Foundation
import Testing

@Suite struct HighPassTests {
    /// Decibels that a sine tone gains.
    private func gain(_ hertz: Double, cutoff: Double, sampleRate: Int) -> Double {
        var filter = HighPass(cutoff: cutoff, sampleRate: sampleRate)
        var (before, after) = (0.0, 0.0)
        for n in 0..<sampleRate {
            let x = Float(sin(2 * Double.pi * hertz * Double(n) / Double(sampleRate)))
            let y = filter(x)
            // What the beginning sets off has faded by then.
            guard n >= sampleRate / 2 else { continue }
            before += Double(x * x)
            after += Double(y * y)
        }
        return 10 * log10(after / before)
    }

    @Test(arguments: [8000, 44_100, 192_000])
    func itTakesWhatIsBelow(sampleRate: Int) {
        #expect(abs(gain(200, cutoff: 200, sampleRate: sampleRate) + 6.02) < 0.05)
        #expect(abs(gain(100, cutoff: 200, sampleRate: sampleRate) + 24.6) < 0.3)
        #expect(abs(gain(800, cutoff: 200, sampleRate: sampleRate)) < 0.1)
    }
}
