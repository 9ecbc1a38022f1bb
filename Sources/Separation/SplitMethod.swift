import Inference

/// What answers a request: packs, and how they work together.
struct SplitMethod {
    typealias VoiceNetwork = LazyNetwork<DeepFilterNetwork>

    private enum Way {
        case masks(SeparationPlan)
        case voice(VoiceNetwork, attenuation: Float?)
        /// Both look for the voice in music.
        case demuser(SeparationPlan, VoiceNetwork)
        /// What both find, one beside the other.
        case opinions(SeparationPlan, VoiceNetwork)
    }

    private let way: Way
    /// What takes the reverberation out of voices; `nil`: it stays.
    private let dry: SeparationPlan?

    /// Chooses among the packs that can be used.
    /// - Throws: ``ModelError/notInstalled(stems:)``.
    init(
        _ kind: SplitKind, dereverb: Bool, of networks: [SeparationPlan.Network], _ fusion: Fusion?,
        _ voice: VoiceNetwork?
    ) throws(ModelError) {
        dry = dereverb ? try SplitMethod.dryPlan(networks) : nil
        switch kind {
        case .stems(let stems, let clearCut, let quality):
            way = .masks(
                try SeparationPlan(
                    stems, clearCut: clearCut, networks, quality == .best ? fusion : nil))
        case .voiceClean(let level):
            way = .voice(try SplitMethod.installed(voice), attenuation: level.attenuation)
        case .demuser, .voice:
            let plan = try SeparationPlan(["vocals"], clearCut: false, networks, fusion)
            let voice = try SplitMethod.installed(voice)
            way = kind == .demuser ? .demuser(plan, voice) : .opinions(plan, voice)
        }
    }

    /// The networks that divide by masks.
    var networks: [SeparationPlan.Network] {
        let first: [SeparationPlan.Network] =
            switch way {
            case .masks(let plan), .demuser(let plan, _), .opinions(let plan, _): plan.networks
            case .voice: []
            }
        return first + (dry?.networks ?? [])
    }

    /// The network that takes voices out of noise, where it takes part.
    var voice: VoiceNetwork? {
        switch way {
        case .masks: nil
        case .voice(let network, _), .demuser(_, let network), .opinions(_, let network): network
        }
    }

    func makeStream(_ request: SeparationRequest) throws -> any StemStream {
        let order = RunOrder()
        let stream: any StemStream =
            switch way {
            case .masks(let plan): try masks(plan, request, order)
            case .voice(let network, let attenuation):
                try filter(network, attenuation: attenuation, request)
            case .demuser(let plan, let network):
                SpeechStream(try opinions(plan, network, request, order))
            case .opinions(let plan, let network): try opinions(plan, network, request, order)
            }
        guard let dry else { return stream }
        let isComplement = request.kind == .demuser
        let dryers = try request.kind.stems.map { stem in
            isComplement || DryStream.voices.contains(stem)
                ? try dryer(dry, request, order) : nil
        }
        return DryStream(stream, dryers, isComplement: isComplement, channels: request.channels)
    }

    private func opinions(
        _ plan: SeparationPlan, _ network: VoiceNetwork, _ request: SeparationRequest,
        _ order: RunOrder
    ) throws -> ParallelStreams {
        ParallelStreams(
            [
                (try masks(plan, request, order), 1),
                (try filter(network, attenuation: nil, request), 1),
            ], channels: request.channels)
    }

    private func masks(_ plan: SeparationPlan, _ request: SeparationRequest, _ order: RunOrder)
        throws -> SpectrumStream
    {
        try SpectrumStream(
            MaskDivider(plan, channels: request.channels, order), sampleRate: request.sampleRate,
            channels: request.channels)
    }

    private func dryer(_ plan: SeparationPlan, _ request: SeparationRequest, _ order: RunOrder)
        throws -> SpectrumStream
    {
        try SpectrumStream(
            PredictionDivider(
                MaskDivider(plan, channels: request.channels, order), channels: request.channels),
            sampleRate: request.sampleRate, channels: request.channels)
    }

    private func filter(
        _ network: VoiceNetwork, attenuation: Float?, _ request: SeparationRequest
    ) throws -> SpectrumStream {
        try SpectrumStream(
            DeepFilter(network.load(), channels: request.channels, attenuation: attenuation),
            sampleRate: request.sampleRate, channels: request.channels)
    }

    private static func dryPlan(_ networks: [SeparationPlan.Network]) throws(ModelError)
        -> SeparationPlan
    {
        for network in networks where network.manifest.dividesVoice {
            if let plan = SeparationPlan("dry", ofVoiceBy: network) { return plan }
        }
        throw .notInstalled(stems: ["dry voice"])
    }

    private static func installed(_ voice: VoiceNetwork?) throws(ModelError) -> VoiceNetwork {
        guard let voice, voice.refusal == nil else { throw .notInstalled(stems: ["voice"]) }
        return voice
    }
}
