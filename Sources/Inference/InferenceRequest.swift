import COpenVINO
import DSP
import Dispatch

/// One stream's use of a network. Inputs and outputs are read and written in place, without copies.
public final class InferenceRequest {
    private let model: CompiledModel
    private let request: OpaquePointer
    /// OpenVINO reads and writes them as long as the request lives.
    private var bound: [String: Tensor] = [:]
    /// What was started and not waited for, the oldest first.
    private var runs: [Run] = []

    /// A run, written by the network's queue until it has ended.
    private final class Run {
        let end = DispatchGroup()
        var failure: String?
        var seconds = 0.0
    }

    public init(_ model: CompiledModel) throws(ModelError) {
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
    public func bind(_ name: String, shape: [Int]) throws(ModelError) -> AlignedBuffer {
        let tensor = Tensor(shape: shape)
        if !set(name, tensor) {
            throw .inferenceFailed(
                pack: model.pack, reason: InferenceRuntime.message(model.runtime.api))
        }
        return tensor.buffer
    }

    /// Begins to compute, after all that was started before by any request of the network, or of any network where not all
    /// cores are granted. Until ``wait()`` has returned for it, nothing may touch inputs and outputs.
    /// - Parameter tensors: Inputs and outputs of this run, by name.
    public func start(_ tensors: [String: Tensor] = [:]) {
        let run = Run()
        runs.append(run)
        // Keeps the request alive until it has run, even where nobody waits any more, and no longer.
        let work = DispatchWorkItem { [self] in
            let begin = ContinuousClock.now
            let api = model.runtime.api
            run.failure = model.runtime.running {
                tensors.allSatisfy { set($0.key, $0.value) } && api.infer(request) == 0
                    ? nil : InferenceRuntime.message(api)
            }
            run.seconds = (ContinuousClock.now - begin).seconds
        }
        model.queue.async(group: run.end, execute: work)
    }

    /// Waits for the oldest run that was not waited for.
    /// - Returns: The seconds that it took.
    @discardableResult
    public func wait() throws(ModelError) -> Double {
        let run = runs.removeFirst()
        run.end.wait()
        if let failure = run.failure { throw .inferenceFailed(pack: model.pack, reason: failure) }
        return run.seconds
    }

    /// A copy of an output of the last run that was waited for: of a network whose shapes depend on its inputs.
    public func output(_ index: Int) throws(ModelError) -> (shape: [Int], values: [Float]) {
        let api = model.runtime.api
        var handle: OpaquePointer?
        var shape = ov_shape()
        var type: Int32 = 0
        var data: UnsafeMutableRawPointer?
        defer { if let handle { api.tensor_free(handle) } }
        guard api.output_tensor_by_index(request, index, &handle) == 0, let handle,
            api.tensor_element_type(handle, &type) == 0, type == Tensor.Kind.float.rawValue,
            api.tensor_shape(handle, &shape) == 0
        else {
            throw .inferenceFailed(
                pack: model.pack, reason: "output \(index) is not of 32-bit numbers")
        }
        defer { _ = api.shape_free(&shape) }
        let dimensions = (0..<Int(shape.rank)).map { Int(shape.dims[$0]) }
        let count = dimensions.reduce(1, *)
        guard count > 0, api.tensor_data(handle, &data) == 0, let data else {
            return (dimensions, [])
        }
        let values = UnsafeBufferPointer(
            start: data.assumingMemoryBound(to: Float.self), count: count)
        return (dimensions, [Float](values))
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
                tensor.kind.rawValue, shape, tensor.buffer.pointer, &handle) == 0
                && api.set_tensor(request, name, handle) == 0
        }
    }
}
