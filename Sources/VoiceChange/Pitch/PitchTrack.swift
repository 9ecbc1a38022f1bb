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
}
