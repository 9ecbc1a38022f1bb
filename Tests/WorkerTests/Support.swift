import FileBlobs
import Foundation
import Inference
import Logging
import Media
import SQLiteStore
import Separation
import Tasks
import TestSupport
import VoiceChange
import Worker

/// The engine with everything that is installed, loaded once.
let separator = Result {
    try Separator(
        library: ModelLibrary(directories: Repository.models, cache: nil),
        runtime: Repository.runtime, threads: 2)
}

/// The networks that voices are changed with.
let voiceNetworks = Result {
    let library = ModelLibrary(directories: Repository.models, cache: nil)
    let runtime = try InferenceRuntime(library: Repository.runtime)
    guard let pitch = library.pitch, let content = library.content else {
        throw ModelError.notInstalled(stems: ["pitch", "content"])
    }
    return VoiceNetworks(
        pitch: try PitchNetwork(pitch, runtime, threads: 2, cache: nil),
        content: try ContentNetwork(content, runtime, threads: 2, cache: nil))
}

/// The network that finds the pitch of voices.
let pitchNetwork = voiceNetworks.map(\.pitch)

/// The engine with nothing but our own model of vocals, drums and bass.
let onlyCore = Result {
    let folder = try TemporaryFolder()
    try folder.link("music-core", to: Repository.root.appendingPathComponent("Models/music-core"))
    let separator = try Separator(
        library: ModelLibrary(directories: [folder.path], cache: nil),
        runtime: Repository.runtime, threads: 2)
    // The folder does not stay.
    try separator.load(.stems(["vocals"], clearCut: false))
    return separator
}

/// A store and blobs in a folder of their own, as the server and its workers share them.
struct DataFolder {
    let folder: TemporaryFolder
    let store: SQLiteStore
    let blobs: FileBlobs
    let licence: Licence

    init() async throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore(path: folder.path + "/partita.sqlite")
        blobs = try FileBlobs(root: folder.path)
        licence = try await store.createLicence(name: "test").licence
    }

    /// Uploads a file and queues a task for it.
    func submit(
        _ file: URL, _ presets: Presets = .stemSeparator(StemSeparatorPresets(stem: .vocals))
    ) async throws -> UUID {
        let now = Date()
        let source = Source(
            licence: licence.id, name: "Mein Lied.flac", size: 1, duration: 1,
            blob: try await blobs.adopt(file: file.path), created: now, expires: now + 3600)
        try await store.insert(source)
        return try await store.submit(
            SplitTask(
                licence: licence.id, source: source.id, presets: presets,
                servedBy: .perseus, created: now), idempotencyKey: nil, now: now)
    }

    func task(_ id: UUID) async throws -> SplitTask {
        let found = try await store.tasks([id], licence: licence.id, since: .distantPast)
        guard let task = found[id] else { throw POSIXError(.ENOENT) }
        return task
    }

    func worker(
        _ name: String = "a", policy: LeasePolicy = LeasePolicy(), limits: MediaLimits = .init(),
        makesPlaylists: Bool = true, separator engine: Separator? = nil,
        networks: VoiceNetworks? = nil
    ) throws -> TaskWorker {
        TaskWorker(
            store: store, blobs: blobs, tools: try MediaTools(limits: limits),
            separator: try engine ?? separator.get(),
            voices: InstalledVoices(directories: [voices]), networks: networks, policy: policy,
            makesPlaylists: makesPlaylists,
            name: name,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// The folder of voice packs.
    var voices: String { folder.path + "/voice-packs" }

    /// Blobs and what is left in the scratch folder.
    func files() throws -> [String] {
        try folder.files().filter { $0.hasPrefix("blobs/") || $0.hasPrefix("scratch/") }
    }
}
