import COpenVINO

/// A network that is ready to run, shared by all streams.
///
/// Unchecked, because OpenVINO's compiled models may be used from several threads (documented); the
/// Swift side is immutable.
public final class CompiledModel: @unchecked Sendable {
    /// The name of its pack.
    public let pack: String
    let runtime: InferenceRuntime
    let handle: OpaquePointer

    init(runtime: InferenceRuntime, handle: OpaquePointer, pack: String) {
        self.runtime = runtime
        self.handle = handle
        self.pack = pack
    }

    deinit { runtime.api.compiled_model_free(handle) }

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
