import Foundation

extension PitchTrack {
    /// Whether somebody sings: the share of held notes decides.
    public var isSung: Bool { heldShare > 0.15 }

    /// The share of voiced frames in whose middle a note is held: 0.4 s of voice, whose halves have the same mean pitch within
    /// 0.35 semitones. Halves of 0.2 s hold a period of vibrato, so that vibrato does not count.
    public var heldShare: Double {
        let half = Int((0.2 / hop).rounded())
        func semitones(_ frame: Int) -> Double {
            guard frame >= 0, frequencies[frame] > 0 else { return 0 }
            return 12 * log2(Double(frequencies[frame]))
        }
        // The sums of the pitches in the last two halves, and how many voiced frames came in a row.
        var (before, after, run) = (0.0, 0.0, 0)
        var (held, total) = (0, 0)
        for frame in frequencies.indices {
            let (new, middle) = (semitones(frame), semitones(frame - half))
            after += new - middle
            before += middle - semitones(frame - 2 * half)
            guard frequencies[frame] > 0 else {
                run = 0
                continue
            }
            run += 1
            total += 1
            if run >= 2 * half, abs(after - before) / Double(half) < 0.35 { held += 1 }
        }
        guard total > 0 else { return 0 }
        return Double(held) / Double(total)
    }
}
