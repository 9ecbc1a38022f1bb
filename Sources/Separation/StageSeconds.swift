import Inference

/// Where the time of a separation goes, in seconds of the clock. Networks run beside the other stages, so the sum can
/// exceed the time that passed.
public struct StageSeconds: Sendable, Equatable {
    /// Short-time spectra and their magnitudes.
    public internal(set) var analysis = 0.0
    /// Gains and inputs of networks, fusion, and what one network hands to the next.
    public internal(set) var masks = 0.0
    /// Masks applied, and the way back to samples.
    public internal(set) var synthesis = 0.0
    public internal(set) var resampling = 0.0
    /// Spent waiting for a network, with nothing else to do.
    public internal(set) var waiting = 0.0
    /// Inside each network, by the name of its pack; they run beside each other.
    public internal(set) var networks: [String: Double] = [:]

    public init() {}

    static func + (a: StageSeconds, b: StageSeconds) -> StageSeconds {
        var sum = a
        sum.analysis += b.analysis
        sum.masks += b.masks
        sum.synthesis += b.synthesis
        sum.resampling += b.resampling
        sum.waiting += b.waiting
        sum.networks.merge(b.networks, uniquingKeysWith: +)
        return sum
    }

    /// Adds the time since `moment` to a stage, and makes it now.
    mutating func add(
        _ stage: WritableKeyPath<StageSeconds, Double>, since moment: inout ContinuousClock.Instant
    ) {
        let now = ContinuousClock.now
        self[keyPath: stage] += (now - moment).seconds
        moment = now
    }
}
