import DSP
import Inference

/// The network of a `deep_filter` pack, loaded and of the shapes that its manifest says.
///
/// It sees blocks of frames, one after another; what it remembers goes from block to block as a row of numbers, so
/// that a recording in blocks gives what it gives in one piece. `setup/convert_deepfilternet.py` describes it.
final class DeepFilterNetwork: LoadedNetwork {
    let manifest: DeepFilterManifest
    private let model: CompiledModel
    private let stateLength: Int

    /// - Throws: ``ModelError/refused(pack:reason:)`` where it does not load, or its shapes are not those of the
    ///   manifest.
    init(
        _ pack: ModelPack<DeepFilterManifest>, _ runtime: InferenceRuntime,
        _ settings: InferenceSettings
    ) throws(ModelError) {
        manifest = pack.manifest
        // What it remembers would gather the errors of a coarser number.
        model = try runtime.compile(
            pack.network.path, pack: manifest.name, threads: settings.threads,
            cache: settings.cache, precision: .single)
        let state = model.inputShape("state")
        stateLength = state.last ?? 0
        for (name, shape, expected) in [
            ("erb", model.inputShape("erb"), Self.erb(manifest)),
            ("spectrum", model.inputShape("spectrum"), Self.spectrum(manifest)),
            ("state", state, [1, max(stateLength, 1)]),
            ("gains", model.outputShape("gains"), Self.erb(manifest)),
            ("filters", model.outputShape("filters"), Self.filters(manifest)),
            ("next", model.outputShape("next"), state),
        ] where shape != expected {
            throw .refused(pack: manifest.name, reason: "its “\(name)” has the shape \(shape)")
        }
    }

    /// Runs the network once, on silence: its gains must be between 0 and 1.
    /// - Throws: ``ModelError/refused(pack:reason:)``.
    func tryOut() throws(ModelError) {
        let run = try Run(self)
        try run.advance()
        for index in 0..<run.gains.count where !(0...1).contains(run.gains.pointer[index]) {
            throw .refused(
                pack: manifest.name,
                reason: "it gives a gain of \(run.gains.pointer[index]) in a test inference")
        }
    }

    private static func erb(_ manifest: DeepFilterManifest) -> [Int] {
        [1, 1, manifest.blockFrames, manifest.erbBands.count]
    }
    private static func spectrum(_ manifest: DeepFilterManifest) -> [Int] {
        [1, 2, manifest.blockFrames, manifest.filterBins]
    }
    private static func filters(_ manifest: DeepFilterManifest) -> [Int] {
        [1, manifest.blockFrames, manifest.filterBins, 2 * manifest.filterOrder]
    }

    /// One stream's use of the network.
    final class Run {
        /// Normalized log energies `[frame][band]`.
        let erb: AlignedBuffer
        /// Normalized lowest bins `[real, imaginary][frame][bin]`.
        let spectrum: AlignedBuffer
        /// `[frame][band]`
        let gains: AlignedBuffer
        /// `[frame][bin][tap]`, real and imaginary parts alternating.
        let filters: AlignedBuffer
        /// Spent inside the network.
        private(set) var seconds = 0.0
        private let request: InferenceRequest
        private let state: AlignedBuffer
        private let next: AlignedBuffer

        init(_ network: DeepFilterNetwork) throws(ModelError) {
            request = try InferenceRequest(network.model)
            erb = try request.bind("erb", shape: DeepFilterNetwork.erb(network.manifest))
            spectrum = try request.bind(
                "spectrum", shape: DeepFilterNetwork.spectrum(network.manifest))
            state = try request.bind("state", shape: [1, network.stateLength])
            gains = try request.bind("gains", shape: DeepFilterNetwork.erb(network.manifest))
            filters = try request.bind(
                "filters", shape: DeepFilterNetwork.filters(network.manifest))
            next = try request.bind("next", shape: [1, network.stateLength])
        }

        /// Computes gains and filters of the next block.
        func advance() throws(ModelError) {
            request.start()
            seconds += try request.wait()
            state.pointer.update(from: next.pointer, count: state.count)
        }
    }
}
