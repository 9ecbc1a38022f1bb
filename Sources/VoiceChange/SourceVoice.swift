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

    /// How this speaker's envelope follows from what is said, learned as far as it differs from how another's does.
    /// - Throws: `ModelError`.
    func regression(
        _ network: ContentNetwork, from other: TimbreRegression
    ) throws(ModelError) -> TimbreRegression {
        let content = try ContentStream(network, statistics)
        var collector = TimbreRegressionCollector()
        var unheard = speech.frames[...]
        func hear(_ contents: [Content]) {
            for content in contents {
                let frame = unheard.removeFirst()
                if frame.counts { collector.add(content, cepstrum: frame.cepstrum) }
            }
        }
        for frame in speech.frames {
            hear(try content.push(cepstrum: frame.cepstrum, isVoiced: frame.isVoiced))
        }
        hear(try content.finish())
        return TimbreRegression(weights: collector.weights(from: other))
    }
}
