/// What a recording is divided into.
public enum SplitKind: Sendable, Hashable {
    /// Stems that packs serve, in the order in which they are wanted. `clearCut`: less bleed over more of the stem.
    case stems([String], clearCut: Bool, quality: SplitQuality = .best)
    /// A voice, out of noise.
    case voiceClean(NoiseReduction)
    /// Music, out of a recording of speech.
    case demuser
    /// Two opinions of the one voice in a recording: what is vocals to a network of music, and what is not noise to one of
    /// speech.
    case voice

    /// The names of the stems that a ``StemStream`` gives, in its order.
    public var stems: [String] {
        switch self {
        case .stems(let stems, _, _): stems
        case .voiceClean: ["voice"]
        case .demuser: ["music"]
        case .voice: ["vocals", "voice"]
        }
    }
}

/// Which of the installed packs work on a stem.
public enum SplitQuality: Sendable, Hashable {
    /// The one that divides the mixture into the most stems, alone.
    case fast
    /// All that have an opinion, fused.
    case best
}

/// How much of the noise may be taken away.
public enum NoiseReduction: String, Sendable, CaseIterable {
    case mild, normal, aggressive

    /// dB at most; `nil`: as much as the network can.
    var attenuation: Float? {
        switch self {
        case .mild: 12
        case .normal: 24
        case .aggressive: nil
        }
    }
}
