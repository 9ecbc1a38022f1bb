import Inference
import Separation

/// Where the time of a job goes, in seconds of the clock. Decoder, engine, networks and encoders work side by side, so the sum
/// can exceed the time that passed.
public struct JobSeconds: Sendable {
    /// The file was being decoded.
    public let decode: Double
    /// The engine could not go on, as the decoder was behind.
    public let decodeWait: Double
    /// The engine could not go on, as encoders were behind.
    public let encodeWait: Double
    /// At least one network of the separation ran.
    public let inference: Double
    public let engine: StageSeconds
}

extension ContinuousClock.Instant {
    var secondsAgo: Double { (ContinuousClock.now - self).seconds }
}
