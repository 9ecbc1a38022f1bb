import Foundation
import Inference

/// The network of a `content` pack, loaded and of the shapes that its manifest says: it tells what is said in a voice's
/// mel-cepstra, whoever says it (`training/content.py`).
public final class ContentNetwork: Sendable {
    /// Seconds between frames that it hears.
    static let hop = 0.01
    /// Values that a frame's content is told by.
    static let features = 48

    /// Of its file; a voice pack's codebook is made for one network.
    public let sha256: String
    let manifest: ContentManifest
    private let model: CompiledModel

    /// Loads the network.
    /// - Throws: ``ModelError/refused(pack:reason:)`` where it does not load, or its shapes are not those of its manifest and
    ///   of this engine.
    public init(
        _ pack: ModelPack<ContentManifest>, _ runtime: InferenceRuntime, threads: Int,
        cache: String?
    ) throws(ModelError) {
        try pack.verify()
        manifest = pack.manifest
        sha256 = manifest.sha256["model.onnx"] ?? ""
        guard
            manifest.hopMilliseconds == Int(1000 * Self.hop),
            manifest.coefficients == MelCepstrum.order, manifest.features == Self.features
        else {
            throw .refused(pack: manifest.name, reason: "it is made for another engine")
        }
        model = try runtime.compile(
            pack.network.path, pack: manifest.name, threads: threads, cache: cache)
        let frames = manifest.blockFrames
        for (name, shape, expected) in [
            ("cepstra", model.inputShape("cepstra"), [1, MelCepstrum.order + 1, frames]),
            ("features", model.outputShape("features"), [1, Self.features, frames]),
        ] where shape != expected {
            throw .refused(pack: manifest.name, reason: "its “\(name)” has the shape \(shape)")
        }
    }

    /// One stream's use of the network.
    final class Run {
        /// `[coefficient][frame]` of a block: normalized mel-cepstrum, then 1 where the frame is voiced.
        let cepstra: UnsafeMutablePointer<Float>
        /// `[feature][frame]`.
        let features: UnsafeMutablePointer<Float>
        private let request: InferenceRequest

        init(_ network: ContentNetwork) throws(ModelError) {
            let frames = network.manifest.blockFrames
            request = try InferenceRequest(network.model)
            cepstra = try request.bind("cepstra", shape: [1, MelCepstrum.order + 1, frames])
                .pointer
            features = try request.bind("features", shape: [1, ContentNetwork.features, frames])
                .pointer
        }

        func advance() throws(ModelError) {
            request.start()
            try request.wait()
        }
    }
}
