/// The fundamental frequency of a voice over time.
public struct PitchTrack: Sendable, Equatable {
    /// Seconds between frames; frame `t` is centered at `t · hop`.
    public let hop: Double
    /// Hertz, one value for each frame; 0 where there is no voice with a pitch.
    public var frequencies: [Float]

    public init(hop: Double = 0.005, frequencies: [Float]) {
        self.hop = hop
        self.frequencies = frequencies
    }

    /// Seconds with a pitch.
    var voicedSeconds: Double { Double(frequencies.count { $0 > 0 }) * hop }

    /// The range of at most so many frames with the most that have a pitch, the first of several; both its ends have one.
    func mostVoiced(frames: Int) -> Range<Int> {
        var (start, count, best, most) = (0, 0, 0..<0, 0)
        for end in frequencies.indices where frequencies[end] > 0 {
            count += 1
            while end - start >= frames || frequencies[start] == 0 {
                if frequencies[start] > 0 { count -= 1 }
                start += 1
            }
            if count > most { (best, most) = (start..<end + 1, count) }
        }
        return best
    }
}
