import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Tasks

/// The HTTP server. Answers until its service group shuts down; requests under way are finished then.
public struct APIServer: Service {
    private let application: any Service
    private let api: API
    private let address: String
    /// The method and path of every route: `POST /api/v1/upload`.
    package let operations: [String]

    /// - Parameters:
    ///   - tasks: The rules.
    ///   - blobs: Where uploads go and downloads come from.
    ///   - linkSecret: Signs download links; 32 random bytes, the same for every server process.
    ///   - readiness: What else is looked at to tell whether the server can work, besides the database and files.
    ///   - logger: Gets one line for each request. No keys or link signatures are in it.
    ///   - onRunning: Called once the server listens, with the port.
    public init(
        tasks: TaskService, blobs: any BlobStore, linkSecret: [UInt8],
        configuration: APIConfiguration = APIConfiguration(), readiness: [ReadinessCheck] = [],
        logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        address = "\(configuration.host), port \(configuration.port)"
        api = API(
            tasks: tasks, blobs: blobs,
            links: LinkSigner(secret: linkSecret, lifetime: configuration.linkLifetime),
            readiness: Readiness([.database(tasks), .files(blobs)] + readiness),
            streams: StreamSlots(limit: configuration.maximumEventStreams),
            configuration: configuration)
        let routes = api.routes()
        let router = api.router(routes)
        operations = router.routes.map { "\($0.method.rawValue) \($0.path)" }
        application = Application(
            responder: BasePathResponder(
                basePath: configuration.basePath, routes: routes, inner: router.buildResponder()),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionHandler()],
                    idleTimeout: .seconds(Int64(configuration.idleTimeout)))),
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port)),
            onServerRunning: { channel in
                await onRunning(channel.localAddress?.port ?? configuration.port)
            },
            logger: logger)
    }

    /// What a callback tells of a task, as JSON: what `check` does, with the id as `task_id`. Links start with
    /// the configured public address; without one, with the address that the server listens on.
    public func callbackBody(for task: SplitTask) -> [UInt8] { api.callback(for: task).utf8 }

    /// - Throws: ``CannotListen`` where the address is taken, foreign or forbidden.
    public func run() async throws {
        do {
            try await application.run()
        } catch let error as IOError {
            throw CannotListen(address: address, reason: String(cString: strerror(error.errnoCode)))
        }
    }
}

/// The address of the server cannot be listened on.
public struct CannotListen: Error, CustomStringConvertible {
    let address: String
    let reason: String

    /// A sentence, for people.
    public var description: String { "The server cannot listen on \(address): \(reason)." }
}

/// What the operations share. Each operation is an extension in a file of its own.
struct API: Sendable {
    let tasks: TaskService
    let blobs: any BlobStore
    let links: LinkSigner
    let readiness: Readiness
    let streams: StreamSlots
    let configuration: APIConfiguration
}

extension API {
    func routes() -> Routes {
        let documentation = Documentation(configuration)
        return Routes([
            .post("/api/v1/upload/", upload),
            .post("/api/v1/check/", check),
            .post("/api/v1/cancel/", cancel),
            .post("/api/v1/cancel/all/", cancelAll),
            .post("/api/v1/delete/", delete),
            .post("/api/v1/limits/minutes_left/", minutesLeft),
            .post("/api/v1/split/stem_separator/", split(.stemSeparator)),
            .post("/api/v1/split/demuser/", split(.demuser)),
            .post("/api/v1/split/voice_clean/", split(.voiceClean)),
            .post("/api/v1/split/multistem/", split(.multistem)),
            .post("/api/v1/split/batch/stem_separator/", splitBatch(.stemSeparator)),
            .post("/api/v1/split/batch/demuser/", splitBatch(.demuser)),
            .post("/api/v1/split/batch/voice_clean/", splitBatch(.voiceClean)),
            .post("/api/v1/change_voice/", changeVoice),
            .post("/api/v1/voice_packs/list/", voicePacks),
            .get("/api/v1/tasks/:task_id/events", taskEvents),
            .get("/api/v1/tasks/:task_id/archive.zip", taskArchive),
            .head("/api/v1/tasks/:task_id/archive.zip", taskArchive),
            .get("/download/:blob/:name", download),
            .head("/download/:blob/:name", download),
            .get("/inline/:blob/:name", inline),
            .head("/inline/:blob/:name", inline),
            .get("/playlist/:blob/:name", playlist),
            .head("/playlist/:blob/:name", playlist),
            .get("/healthz", health),
            .head("/healthz", health),
            .get("/readyz", ready),
            .head("/readyz", ready),
            .get("/api/v1/openapi.json", documentation.openAPI),
            .head("/api/v1/openapi.json", documentation.openAPI),
            .get("/api/v1/docs/", documentation.docs),
            .head("/api/v1/docs/", documentation.docs),
        ])
    }

    func router(_ routes: Routes) -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(
            middleware: EnvelopeMiddleware(
                origins: CrossOrigin(allowed: configuration.allowedOrigins), routes: routes))
        router.add(
            middleware:
                LicenceMiddleware(
                    tasks: tasks, limiter: RateLimiter(limits: configuration.rateLimits)))
        routes.register(on: router)
        return router
    }

    /// Says that the process answers. Needs no key, and looks at nothing that could be slow.
    func health(_ request: Request, _ context: APIContext) async throws -> Response {
        .json(["status": "ok"])
    }
}
