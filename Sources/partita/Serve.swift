import ArgumentParser
import Foundation
import HTTPAPI
import Logging
import Media
import ServiceLifecycle
import Tasks
import Webhooks
import Worker

/// `partita serve`
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves the API, with workers as child processes.")

    @Option(help: "Address to listen on (PARTITA_HOST; default 127.0.0.1).")
    var host: String?

    @Option(help: "Port to listen on, 0 for a free one (PARTITA_PORT; default 8080).")
    var port: Int?

    @Option(help: "Worker processes; 0: only the API (PARTITA_WORKERS; default 1).")
    var workers: Int?

    @Option(help: "Processor cores that a worker may use (PARTITA_THREADS; default all).")
    var threads: Int?

    @Option(
        name: .customLong("public-url"),
        help: """
            Address of the server as clients know it, for servers behind a proxy; it may have a path \
            (PARTITA_PUBLIC_URL).
            """)
    var publicURL: String?

    @Option(help: "Largest upload, in bytes (PARTITA_MAX_UPLOAD; default 10 GiB).")
    var maxUpload: Int?

    @Option(
        help: "Origins whose web pages may call, with commas (PARTITA_ALLOWED_ORIGINS; default *).")
    var allowedOrigins: String?

    @Option(
        help: "Seconds for which a download link is good (PARTITA_LINK_LIFETIME; default a day).")
    var linkLifetime: Int?

    @Flag(
        inversion: .prefixedNo,
        help: """
            Let callbacks go to addresses of private networks \
            (PARTITA_PRIVATE_CALLBACKS; default false).
            """)
    var privateCallbacks: Bool?

    @OptionGroup var playlists: PlaylistOption

    @OptionGroup(title: "Rate limits") var limits: LimitOptions

    @OptionGroup(title: "Lifetimes") var lifetimes: LifetimeOptions

    @OptionGroup var settings: SettingsOptions

    func run() async throws {
        let settings = try await settings.load()
        let port = try settings.int(port, "port", default: 8080, in: 0...65535)
        let workers = try settings.int(workers, "workers", default: 1, in: 0...64)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let threads = try settings.int(threads, "threads", default: cores, in: 1...1024)
        let playlists = try playlists.load(settings)
        let host = settings.string(host, "host") ?? "127.0.0.1"
        var configuration = APIConfiguration(
            host: host, port: port, publicURL: try settings.publicURL(publicURL))
        configuration.maximumUploadSize = Int64(
            try settings.int(
                maxUpload, "maxUpload", default: Int(configuration.maximumUploadSize),
                in: 1...1 << 50))
        configuration.linkLifetime = try settings.int(
            linkLifetime, "linkLifetime", default: configuration.linkLifetime,
            in: 60...366 * 24 * 3600)
        if let origins = settings.string(allowedOrigins, "allowedOrigins") {
            configuration.allowedOrigins = origins.split(separator: ",").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
        configuration.rateLimits = try limits.limits(settings)
        let allowsPrivate = try settings.bool(
            privateCallbacks, "privateCallbacks", default: false)
        let policy = try lifetimes.policy(settings)
        Output.startLogging()
        let logger = Logger(label: "partita")

        let folder = try DataFolder(settings.data)
        let removed = try await folder.blobs.sweepScratch()
        if removed > 0 { logger.info("Removed \(removed) files that an earlier crash left.") }
        let library = Installation.library()
        for note in library.notes { logger.warning("\(note)") }
        logger.info("Stems: \(library.stems.joined(separator: ", "))")
        let tasks = TaskService(
            store: folder.store, blobs: folder.blobs, probe: FFmpegProbe(try MediaTools()),
            catalog: InstalledCatalog(stems: Set(library.stems)),
            voices: Installation.voices(data: folder.url), policy: policy)
        let keyFile = try await folder.ensureLicence(tasks)

        let server = APIServer(
            tasks: tasks, blobs: folder.blobs, linkSecret: try folder.linkSecret(),
            configuration: configuration,
            // A server without workers needs no models.
            readiness: [.disk(folder.blobs)] + (workers > 0 ? [.models] : []),
            logger: logger,
            onRunning: { port in
                Output.line(
                    "Partita serves on http://\(host.contains(":") ? "[\(host)]" : host):\(port)/api/v1/"
                )
                if let keyFile { Output.line("The license key is in \(keyFile.path)") }
            })
        let supervisor = Supervisor(
            executable: Installation.executable,
            arguments: [
                "worker", "--data", folder.url.path, "--threads", "\(threads)", "--parent-pipe",
                playlists ? "--playlists" : "--no-playlists",
            ],
            count: workers, logger: logger)
        let callbacks = CallbackService(
            store: folder.store, allowsPrivate: allowsPrivate, logger: logger,
            body: { server.callbackBody(for: $0) })
        let upkeep = Upkeep(
            janitor: Janitor(store: folder.store, blobs: folder.blobs, policy: policy),
            logger: logger)
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: server, failureTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: upkeep),
                .init(service: callbacks),
                .init(service: supervisor, failureTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // Whoever has not fetched a download by then is cut off.
        group.maximumGracefulShutdownDuration = .seconds(20)
        try await ServiceGroup(configuration: group).run()
    }
}
