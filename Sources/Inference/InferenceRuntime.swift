import COpenVINO
import Foundation

/// OpenVINO on the CPU.
///
/// Unchecked, because the compiler cannot know that OpenVINO's core may be used from several threads
/// (documented by OpenVINO); the Swift side is immutable.
public final class InferenceRuntime: @unchecked Sendable {
    let api: ov_api
    /// Runs one network after another, each on all granted cores, beside whoever prepares inputs and uses
    /// outputs.
    let queue = DispatchQueue(label: "partita.inference")
    /// OpenVINO's own, down to the build.
    public let version: String
    private let core: OpaquePointer

    /// - Parameter library: The path of `libopenvino_c.so`.
    /// - Throws: ``ModelError/runtimeMissing(reason:)``.
    public init(library: String) throws(ModelError) {
        ov_limit_arenas()
        var api = ov_api()
        if let message = ov_api_load(library, &api) {
            throw .runtimeMissing(reason: String(cString: message))
        }
        var core: OpaquePointer?
        guard api.core_create(&core) == 0, let core else {
            throw .runtimeMissing(reason: InferenceRuntime.message(api))
        }
        var version = ov_version()
        defer { api.version_free(&version) }
        guard api.version(&version) == 0, let build = version.build_number else {
            throw .runtimeMissing(reason: InferenceRuntime.message(api))
        }
        self.version = String(cString: build)
        self.api = api
        self.core = core
    }

    deinit { api.core_free(core) }

    static func message(_ api: ov_api) -> String {
        // The first line; the others name source files of OpenVINO.
        let text = api.last_error().map { String(cString: $0) } ?? "unknown error"
        return text.split(separator: "\n").last.map(String.init) ?? text
    }

    /// Gives back to the system what only compiling needed.
    public func releaseMemory(cache: String?) { ov_return_memory(cache) }

    /// Compiles a network for `threads` processor cores.
    /// - Parameter pack: The name of its pack, for errors.
    /// - Throws: ``ModelError/refused(pack:reason:)`` where it does not load.
    public func compile(
        _ network: String, pack: String, threads: Int, cache: String?,
        precision: InferencePrecision = .single
    ) throws(ModelError) -> CompiledModel {
        var properties = [
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": String(threads),
            // Where performance counts, the runtime takes bfloat16 if the processor has instructions for it.
            "EXECUTION_MODE_HINT": precision == .bfloat16 ? "PERFORMANCE" : "ACCURACY",
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
