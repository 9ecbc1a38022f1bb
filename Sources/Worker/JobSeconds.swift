import Inference
import Separation

/// Where the time of a job goes, in seconds of the clock. Decoder, engine, networks and encoders work side by side,
/// so the sum can exceed the time that passed.
public struct JobSeconds: Sendable {
    /// The decode before: length, level and peak of the whole file.
    public internal(set) var survey = 0.0
    /// The engine had nothing to do, as no samples had been decoded.
    public internal(set) var decodeWait = 0.0
    /// The engine could not go on, as encoders were behind.
    public internal(set) var encodeWait = 0.0
    public internal(set) var engine = StageSeconds()
}

extension ContinuousClock.Instant {
    var secondsAgo: Double { (ContinuousClock.now - self).seconds }
}
