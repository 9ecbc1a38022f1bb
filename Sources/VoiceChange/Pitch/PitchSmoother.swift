import Foundation

/// Decides which frames are voiced, and mends what a network that looks at a third of a second gets wrong.
///
/// - Hysteresis: a voice begins where the network is sure and ends where it has given up.
/// - One frame between voiced ones of about the same pitch is voiced; a voice of less than three frames is none.
/// - A frame an octave beside the median of its neighbors is brought to their octave, as trackers that follow the melody do by
///   dynamic programming (Boersma 1993, *Accurate short-term analysis of the fundamental frequency*, section 5: the cost of an
///   octave jump); the median needs no more than its neighbors, so a stream can use it.
struct PitchSmoother {
    /// Frames before and after its own that a result depends on, but for the hysteresis.
    static let reach = 5
    private static let sure: Float = 0.4
    private static let doubtful: Float = 0.15
    /// Hertz that a voice can have.
    private static let range: ClosedRange<Float> = 50...1400

    private var isVoiced = false
    /// The last frames, 0 = unvoiced: at most `2 · reach + 1`, the newest last.
    private var window = [Float](repeating: 0, count: reach)

    /// Takes the next frame in; appends the frame `reach` before it, once there is one.
    mutating func add(frequency: Float, confidence: Float, to output: inout [Float]) {
        isVoiced =
            confidence >= (isVoiced ? Self.doubtful : Self.sure) && Self.range.contains(frequency)
        window.append(isVoiced ? frequency : 0)
        guard window.count > 2 * Self.reach else { return }
        output.append(smoothed())
        window.removeFirst()
    }

    /// The frame in the middle of the window.
    private func smoothed() -> Float {
        let middle = Self.reach
        guard isFilled(middle) else { return 0 }
        var run = 1
        for step in [-1, 1] {
            var place = middle + step
            while run < 3, abs(place - middle) <= 2, isFilled(place) {
                run += 1
                place += step
            }
        }
        guard run >= 3 else { return 0 }
        let own =
            window[middle] > 0
            ? window[middle] : (window[middle - 1] * window[middle + 1]).squareRoot()
        let voiced = window.filter { $0 > 0 }.sorted()
        let median = voiced[voiced.count / 2]
        let octaves = log2(own / median).rounded()
        // Only what is then as good as the median: real leaps stay.
        let mended = own / exp2(octaves)
        return octaves != 0 && abs(log2(mended / median)) < 0.12 && voiced.count >= 6 ? mended : own
    }

    private func isFilled(_ place: Int) -> Bool {
        if window[place] > 0 { return true }
        let (before, after) = (window[place - 1], window[place + 1])
        return before > 0 && after > 0 && abs(log2(before / after)) < 0.15
    }
}
