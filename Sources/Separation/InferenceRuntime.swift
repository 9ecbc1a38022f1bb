import COpenVINO
import DSP
import Foundation

/// OpenVINO on the CPU.
///
/// Unchecked, because the compiler cannot know that OpenVINO's core may be used from several threads
/// (documented by OpenVINO); the Swift side is immutable.
final class InferenceRuntime: @unchecked Sendable {
    fileprivate let api: ov_api
    /// Runs one network after another, each on all granted cores, beside whoever prepares inputs and uses
    /// outputs.
    fileprivate let queue = DispatchQueue(label: "partita.inference")
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

    /// Gives back to the system what only compiling needed: free memory, and the pages of compiled networks on disk, whose
    /// weights have been brought into an order of their own by now. A page that is wanted again is read again.
    func releaseMemory(cache: String?) {
        ov_return_memory()
        guard let cache, let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
        else { return }
        // Of a line “7f00-7f20 r--p … /path/1.blob” only what cannot have been written to.
        for line in maps.split(separator: "\n")
        where line.hasSuffix(".blob") && line.contains(cache) && line.contains(" r--") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap {
                UInt(String($0), radix: 16)
            }
            guard ends.count == 2, let start = UnsafeMutableRawPointer(bitPattern: ends[0]) else {
                continue
            }
            madvise(start, Int(ends[1] - ends[0]), MADV_DONTNEED)
        }
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

/// An input or output of a network.
struct Tensor {
    let shape: [Int]
    /// Zero at first.
    let buffer: AlignedBuffer

    init(shape: [Int]) {
        self.shape = shape
        buffer = AlignedBuffer(count: shape.reduce(1, *))
    }
}

/// One stream's use of a network. Inputs and outputs are read and written in place, without copies.
final class InferenceRequest {
    private let model: CompiledModel
    private let request: OpaquePointer
    /// OpenVINO reads and writes them as long as the request lives.
    private var bound: [String: Tensor] = [:]
    /// What was started and not waited for, the oldest first.
    private var runs: [Run] = []

    /// A run, written by the runtime's queue until `work` has ended.
    private final class Run {
        var work: DispatchWorkItem?
        var failure: String?
        var seconds = 0.0
    }

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

    /// The memory of an input or output for all runs.
    func bind(_ name: String, shape: [Int]) throws(SeparationError) -> AlignedBuffer {
        let tensor = Tensor(shape: shape)
        if !set(name, tensor) {
            throw .inferenceFailed(
                pack: model.pack, reason: InferenceRuntime.message(model.runtime.api))
        }
        return tensor.buffer
    }

    /// Begins to compute, after all that was started before by any request of the runtime. Until ``wait()`` has
    /// returned for it, nothing may touch inputs and outputs.
    /// - Parameter tensors: Inputs and outputs of this run, by name.
    func start(_ tensors: [String: Tensor] = [:]) {
        let run = Run()
        // Keeps the request alive until it has run, even where nobody waits any more.
        let work = DispatchWorkItem { [self] in
            let begin = ContinuousClock.now
            let api = model.runtime.api
            if !tensors.allSatisfy({ set($0.key, $0.value) }) || api.infer(request) != 0 {
                run.failure = InferenceRuntime.message(api)
            }
            run.seconds = (ContinuousClock.now - begin).seconds
        }
        run.work = work
        runs.append(run)
        model.runtime.queue.async(execute: work)
    }

    /// Waits for the oldest run that was not waited for.
    /// - Returns: The seconds that it took.
    @discardableResult
    func wait() throws(SeparationError) -> Double {
        let run = runs.removeFirst()
        run.work?.wait()
        if let failure = run.failure { throw .inferenceFailed(pack: model.pack, reason: failure) }
        return run.seconds
    }

    private func set(_ name: String, _ tensor: Tensor) -> Bool {
        let api = model.runtime.api
        var dimensions = tensor.shape.map(Int64.init)
        let rank = Int64(dimensions.count)
        var handle: OpaquePointer?
        defer { if let handle { api.tensor_free(handle) } }
        bound[name] = tensor
        return dimensions.withUnsafeMutableBufferPointer { dims in
            let shape = ov_shape(rank: rank, dims: dims.baseAddress)
            return api.tensor_from_host(
                Int32(OV_ELEMENT_F32), shape, tensor.buffer.pointer, &handle) == 0
                && api.set_tensor(request, name, handle) == 0
        }
    }
}
