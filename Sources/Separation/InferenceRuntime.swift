import COpenVINO
import DSP
import Foundation

/// OpenVINO on the CPU.
///
/// Unchecked, because the compiler cannot know that OpenVINO's core may be used from several threads
/// (documented by OpenVINO); the Swift side is immutable.
final class InferenceRuntime: @unchecked Sendable {
    fileprivate let api: ov_api
    private let core: OpaquePointer

    /// - Parameter library: The path of `libopenvino_c.so`.
    /// - Throws: ``SeparationError/runtimeMissing(reason:)``.
    init(library: String) throws(SeparationError) {
        var api = ov_api()
        if let message = ov_api_load(library, &api) {
            throw .runtimeMissing(reason: String(cString: message))
        }
        var core: OpaquePointer?
        guard api.core_create(&core) == 0, let core else {
            throw .runtimeMissing(reason: InferenceRuntime.message(api))
        }
        self.api = api
        self.core = core
    }

    deinit { api.core_free(core) }

    fileprivate static func message(_ api: ov_api) -> String {
        // The first line; the others name source files of OpenVINO.
        let text = api.last_error().map { String(cString: $0) } ?? "unknown error"
        return text.split(separator: "\n").last.map(String.init) ?? text
    }

    /// Compiles the network of a pack for `threads` processor cores.
    /// - Throws: ``SeparationError/refused(pack:reason:)`` where it does not load or its shapes are not
    ///   those of the manifest.
    func compile(_ pack: ModelPack, threads: Int, cache: String?) throws(SeparationError)
        -> CompiledNetwork
    {
        var properties = [
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": String(threads),
            "INFERENCE_PRECISION_HINT": "f32",
            // Two workers must not be pinned to the same cores.
            "ENABLE_CPU_PINNING": "NO",
        ]
        if let cache { properties["CACHE_DIR"] = cache }
        let strings = properties.flatMap { [strdup($0.key)!, strdup($0.value)!] }
        defer { strings.forEach { free($0) } }
        let pairs = stride(from: 0, to: strings.count, by: 2).map {
            ov_property(key: strings[$0], value: strings[$0 + 1])
        }
        var model: OpaquePointer?
        guard
            api.compile_from_file(core, pack.network.path, "CPU", pairs.count, pairs, &model) == 0,
            let model
        else {
            throw .refused(
                pack: pack.manifest.name,
                reason: "its network does not load (\(InferenceRuntime.message(api)))")
        }
        return try CompiledNetwork(runtime: self, model: model, manifest: pack.manifest)
    }
}

/// A network that is ready to run, shared by all streams.
///
/// Unchecked, because OpenVINO's compiled models may be used from several threads (documented); the
/// Swift side is immutable.
final class CompiledNetwork: @unchecked Sendable {
    let manifest: PackManifest
    fileprivate let runtime: InferenceRuntime
    fileprivate let model: OpaquePointer
    /// Planes, frames, bins.
    let inputShape: [Int]
    /// Stems, channels (1: one mask for both), frames, bins.
    let outputShape: [Int]

    fileprivate init(runtime: InferenceRuntime, model: OpaquePointer, manifest: PackManifest)
        throws(SeparationError)
    {
        self.runtime = runtime
        self.model = model
        self.manifest = manifest
        let api = runtime.api
        let input = CompiledNetwork.shape(api, model, api.input_by_name, "magnitude")
        let output = CompiledNetwork.shape(api, model, api.output_by_name, "mask")
        let (frames, bins) = (manifest.segmentFrames, manifest.stft.bins)
        inputShape = Array(input.dropFirst())
        outputShape = Array(output.dropFirst())
        guard input == [1, manifest.planes.count, frames, bins] else {
            throw .refused(
                pack: manifest.name, reason: "its input “magnitude” has the shape \(input)")
        }
        guard output.count == 5, [1, 2].contains(output[2]),
            output == [1, manifest.stems.count, output[2], frames, bins]
        else {
            throw .refused(pack: manifest.name, reason: "its output “mask” has the shape \(output)")
        }
    }

    deinit { runtime.api.compiled_model_free(model) }

    private static func shape(
        _ api: ov_api, _ model: OpaquePointer,
        _ port: (OpaquePointer?, UnsafePointer<CChar>?, UnsafeMutablePointer<OpaquePointer?>?) ->
            Int32,
        _ name: String
    ) -> [Int] {
        var handle: OpaquePointer?
        guard port(model, name, &handle) == 0, let handle else { return [] }
        defer { api.port_free(handle) }
        var shape = ov_shape()
        guard api.port_shape(handle, &shape) == 0 else { return [] }
        defer { _ = api.shape_free(&shape) }
        return (0..<Int(shape.rank)).map { Int(shape.dims[$0]) }
    }
}

/// One stream's use of a network: input and output live here and are read and written in place.
final class InferenceRequest {
    let network: CompiledNetwork
    /// Magnitudes `[planes][frames][bins]`.
    let input: AlignedBuffer
    /// Masks `[stems][channels][frames][bins]`.
    let output: AlignedBuffer
    private let request: OpaquePointer

    init(_ network: CompiledNetwork) throws(SeparationError) {
        let api = network.runtime.api
        let manifest = network.manifest
        var handle: OpaquePointer?
        guard api.create_infer_request(network.model, &handle) == 0, let handle else {
            throw .inferenceFailed(pack: manifest.name, reason: InferenceRuntime.message(api))
        }
        self.network = network
        request = handle
        input = AlignedBuffer(count: network.inputShape.reduce(1, *))
        output = AlignedBuffer(count: network.outputShape.reduce(1, *))
        try bind(input, shape: network.inputShape, name: "magnitude")
        try bind(output, shape: network.outputShape, name: "mask")
    }

    deinit { network.runtime.api.infer_request_free(request) }

    /// Computes `output` from `input`.
    func run() throws(SeparationError) {
        let api = network.runtime.api
        guard api.infer(request) == 0 else {
            throw .inferenceFailed(
                pack: network.manifest.name, reason: InferenceRuntime.message(api))
        }
    }

    private func bind(_ buffer: AlignedBuffer, shape: [Int], name: String) throws(SeparationError) {
        let api = network.runtime.api
        var dimensions = [1] + shape.map(Int64.init)
        let rank = Int64(dimensions.count)
        var tensor: OpaquePointer?
        let bound = dimensions.withUnsafeMutableBufferPointer { dims in
            let shape = ov_shape(rank: rank, dims: dims.baseAddress)
            return api.tensor_from_host(Int32(OV_ELEMENT_F32), shape, buffer.pointer, &tensor) == 0
                && api.set_tensor(request, name, tensor) == 0
        }
        if let tensor { api.tensor_free(tensor) }
        if !bound {
            throw .inferenceFailed(
                pack: network.manifest.name, reason: InferenceRuntime.message(api))
        }
    }
}
