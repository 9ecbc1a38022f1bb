import Foundation
import Inference

/// What to separate, and what is known of the whole recording beforehand.
public struct SeparationRequest: Sendable {
    public let kind: SplitKind
    /// Take the reverberation out of voices.
    public let dereverb: Bool
    /// Hz.
    public let sampleRate: Int
    public let channels: Int
    /// Over all samples of all channels; 0 for silence.
    public let meanSquare: Double

    public init(
        kind: SplitKind, dereverb: Bool = false, sampleRate: Int, channels: Int, meanSquare: Double
    ) {
        self.kind = kind
        self.dereverb = dereverb
        self.sampleRate = sampleRate
        self.channels = channels
        self.meanSquare = meanSquare
    }
}

/// The engine: the installed networks, loaded and checked once, for any number of recordings.
public final class Separator: Sendable {
    /// Packs that were found but refused when they were loaded, a sentence each.
    public let notes: [String]
    private let networks: [CompiledNetwork]
    private let fusion: Fusion?
    private let voice: DeepFilterNetwork?

    /// Loads every pack of the library.
    /// - Parameters:
    ///   - runtime: The path of `libopenvino_c.so`.
    ///   - threads: Processor cores that inference may use.
    /// - Throws: ``ModelError/runtimeMissing(reason:)``. A bad pack is refused and noted, and the
    ///   others serve.
    public init(library: ModelLibrary, runtime: String, threads: Int) throws {
        let inference = try InferenceRuntime(library: runtime)
        var networks: [CompiledNetwork] = []
        var notes = library.notes
        for pack in library.packs {
            do throws(ModelError) {
                try pack.verify()
                let network = try CompiledNetwork(
                    pack, inference, threads: threads, cache: library.cache)
                try network.tryOut()
                networks.append(network)
            } catch {
                notes.append(error.description)
            }
        }
        voice = library.voice.flatMap { pack in
            do throws(ModelError) {
                try pack.verify()
                let network = try DeepFilterNetwork(
                    pack, inference, threads: threads, cache: library.cache)
                try network.tryOut()
                return network
            } catch {
                notes.append(error.description)
                return nil
            }
        }
        self.networks = networks.filter { network in
            let fault = network.manifest.fault(beside: networks.map(\.manifest))
            if let fault {
                notes.append(
                    ModelError.refused(pack: network.manifest.name, reason: fault).description)
            }
            return fault == nil
        }
        self.notes = notes
        fusion = library.fusion
        inference.releaseMemory(cache: library.cache)
    }

    /// Stems that can be separated.
    public var stems: [String] { Set(networks.flatMap(\.manifest.offered)).sorted() }

    /// Whether a voice can be taken out of noise.
    public var cleansVoices: Bool { voice != nil }

    /// - Throws: ``ModelError/notInstalled(stems:)`` where a model is missing.
    public func requireInstalled(_ kind: SplitKind, dereverb: Bool = false)
        throws(ModelError)
    {
        if dereverb { _ = try dryPlan() }
        switch kind {
        case .stems(let stems, _, _):
            _ = try SeparationPlan(stems, clearCut: false, networks, fusion)
        case .voiceClean: _ = try voiceNetwork()
        case .demuser:
            _ = try voiceNetwork()
            _ = try SeparationPlan(["vocals"], clearCut: false, networks, fusion)
        }
    }

    /// Begins a recording.
    /// - Throws: ``ModelError/notInstalled(stems:)``.
    public func makeStream(_ request: SeparationRequest) throws -> any StemStream {
        let stream = try wetStream(request)
        guard request.dereverb else { return stream }
        let isComplement = request.kind == .demuser
        let dryers = try request.kind.stems.map { stem in
            isComplement || DryStream.voices.contains(stem)
                ? try SpectrumStream(
                    MaskDivider(dryPlan(), request), sampleRate: request.sampleRate,
                    channels: request.channels) : nil
        }
        return DryStream(stream, dryers, isComplement: isComplement, channels: request.channels)
    }

    private func wetStream(_ request: SeparationRequest) throws -> any StemStream {
        switch request.kind {
        case .stems(let stems, let clearCut, let quality):
            try maskStream(stems, clearCut: clearCut, quality, request)
        case .voiceClean(let level): try voiceStream(attenuation: level.attenuation, request)
        case .demuser:
            SpeechStream(
                [
                    try maskStream(["vocals"], clearCut: false, .best, request),
                    try voiceStream(attenuation: nil, request),
                ], channels: request.channels)
        }
    }

    private func maskStream(
        _ stems: [String], clearCut: Bool, _ quality: SplitQuality, _ request: SeparationRequest
    ) throws -> SpectrumStream {
        let plan = try SeparationPlan(
            stems, clearCut: clearCut, networks, quality == .best ? fusion : nil)
        return try SpectrumStream(
            MaskDivider(plan, request), sampleRate: request.sampleRate, channels: request.channels)
    }

    private func voiceStream(
        attenuation: Float?, _ request: SeparationRequest
    ) throws -> SpectrumStream {
        try SpectrumStream(
            DeepFilter(voiceNetwork(), channels: request.channels, attenuation: attenuation),
            sampleRate: request.sampleRate, channels: request.channels)
    }

    private func dryPlan() throws(ModelError) -> SeparationPlan {
        for network in networks where network.manifest.dividesVoice {
            if let plan = SeparationPlan("dry", ofVoiceBy: network) { return plan }
        }
        throw .notInstalled(stems: ["dry voice"])
    }

    private func voiceNetwork() throws(ModelError) -> DeepFilterNetwork {
        guard let voice else { throw .notInstalled(stems: ["voice"]) }
        return voice
    }
}
