import Foundation
import Inference
import Synchronization

/// How networks are run.
struct InferenceSettings {
    /// Processor cores.
    let threads: Int
    let precision: InferencePrecision
    /// A folder for compiled networks; `nil`: compile whenever one is loaded.
    let cache: String?

    /// A file beside a compiled network, for what was found out about it with this version of the runtime. `nil` without a cache.
    func record(
        _ ending: String, of pack: ModelPack<some PackDescription>, _ runtime: InferenceRuntime
    ) -> String? {
        guard let cache, let hash = pack.manifest.sha256["model.onnx"] else { return nil }
        let version = runtime.version.replacingOccurrences(of: "/", with: "_")
        return "\(cache)/\(hash)-\(version)-\(precision).\(ending)"
    }
}

/// A pack's network, as it is in memory.
protocol LoadedNetwork: Sendable {
    associatedtype Manifest: PackDescription

    /// - Throws: ``ModelError/refused(pack:reason:)`` where it does not load, or its shapes are not those of the
    ///   manifest.
    init(
        _ pack: ModelPack<Manifest>, _ runtime: InferenceRuntime, _ settings: InferenceSettings
    ) throws(ModelError)

    /// Runs the network once and looks at what it gives.
    /// - Throws: ``ModelError/refused(pack:reason:)``.
    func tryOut() throws(ModelError)
}

/// The network of an installed pack: in memory from when a recording needs it until one comes that does not.
final class LazyNetwork<Network: LoadedNetwork>: Sendable {
    private let pack: ModelPack<Network.Manifest>
    private let runtime: InferenceRuntime
    private let settings: InferenceSettings
    private let state = Mutex(State())

    private struct State {
        var network: Network?
        var isTried = false
        var refusal: ModelError?
    }

    init(
        _ pack: ModelPack<Network.Manifest>, _ runtime: InferenceRuntime,
        _ settings: InferenceSettings
    ) {
        self.pack = pack
        self.runtime = runtime
        self.settings = settings
    }

    var manifest: Network.Manifest { pack.manifest }

    /// Why the pack cannot be used; `nil` as long as nothing is known against it.
    var refusal: ModelError? { state.withLock { $0.refusal } }

    /// Brings the network into memory, where it is not yet. Its files' hashes are compared each time; a test inference is
    /// made where none is on record. What fails is refused for good.
    /// - Throws: ``ModelError/refused(pack:reason:)``.
    @discardableResult
    func load() throws(ModelError) -> Network {
        try state.withLock { state throws(ModelError) in
            if let refusal = state.refusal { throw refusal }
            do throws(ModelError) {
                if let network = state.network { return network }
                try pack.verify()
                let network = try Network(pack, runtime, settings)
                if !hasPassed(state) {
                    try network.tryOut()
                    state.isTried = true
                    recordPass()
                }
                state.network = network
                return network
            } catch {
                state.refusal = error
                throw error
            }
        }
    }

    /// Checks the pack, with a test inference in any case. The network is not kept in memory.
    func check() {
        state.withLock { state in
            state.network = nil
            state.isTried = false
        }
        forgetPass()
        _ = try? load()
        release()
    }

    /// Lets go of the network. Recordings that are under way keep it to their end.
    func release() {
        state.withLock { state in
            guard state.network != nil else { return }
            state.network = nil
            runtime.releaseMemory(cache: settings.cache)
        }
    }

    private func hasPassed(_ state: State) -> Bool {
        state.isTried || record.map { FileManager.default.fileExists(atPath: $0) } ?? false
    }

    /// Where it is on record that this network passed its test inference on so many threads; processes that are started for a
    /// file need not make it again.
    private var record: String? {
        settings.record("\(settings.threads).passed", of: pack, runtime)
    }

    private func recordPass() {
        // Where it cannot be written, the next process makes the inference again.
        if let record { _ = FileManager.default.createFile(atPath: record, contents: nil) }
    }

    private func forgetPass() {
        if let record { try? FileManager.default.removeItem(atPath: record) }
    }
}
