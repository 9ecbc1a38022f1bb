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

    /// Compiles a network for `threads` processor cores.
    /// - Parameter pack: The name of its pack, for errors.
    /// - Throws: ``SeparationError/refused(pack:reason:)`` where it does not load.
    func compile(_ network: String, pack: String, threads: Int, cache: String?)
        throws(SeparationError) -> CompiledModel
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
        guard api.compile_from_file(core, network, "CPU", pairs.count, pairs, &model) == 0,
            let model
        else {
            throw .refused(
                pack: pack,
                reason: "its network does not load (\(InferenceRuntime.message(api)))")
        }
        return CompiledModel(runtime: self, handle: model, pack: pack)
    }
}

/// A network that is ready to run, shared by all streams.
///
/// Unchecked, because OpenVINO's compiled models may be used from several threads (documented); the
/// Swift side is immutable.
final class CompiledModel: @unchecked Sendable {
    /// The name of its pack.
    let pack: String
    fileprivate let runtime: InferenceRuntime
    fileprivate let handle: OpaquePointer

    fileprivate init(runtime: InferenceRuntime, handle: OpaquePointer, pack: String) {
        self.runtime = runtime
        self.handle = handle
        self.pack = pack
    }

    deinit { runtime.api.compiled_model_free(handle) }

    /// The dimensions of an input; empty where there is none of that name.
    func inputShape(_ name: String) -> [Int] { shape(runtime.api.input_by_name, name) }

    /// The dimensions of an output; empty where there is none of that name.
    func outputShape(_ name: String) -> [Int] { shape(runtime.api.output_by_name, name) }

    private func shape(
        _ find: (OpaquePointer?, UnsafePointer<CChar>?, UnsafeMutablePointer<OpaquePointer?>?) ->
            Int32,
        _ name: String
    ) -> [Int] {
        let api = runtime.api
        var port: OpaquePointer?
        guard find(handle, name, &port) == 0, let port else { return [] }
        defer { api.port_free(port) }
        var shape = ov_shape()
        guard api.port_shape(port, &shape) == 0 else { return [] }
        defer { _ = api.shape_free(&shape) }
        return (0..<Int(shape.rank)).map { Int(shape.dims[$0]) }
    }
}

/// One stream's use of a network: inputs and outputs are read and written in place.
final class InferenceRequest {
    private let model: CompiledModel
    private let request: OpaquePointer
    /// OpenVINO reads and writes them as long as the request lives.
    private var buffers: [AlignedBuffer] = []

    init(_ model: CompiledModel) throws(SeparationError) {
        var handle: OpaquePointer?
        guard model.runtime.api.create_infer_request(model.handle, &handle) == 0, let handle else {
            throw .inferenceFailed(
                pack: model.pack, reason: InferenceRuntime.message(model.runtime.api))
        }
        self.model = model
        request = handle
    }

    deinit { model.runtime.api.infer_request_free(request) }

    /// The memory of an input or output, zero at first.
    func bind(_ name: String, shape: [Int]) throws(SeparationError) -> AlignedBuffer {
        let api = model.runtime.api
        let buffer = AlignedBuffer(count: shape.reduce(1, *))
        var dimensions = shape.map(Int64.init)
        let rank = Int64(dimensions.count)
        var tensor: OpaquePointer?
        let bound = dimensions.withUnsafeMutableBufferPointer { dims in
            let shape = ov_shape(rank: rank, dims: dims.baseAddress)
            return api.tensor_from_host(Int32(OV_ELEMENT_F32), shape, buffer.pointer, &tensor) == 0
                && api.set_tensor(request, name, tensor) == 0
        }
        if let tensor { api.tensor_free(tensor) }
        if !bound {
            throw .inferenceFailed(pack: model.pack, reason: InferenceRuntime.message(api))
        }
        buffers.append(buffer)
        return buffer
    }

    /// Computes the outputs from the inputs.
    func run() throws(SeparationError) {
        let api = model.runtime.api
        guard api.infer(request) == 0 else {
            throw .inferenceFailed(pack: model.pack, reason: InferenceRuntime.message(api))
        }
    }
}
