import Inference

/// The network of a pack that gives masks of magnitudes, loaded and of the shapes that its manifest says.
final class CompiledNetwork: LoadedNetwork {
    let manifest: PackManifest
    let model: CompiledModel
    /// Of the input “magnitude”: 1, planes, frames, bins.
    let inputShape: [Int]
    /// Of the output “mask”: 1, stems, channels (1: one mask for both), frames, bins.
    let outputShape: [Int]

    /// - Throws: ``ModelError/refused(pack:reason:)`` where it does not load, or its shapes are not those of the
    ///   manifest.
    init(
        _ pack: ModelPack<PackManifest>, _ runtime: InferenceRuntime, _ settings: InferenceSettings
    ) throws(ModelError) {
        manifest = pack.manifest
        model = try runtime.compile(
            pack.network.path, pack: manifest.name, threads: settings.threads,
            cache: settings.cache, precision: settings.precision)
        inputShape = model.inputShape("magnitude")
        outputShape = model.outputShape("mask")
        let (frames, bins) = (manifest.segmentFrames, manifest.stft.bins)
        guard inputShape == [1, manifest.planes.count, frames, bins] else {
            throw .refused(
                pack: manifest.name, reason: "its input “magnitude” has the shape \(inputShape)")
        }
        guard outputShape.count == 5, [1, 2].contains(outputShape[2]),
            outputShape == [1, manifest.stems.count, outputShape[2], frames, bins]
        else {
            throw .refused(
                pack: manifest.name, reason: "its output “mask” has the shape \(outputShape)")
        }
    }

    /// Runs the network once: on a quiet, even spectrum its masks must be numbers that sum to one.
    /// - Throws: ``ModelError/refused(pack:reason:)``.
    func tryOut() throws(ModelError) {
        let request = try InferenceRequest(model)
        let input = try request.bind("magnitude", shape: inputShape)
        let output = try request.bind("mask", shape: outputShape)
        input.pointer.update(repeating: 0.1, count: input.count)
        request.start()
        try request.wait()
        let stems = manifest.stems.count
        let size = output.count / stems
        for index in 0..<size {
            var sum: Float = 0
            for stem in 0..<stems { sum += output.pointer[stem * size + index] }
            if !(abs(sum - 1) < 1e-3) {
                throw .refused(
                    pack: manifest.name,
                    reason: "its masks sum to \(sum) in a test inference, not to 1")
            }
        }
    }
}
