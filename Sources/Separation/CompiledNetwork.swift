import Foundation
import Inference

/// The network of a pack that gives masks of magnitudes, loaded and of the shapes that its manifest says.
///
/// Unchecked, because what changes is only changed under a lock.
final class CompiledNetwork: LoadedNetwork, @unchecked Sendable {
    let manifest: PackManifest
    let model: CompiledModel
    /// Of the input “magnitude”: 1, planes, frames, bins.
    let inputShape: [Int]
    /// Of the output “mask”: 1, stems, channels (1: one mask for both), frames, bins.
    let outputShape: [Int]
    /// Of the input “state” and the output “next”, what the network remembers: 1, any.
    private let stateShape: [Int]
    private let lock = NSLock()
    /// What the network remembers after silence, until a recording takes it.
    private var silence: Tensor?

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

    /// Finds out what the network remembers after silence, where that is not known.
    func prepare() throws(ModelError) {
        lock.lock()
        defer { lock.unlock() }
        if silence == nil { silence = try afterSilence() }
    }

    /// The memory of a new recording, preceded by silence, and room for what comes next, to be used in turn.
    func takeStates() throws(ModelError) -> [Tensor] {
        lock.lock()
        defer {
            silence = nil
            lock.unlock()
        }
        let first = if let silence { silence } else { try afterSilence() }
        return [first, Tensor(shape: stateShape)]
    }

    /// Runs the network on silence until what it remembers stays the same.
    private func afterSilence() throws(ModelError) -> Tensor {
        let request = try InferenceRequest(model)
        let (magnitude, mask) = (Tensor(shape: inputShape), Tensor(shape: outputShape))
        var (last, next) = (Tensor(shape: stateShape), Tensor(shape: stateShape))
        for _ in 0..<16 {
            request.start(["magnitude": magnitude, "mask": mask, "state": last, "next": next])
            try request.wait()
            let bytes = last.buffer.count * MemoryLayout<Float>.stride
            if memcmp(last.buffer.pointer, next.buffer.pointer, bytes) == 0 { return last }
            swap(&last, &next)
        }
        throw .refused(
            pack: manifest.name, reason: "what it remembers of silence does not come to rest")
    }

    /// Runs the network once: on a quiet, even spectrum its masks must be numbers that sum to one.
    /// - Throws: ``ModelError/refused(pack:reason:)``.
    func tryOut() throws(ModelError) {
        let request = try InferenceRequest(model)
        let input = try request.bind("magnitude", shape: inputShape)
        let output = try request.bind("mask", shape: outputShape)
        input.pointer.update(repeating: 0.1, count: input.count)
        let states = try takeStates()
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
