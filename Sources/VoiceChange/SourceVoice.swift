import Inference

/// The voice that is to be converted, as ``VoiceSurvey`` found it.
public struct SourceVoice: Sendable {
    /// Their aperiodicity is not measured, and 0.
    public let statistics: VoiceStatistics
    let speech: Speech
    let excerpt: Excerpt

    /// The part of the recording with most voice, 20 s at most.
    struct Excerpt: Sendable {
        /// Mono.
        var samples: [Float] = []
        let pitch: PitchTrack
    }

    /// A frame of the content network.
    struct Frame: Sendable {
        let cepstrum: [Float]
        let isVoiced: Bool
        /// Whether its spectrum counts: it is loud enough.
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

    /// How this speaker's envelopes follow from what is said, learned as far as it differs from how another's do.
    /// - Throws: `ModelError`.
    func regressions(
        _ network: ContentNetwork,
        from other: (voiced: TimbreRegression, unvoiced: TimbreRegression?)
    ) throws(ModelError) -> (voiced: TimbreRegression, unvoiced: TimbreRegression?) {
        var (voiced, unvoiced) = (TimbreRegressionCollector(), TimbreRegressionCollector())
        try forEach(network) { frame, content in
            if frame.isVoiced {
                voiced.add(content, cepstrum: frame.cepstrum)
            } else if other.unvoiced != nil {
                unvoiced.add(content, cepstrum: frame.cepstrum)
            }
            return true
        }
        return (
            TimbreRegression(weights: voiced.weights(from: other.voiced)),
            other.unvoiced.map { TimbreRegression(weights: unvoiced.weights(from: $0)) }
        )
    }
}
