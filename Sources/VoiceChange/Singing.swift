import Foundation

extension PitchTrack {
    /// Whether somebody sings: the share of held notes decides.
    public var isSung: Bool { heldShare > 0.15 }

    /// The share of voiced frames in whose middle a note is held: 0.4 s of voice, whose halves have the same mean pitch within
    /// 0.35 semitones. Halves of 0.2 s hold a period of vibrato, so that vibrato does not count.
    public var heldShare: Double {
        let half = Int((0.2 / hop).rounded())
        // Sums of all pitches and of all voiced frames before a frame.
        var pitches = [0.0]
        var voiced = [0]
        for frequency in frequencies {
            let isVoiced = frequency > 0
            pitches.append(pitches.last! + (isVoiced ? 12 * log2(Double(frequency)) : 0))
            voiced.append(voiced.last! + (isVoiced ? 1 : 0))
        }
        guard let total = voiced.last, total > 0, frequencies.count > 2 * half else { return 0 }
        let held = (half...frequencies.count - half).count { middle in
            let (start, end) = (middle - half, middle + half)
            guard voiced[end] - voiced[start] == 2 * half else { return false }
            let step =
                (pitches[end] - pitches[middle]) - (pitches[middle] - pitches[start])
            return abs(step) / Double(half) < 0.35
        }
        return Double(held) / Double(total)
    }
}
