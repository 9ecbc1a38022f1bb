import ArgumentParser
import Foundation
import Logging
import Media
import Separation
import ServiceLifecycle
import Worker

/// `partita worker`
struct RunWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Carries out tasks of a data folder. `serve` starts workers by itself.")

    @OptionGroup var settings: SettingsOptions

    @Option(help: "Processor cores that inference may use (PARTITA_THREADS; default all).")
    var threads: Int?

    @OptionGroup var playlists: PlaylistOption

    @Flag(help: "End when standard input ends.")
    var parentPipe = false

    func run() async throws {
        if parentPipe { ParentWatch.start() }
        Output.startLogging()
        let settings = try await settings.load()
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let threads = try settings.int(threads, "threads", default: cores, in: 1...1024)
        var logger = Logger(label: "partita.worker")
        logger[metadataKey: "pid"] = "\(ProcessInfo.processInfo.processIdentifier)"
        let folder = try DataFolder(settings.data)
        // What a worker that was killed has left.
        try await folder.blobs.sweepScratch()
        let library = Installation.library()
        let separator = try Separator(
            library: library, runtime: Installation.runtime(), threads: threads)
        separator.check()
        for note in separator.notes { logger.warning("\(note)") }
        let networks =
            library.pitch == nil || library.content == nil
            ? nil : try Installation.voiceNetworks(library, threads: threads)
        logger.info("Ready; stems: \(separator.stems.joined(separator: ", "))")
        let worker = TaskWorker(
            store: folder.store, blobs: folder.blobs, tools: try MediaTools(), separator: separator,
            voices: Installation.voices(data: folder.url), networks: networks,
            makesPlaylists: try playlists.load(settings),
            name:
                "\(ProcessInfo.processInfo.hostName)/\(ProcessInfo.processInfo.processIdentifier)",
            logger: logger)
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: WorkerService(worker: worker))],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
    }
}

/// Ends the worker's loop when the process is asked to end.
private struct WorkerService: Service {
    let worker: TaskWorker

    func run() async throws {
        await cancelWhenGracefulShutdown { await worker.run() }
    }
}
