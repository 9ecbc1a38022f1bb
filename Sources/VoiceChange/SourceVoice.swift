import Inference

/// The voice that is to be converted, as ``VoiceSurvey`` found it.
public struct SourceVoice: Sendable {
    /// Their aperiodicity is not measured, and 0.
    public let statistics: VoiceStatistics
    let speech: Speech

    /// A frame of the content network.
    struct Frame: Sendable {
        let cepstrum: [Float]
        let isVoiced: Bool
        /// Whether its spectrum counts: it is voiced, and loud enough.
        let counts: Bool
    }

    /// The first minutes of the voice, frame by frame; long silences are shortened.
    struct Speech: Sendable {
        /// Frames that are kept: five minutes, 5 MB.
        private static let limit = 30_000
        /// Frames that are kept of those without voice between two with one.
        private static let longestGap = 100

        private(set) var frames: [Frame] = []
        private var gap = longestGap

        mutating func add(_ frame: Frame) {
            gap = frame.isVoiced ? 0 : gap + 1
            if gap <= Self.longestGap, frames.count < Self.limit { frames.append(frame) }
        }
    }

    /// Goes through the voice with what is said in each frame.
    /// - Parameter body: Gets the frames whose spectrum counts; returns whether to go on.
    /// - Throws: `ModelError`.
    func forEach(_ network: ContentNetwork, _ body: (Frame, Content) -> Bool) throws(ModelError) {
        let content = try ContentStream(network, statistics)
        var unheard = speech.frames[...]
        func hear(_ contents: [Content]) -> Bool {
            for content in contents {
                let frame = unheard.removeFirst()
                if frame.counts, !body(frame, content) { return false }
            }
            return true
        }
        for frame in speech.frames {
            guard hear(try content.push(cepstrum: frame.cepstrum, isVoiced: frame.isVoiced)) else {
                return
            }
        }
        _ = hear(try content.finish())
    }

    /// How this speaker's envelope follows from what is said, learned as far as it differs from how another's does.
    /// - Throws: `ModelError`.
    func regression(
        _ network: ContentNetwork, from other: TimbreRegression
    ) throws(ModelError) -> TimbreRegression {
        var collector = TimbreRegressionCollector()
        try forEach(network) { frame, content in
            collector.add(content, cepstrum: frame.cepstrum)
            return true
        }
        return TimbreRegression(weights: collector.weights(from: other))
    }
}
