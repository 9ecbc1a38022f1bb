import COpenVINO
import Dispatch

/// A network that is ready to run, shared by all streams.
///
/// Unchecked, because OpenVINO's compiled models may be used from several threads (documented); the
/// Swift side is immutable.
public final class CompiledModel: @unchecked Sendable {
    /// The name of its pack.
    public let pack: String
    /// What it runs on.
    public let runtime: InferenceRuntime
    let handle: OpaquePointer
    /// Runs one block after another, beside whoever prepares inputs and uses outputs.
    let queue: DispatchQueue

    init(runtime: InferenceRuntime, handle: OpaquePointer, pack: String, queue: DispatchQueue) {
        self.runtime = runtime
        self.handle = handle
        self.pack = pack
        self.queue = queue
    }

    deinit { runtime.api.compiled_model_free(handle) }

    /// An input as the network describes it.
    public struct Port: Sendable {
        public let name: String
        /// 0 stands for a dimension that the network leaves open.
        public let shape: [Int]
        /// `nil`: of a type that no ``Tensor`` has.
        public let kind: Tensor.Kind?
    }

    /// All inputs, in the network's order; without those whose number of dimensions is open.
    public var inputs: [Port] {
        var count = 0
        _ = runtime.api.inputs_size(handle, &count)
        return (0..<count).compactMap(input)
    }

    private func input(_ index: Int) -> Port? {
        let api = runtime.api
        var port: OpaquePointer?
        guard api.input_by_index(handle, index, &port) == 0, let port else { return nil }
        defer { api.port_free(port) }
        var name: UnsafeMutablePointer<CChar>?
        var type: Int32 = 0
        var shape = ov_partial_shape()
        guard api.port_name(port, &name) == 0, let name,
            api.port_element_type(port, &type) == 0, api.port_partial_shape(port, &shape) == 0
        else { return nil }
        defer {
            api.name_free(name)
            api.partial_shape_free(&shape)
        }
        guard shape.rank.min == shape.rank.max else { return nil }
        return Port(
            name: String(cString: name),
            shape: (0..<Int(shape.rank.min)).map {
                shape.dims[$0].min == shape.dims[$0].max ? Int(shape.dims[$0].min) : 0
            },
            kind: Tensor.Kind(rawValue: type))
    }

    /// The dimensions of an input; empty where there is none of that name.
    public func inputShape(_ name: String) -> [Int] { shape(runtime.api.input_by_name, name) }

    /// The dimensions of an output; empty where there is none of that name.
    public func outputShape(_ name: String) -> [Int] { shape(runtime.api.output_by_name, name) }

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
