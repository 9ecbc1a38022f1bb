import COpenVINO
import Foundation
import Synchronization

/// OpenVINO on the CPU.
///
/// Unchecked, because the compiler cannot know that OpenVINO's core may be used from several threads
/// (documented by OpenVINO); what changes on the Swift side has a lock.
public final class InferenceRuntime: @unchecked Sendable {
    let api: ov_api
    /// OpenVINO's own, down to the build.
    public let version: String
    private let core: OpaquePointer
    /// Where not all cores are granted, all networks run on it, one after another.
    private let queue = DispatchQueue(label: "partita.inference")
    private let activity = Mutex(Activity())

    private struct Activity {
        /// Networks that run now, and since when any has.
        var running = 0
        var since = ContinuousClock.now
        /// In which any ran, before.
        var seconds = 0.0
    }

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

    /// Seconds of the clock in which at least one network ran.
    public var busySeconds: Double {
        activity.withLock { $0.seconds + ($0.running > 0 ? (.now - $0.since).seconds : 0) }
    }

    /// Runs a network, beside those that run already.
    func running<Value>(_ run: () -> Value) -> Value {
        activity.withLock {
            if $0.running == 0 { $0.since = .now }
            $0.running += 1
        }
        defer {
            activity.withLock {
                $0.running -= 1
                if $0.running == 0 { $0.seconds += (.now - $0.since).seconds }
            }
        }
        return run()
    }

    /// Gives back to the system what only compiling needed.
    public func releaseMemory(cache: String?) { ov_return_memory(cache) }

    /// Compiles a network for `threads` processor cores. Networks that were granted all cores run side by side and share them;
    /// others run one at a time, as each brings threads of its own.
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
        let isAlone = threads < ProcessInfo.processInfo.activeProcessorCount
        return CompiledModel(
            runtime: self, handle: model, pack: pack,
            queue: isAlone ? queue : DispatchQueue(label: "partita.inference.\(pack)"))
    }
}
