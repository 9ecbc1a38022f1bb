import Foundation
import Inference

/// The network of a `pitch` pack, loaded and of the shapes that its manifest says: SwiftF0 (L. Nieradzik, *SwiftF0: Fast and
/// Accurate Monophonic Pitch Detection*, arXiv 2508.18440, 2025) as `setup/convert_swiftf0.py` makes it.
public final class PitchNetwork: Sendable {
    let manifest: PitchManifest
    let model: CompiledModel
    /// Processor cores that it was loaded for.
    let threads: Int

    /// Loads the network and lets it find the pitch of a tone.
    /// - Throws: ``ModelError/refused(pack:reason:)`` where it does not load, its shapes are not those of the manifest, or it
    ///   does not find the tone.
    public init(
        _ pack: ModelPack<PitchManifest>, _ runtime: InferenceRuntime, threads: Int, cache: String?
    ) throws(ModelError) {
        try pack.verify()
        manifest = pack.manifest
        self.threads = threads
        model = try runtime.compile(
            pack.network.path, pack: manifest.name, threads: threads, cache: cache)
        let (samples, frames) = (manifest.blockFrames * manifest.hop, manifest.blockFrames)
        for (name, shape, expected) in [
            ("audio", model.inputShape("audio"), [1, samples]),
            ("pitch", model.outputShape("pitch"), [1, frames]),
            ("confidence", model.outputShape("confidence"), [1, frames]),
        ] where shape != expected {
            throw .refused(pack: manifest.name, reason: "its “\(name)” has the shape \(shape)")
        }
        let run = try Run(self)
        for index in 0..<samples {
            let turn = 2 * Double.pi * 220 * Double(index) / Double(manifest.sampleRate)
            run.audio[index] = Float(0.3 * sin(turn) + 0.2 * sin(2 * turn) + 0.1 * sin(3 * turn))
        }
        try run.advance()
        let found = run.pitch[frames / 2]
        if !(abs(found - 220) < 5) {
            throw .refused(
                pack: manifest.name, reason: "it takes a tone of 220 Hz for one of \(found) Hz")
        }
    }

    /// One stream's use of the network.
    final class Run {
        /// A block of samples.
        let audio: UnsafeMutablePointer<Float>
        /// Hertz, of each frame.
        let pitch: UnsafeMutablePointer<Float>
        /// 0…1, of each frame.
        let confidence: UnsafeMutablePointer<Float>
        private let request: InferenceRequest

        init(_ network: PitchNetwork) throws(ModelError) {
            let (hop, frames) = (network.manifest.hop, network.manifest.blockFrames)
            request = try InferenceRequest(network.model)
            audio = try request.bind("audio", shape: [1, hop * frames]).pointer
            pitch = try request.bind("pitch", shape: [1, frames]).pointer
            confidence = try request.bind("confidence", shape: [1, frames]).pointer
        }

        func advance() throws(ModelError) {
            request.start()
            try request.wait()
        }
    }
}
