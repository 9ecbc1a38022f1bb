/// What a recording is divided into.
public enum SplitKind: Sendable, Hashable {
    /// Stems of the API, in the order in which they are wanted. `clearCut`: less bleed over more of the stem.
    case stems([String], clearCut: Bool)
    /// A voice, out of noise.
    case voiceClean(NoiseReduction)
    /// Music, out of a recording of speech.
    case demuser

    /// The names of the stems that a ``StemStream`` gives, in its order.
    public var stems: [String] {
        switch self {
        case .stems(let stems, _): stems
        case .voiceClean: ["voice"]
        case .demuser: ["music"]
        }
    }
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
