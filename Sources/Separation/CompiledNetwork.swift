import Foundation
import Inference

/// The network of a pack that gives masks of magnitudes, loaded and of the shapes that its manifest says.
final class CompiledNetwork: LoadedNetwork {
    let manifest: PackManifest
    let model: CompiledModel
    /// Of the input “magnitude”: 1, planes, frames, bins.
    let inputShape: [Int]
    /// Of the output “mask”: 1, stems, channels (1: one mask for both), frames, bins.
    let outputShape: [Int]
    /// Of the input “state” and the output “next”, what the network remembers: 1, any.
    private let stateShape: [Int]
    /// A file that holds what the network remembers after silence: too much to keep in memory between recordings.
    private let silence: URL?

    /// - Throws: ``ModelError/refused(pack:reason:)`` where it does not load, or its shapes are not those of the
    ///   manifest.
    init(
        _ pack: ModelPack<PackManifest>, _ runtime: InferenceRuntime, _ settings: InferenceSettings
    ) throws(ModelError) {
        manifest = pack.manifest
        // Rounding differs with the number of threads.
        silence = settings.record("\(settings.threads).silence", of: pack, runtime)
            .map { URL(filePath: $0) }
        model = try runtime.compile(
            pack.network.path, pack: manifest.name, threads: settings.threads,
            cache: settings.cache, precision: settings.precision)
        inputShape = model.inputShape("magnitude")
        outputShape = model.outputShape("mask")
        let (frames, bins) = (manifest.blockFrames, manifest.stft.bins)
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
        stateShape = model.inputShape("state")
        guard stateShape == [1, max(stateShape.last ?? 0, 1)],
            stateShape == model.outputShape("next")
        else {
            throw .refused(
                pack: manifest.name,
                reason: "its “state” and “next” are not two rows of equal length")
        }
    }

    /// The memory of a new recording, preceded by silence, and room for what comes next, to be used in turn.
    func makeStates() throws(ModelError) -> [Tensor] {
        let states = (0..<2).map { _ in Tensor(shape: stateShape) }
        let room = UnsafeMutableRawBufferPointer(
            start: states[0].buffer.pointer,
            count: states[0].buffer.count * MemoryLayout<Float>.stride)
        if let silence, let known = try? Data(contentsOf: silence, options: .alwaysMapped),
            known.count == room.count
        {
            known.copyBytes(to: room)
            return states
        }
        try settle(states)
        return states
    }

    /// Runs the network on silence until what it remembers stays the same, and keeps it in the file.
    /// - Parameter states: Two, of zeros; afterwards each is what it remembers.
    private func settle(_ states: [Tensor]) throws(ModelError) {
        let request = try InferenceRequest(model)
        let (magnitude, mask) = (Tensor(shape: inputShape), Tensor(shape: outputShape))
        var (last, next) = (states[0], states[1])
        for _ in 0..<16 {
            request.start(["magnitude": magnitude, "mask": mask, "state": last, "next": next])
            try request.wait()
            let bytes = last.buffer.count * MemoryLayout<Float>.stride
            if memcmp(last.buffer.pointer, next.buffer.pointer, bytes) == 0 {
                // Where it cannot be written, it is found out again.
                if let silence {
                    try? Data(bytes: last.buffer.pointer, count: bytes)
                        .write(to: silence, options: .atomic)
                }
                return
            }
            swap(&last, &next)
        }
        throw .refused(
            pack: manifest.name, reason: "what it remembers of silence does not come to rest")
    }

    /// Runs the network on silence until it comes to rest, and once on a quiet, even spectrum: its masks must be numbers that
    /// sum to one.
    /// - Throws: ``ModelError/refused(pack:reason:)``.
    func tryOut() throws(ModelError) {
        let request = try InferenceRequest(model)
        let input = try request.bind("magnitude", shape: inputShape)
        let output = try request.bind("mask", shape: outputShape)
        input.pointer.update(repeating: 0.1, count: input.count)
        let states = (0..<2).map { _ in Tensor(shape: stateShape) }
        try settle(states)
        request.start(["state": states[0], "next": states[1]])
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
