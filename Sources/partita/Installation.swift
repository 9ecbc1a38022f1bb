import Foundation
import Inference
import Separation
import Tasks
import VoiceChange
import Worker

/// Where the parts lie that set-up installs, found from `PARTITA_ROOT` (which `bin/partita` sets), else
/// from the place of the program: `<root>/.build/<platform>/release/partita`.
enum Installation {
    static let root: URL = {
        if let path = ProcessInfo.processInfo.environment["PARTITA_ROOT"] {
            return URL(fileURLWithPath: path, isDirectory: true)
        }
        return URL(fileURLWithPath: executable).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
    }()

    /// This program.
    static let executable: String =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        ?? CommandLine.arguments[0]

    /// Folders that hold model packs: those in `PARTITA_MODELS` (separated by colons), else our own and
    /// the open ones that set-up converted.
    static func modelDirectories() -> [String] {
        if let paths = ProcessInfo.processInfo.environment["PARTITA_MODELS"], !paths.isEmpty {
            return paths.split(separator: ":").map(String.init)
        }
        return [
            root.appendingPathComponent("Models").path,
            root.appendingPathComponent(".deps/models").path,
        ]
    }

    /// The inference runtime.
    static func runtime() -> String {
        root.appendingPathComponent(".deps/openvino/libs/libopenvino_c.so").path
    }

    /// Compiled networks are kept here, so that a worker starts quickly.
    static func cacheDirectory() -> String {
        root.appendingPathComponent(".deps/cache").path
    }

    /// The networks that voices are changed with.
    /// - Throws: `ModelError`.
    static func voiceNetworks(_ library: ModelLibrary, threads: Int?) throws -> VoiceNetworks {
        guard let pitch = library.pitch else { throw ModelError.notInstalled(stems: ["pitch"]) }
        guard let content = library.content else {
            throw ModelError.notInstalled(stems: ["content"])
        }
        let runtime = try InferenceRuntime(library: runtime())
        let threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
        return VoiceNetworks(
            pitch: try PitchNetwork(pitch, runtime, threads: threads, cache: library.cache),
            content: try ContentNetwork(content, runtime, threads: threads, cache: library.cache))
    }

    /// The voices that come with the program, and those of a data folder.
    static func voices(data: URL) -> InstalledVoices {
        InstalledVoices(directories: [
            root.appendingPathComponent("Voices").path, voiceFolder(data: data),
        ])
    }

    /// Where the voices of a data folder are.
    static func voiceFolder(data: URL) -> String { data.appendingPathComponent("voice-packs").path }

    static func library() -> ModelLibrary {
        ModelLibrary(directories: modelDirectories(), cache: cacheDirectory())
    }
}

/// Which stems the installed packs serve. `lynx` is our own network alone, the
/// fastest; every other name is served by the best there is, every opinion fused, which goes by the name `andromeda`.
struct InstalledCatalog: ModelCatalog {
    let stems: Set<String>

    func splitter(for stem: Stem, requested: Splitter) -> Splitter? {
        guard stems.contains(stem.rawValue) else { return nil }
        return requested == .lynx ? .lynx : .andromeda
    }
}
