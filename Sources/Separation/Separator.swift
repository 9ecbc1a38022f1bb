import Foundation
import Inference
import Synchronization

/// What to separate.
public struct SeparationRequest: Sendable {
    public let kind: SplitKind
    /// Take the reverberation out of voices.
    public let dereverb: Bool
    /// Hz.
    public let sampleRate: Int
    public let channels: Int

    public init(kind: SplitKind, dereverb: Bool = false, sampleRate: Int, channels: Int) {
        self.kind = kind
        self.dereverb = dereverb
        self.sampleRate = sampleRate
        self.channels = channels
    }
}

/// The engine, for any number of recordings. A network is loaded when a recording needs it and stays in memory for the next
/// one that does.
public final class Separator: Sendable {
    private let library: ModelLibrary
    private let runtime: InferenceRuntime
    private let networks: [SeparationPlan.Network]
    private let voice: SplitMethod.VoiceNetwork?

    /// - Parameters:
    ///   - runtime: The path of `libopenvino_c.so`.
    ///   - threads: Processor cores that inference may use.
    /// - Throws: ``ModelError/runtimeMissing(reason:)``.
    public init(
        library: ModelLibrary, runtime: String, threads: Int, precision: InferencePrecision = .fast
    ) throws {
        let runtime = try InferenceRuntime(library: runtime)
        let settings = InferenceSettings(
            threads: threads, precision: precision, cache: library.cache)
        self.library = library
        self.runtime = runtime
        networks = library.packs.map { LazyNetwork($0, runtime, settings) }
        voice = library.voice.map { LazyNetwork($0, runtime, settings) }
    }

    /// Seconds of the clock in which at least one network ran, since this one was made.
    public var inferenceSeconds: Double { runtime.busySeconds }

    /// Packs that were found but cannot be used, as far as that is known by now, a sentence each.
    public var notes: [String] {
        let sound = networks.filter { $0.refusal == nil }.map(\.manifest)
        let faults = sound.compactMap { manifest in
            manifest.fault(beside: sound).map {
                ModelError.refused(pack: manifest.name, reason: $0)
            }
        }
        let refusals = networks.map(\.refusal) + [voice?.refusal]
        return library.notes + (refusals.compactMap(\.self) + faults).map(\.description)
    }

    /// Loads and checks every pack, one after another, so that only one is in memory. A bad one is refused and noted, and
    /// the others serve.
    public func check() {
        for network in networks { network.check() }
        voice?.check()
    }

    /// Stems that can be separated.
    public var stems: [String] { Set(usable.flatMap(\.manifest.offered)).sorted() }

    /// Whether a voice can be taken out of noise.
    public var cleansVoices: Bool { voice.map { $0.refusal == nil } ?? false }

    /// The networks that nothing is known against, and that have what they divide.
    private var usable: [SeparationPlan.Network] {
        let sound = networks.filter { $0.refusal == nil }
        return sound.filter { $0.manifest.fault(beside: sound.map(\.manifest)) == nil }
    }

    /// - Throws: ``ModelError/notInstalled(stems:)`` where a model is missing.
    public func requireInstalled(_ kind: SplitKind, dereverb: Bool = false)
        throws(ModelError)
    {
        _ = try SplitMethod(kind, dereverb: dereverb, of: usable, library.fusion, voice)
    }

    /// Loads what such recordings need, and lets go of everything else.
    /// - Throws: ``ModelError/notInstalled(stems:)`` where a model is missing, be it because its pack was refused.
    public func load(_ kind: SplitKind, dereverb: Bool = false) throws(ModelError) {
        _ = try loaded(kind, dereverb)
        // Not while networks load: it looks at what memory is there.
        runtime.releaseMemory(cache: library.cache)
    }

    private func loaded(_ kind: SplitKind, _ dereverb: Bool) throws(ModelError) -> SplitMethod {
        while true {
            let method = try SplitMethod(
                kind, dereverb: dereverb, of: usable, library.fusion, voice)
            let needed = method.networks
            for network in networks where !needed.contains(where: { $0 === network }) {
                network.release()
            }
            if method.voice == nil { voice?.release() }
            do throws(ModelError) {
                try Separator.load(needed, method.voice)
                return method
            } catch .refused {
                // Once more, without that pack.
            }
        }
    }

    /// Loads networks side by side.
    private static func load(
        _ networks: [SeparationPlan.Network], _ voice: SplitMethod.VoiceNetwork?
    ) throws(ModelError) {
        let failure = Mutex<ModelError?>(nil)
        DispatchQueue.concurrentPerform(iterations: networks.count + 1) { index in
            do throws(ModelError) {
                if index < networks.count {
                    try networks[index].load()
                } else {
                    try voice?.load()
                }
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// Begins a recording.
    /// - Throws: ``ModelError/notInstalled(stems:)``.
    public func makeStream(_ request: SeparationRequest) throws -> any StemStream {
        try loaded(request.kind, request.dereverb).makeStream(request)
    }
}
