import FileBlobs
import Foundation
import HTTPAPI
import Logging
import Media
import SQLiteStore
import ServiceLifecycle
import Synchronization
import Tasks
import Testing
import Worker

/// A clock that a test can set forward.
final class TestClock: Sendable {
    private let offset = Mutex(0.0)

    func advance(by seconds: Double) { offset.withLock { $0 += seconds } }
    var now: Date { offset.withLock { Date() + $0 } }
}

/// Only vocals, by one pack; so that other stems show what happens without a model.
struct OnePack: ModelCatalog {
    func splitter(for stem: Stem, requested: Splitter) -> Splitter? {
        stem == .vocals ? .perseus : nil
    }
}

/// A server as an operator runs it: a database file, a folder of blobs, a port.
struct TestServer: Sendable {
    let root: String
    let store: SQLiteStore
    let blobs: FileBlobs
    let client: WireClient
    let clock: TestClock
    let licence: Licence
    let key: String
    let service: TaskService
    /// The method and path of every route.
    let operations: [String]
    /// Tells the server to stop when it has finished what it is doing.
    let stop: @Sendable () async -> Void

    /// Runs a server for the length of a test.
    ///
    /// - Parameters:
    ///   - readiness: What else the server needs.
    ///   - whenStopped: What is to be seen after every request has been finished.
    static func run(
        readiness: [ReadinessCheck] = [],
        _ configure: (inout APIConfiguration) -> Void = { _ in },
        _ test: @Sendable (TestServer) async throws -> Void,
        whenStopped: (TestServer) async throws -> Void = { _ in }
    ) async throws {
        var configuration = APIConfiguration(port: 0)
        configure(&configuration)
        let root = NSTemporaryDirectory() + "partita-http-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let store = try SQLiteStore(path: root + "/partita.sqlite")
        let blobs = try FileBlobs(root: root)
        let clock = TestClock()
        let service = TaskService(
            store: store, blobs: blobs, probe: FFmpegProbe(try MediaTools()), catalog: OnePack(),
            voices: InstalledVoices(directories: [root + "/voice-packs"]), clock: { clock.now })
        let (licence, key) = try await service.createLicence(name: "test")
        let (ports, running) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = APIServer(
            tasks: service, blobs: blobs, linkSecret: [UInt8](repeating: 7, count: 32),
            configuration: configuration, readiness: readiness, logger: logger,
            onRunning: { running.yield($0) })
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { running.finish() }
                try await group.run()
            }
            let port = await ports.first { _ in true }
            let testServer = TestServer(
                root: root, store: store, blobs: blobs,
                client: WireClient(port: try #require(port)), clock: clock, licence: licence,
                key: key.rawValue, service: service, operations: server.operations,
                stop: { await group.triggerGracefulShutdown() })
            try await test(testServer)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try await whenStopped(testServer)
        }
    }

    // MARK: Requests

    /// A JSON request with the licence's key.
    func post(
        _ path: String, _ body: String, _ headers: [(String, String)] = [], key: String? = nil
    ) async throws -> Reply {
        try await client.send(
            "POST", path,
            [("X-License-Key", key ?? self.key), ("Content-Type", "application/json")] + headers,
            body: Array(body.utf8))
    }

    /// The key of a new licence.
    func key(
        minutes milliseconds: Int64 = 0, _ terms: (inout LicenceTerms) -> Void = { _ in }
    ) async throws -> String {
        var wanted = LicenceTerms()
        terms(&wanted)
        let (licence, key) = try await service.createLicence(name: "other", terms: wanted)
        if milliseconds > 0 {
            try await store.grant(milliseconds, licence: licence.id, now: clock.now)
        }
        return key.rawValue
    }

    func upload(
        _ bytes: [UInt8], disposition: String? = "attachment; filename=song.flac",
        _ headers: [(String, String)] = [], halfClose: Bool = false, key: String? = nil
    ) async throws -> Reply {
        let request = uploadRequest(bytes, disposition: disposition, headers, key: key)
        return try await client.exchange(request, halfClose: halfClose)
    }

    /// The bytes of an upload.
    func uploadRequest(
        _ bytes: [UInt8], disposition: String? = "attachment; filename=song.flac",
        _ headers: [(String, String)] = [], key: String? = nil
    ) -> [UInt8] {
        let named = disposition.map { [("Content-Disposition", $0)] } ?? []
        return client.request(
            "POST", "/api/v1/upload/", [("X-License-Key", key ?? self.key)] + named + headers,
            body: bytes)
    }

    /// The id of a new source.
    func uploadedSource(key: String? = nil) async throws -> String {
        let reply = try await upload(Recordings.short(), key: key)
        return try #require(try reply.json["id"]?.stringValue)
    }

    /// The id of a new task.
    func splitTask(_ presets: String = #"{"stem":"vocals"}"#) async throws -> String {
        let source = try await uploadedSource()
        let reply = try await post(
            "/api/v1/split/stem_separator/",
            #"{"source_id":"\#(source)","presets":\#(presets)}"#)
        return try #require(try reply.json["task_id"]?.stringValue, "\(reply.text)")
    }

    /// The entry of one task in `check`.
    func check(_ task: String) async throws -> JSON {
        let reply = try await post("/api/v1/check/", #"{"task_ids":["\#(task)"]}"#)
        return try #require(try reply.json["result"]?[task], "\(reply.text)")
    }

    /// Does a worker's part: leases the oldest task and publishes bytes as its two tracks.
    func finishTask(stem: [UInt8], name: String = "song_vocals.wav") async throws {
        let lease = try #require(
            try await store.lease(
                worker: "test", duration: 60, maximumAttempts: 3, now: clock.now))
        var tracks: [Track] = []
        for (kind, label) in [(Track.Kind.stem, "vocals"), (.back, "no_vocals")] {
            let writer = try await blobs.makeWriter()
            try await writer.write(stem)
            tracks.append(
                Track(
                    kind: kind, label: label, name: name, blob: try await writer.commit(),
                    size: Int64(stem.count), contentType: "audio/x-wav"))
        }
        try await store.complete(
            lease, result: TaskResult(tracks: tracks, duration: 1.6, gain: 1), now: clock.now)
    }

    /// Puts the manifest of a voice pack where packs are; the server reads no more of it.
    func install(voice id: String, _ name: String, license: String?) throws {
        let folder = "\(root)/voice-packs/\(id)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let numbers = Array(repeating: 1, count: 40)
        var manifest: [String: Any] = [
            "format": 3, "kind": "codebook", "id": id, "name": name, "description": "",
            "created": 1_700_000_000, "sources": [String](),
            "content": String(repeating: "0", count: 64), "entries": 1,
            "sha256": String(repeating: "0", count: 64), "spectrum": ["levels": [0]],
            "statistics": [
                "voiced_seconds": 60, "median_hz": 220, "pitch_spread_semitones": 3,
                "level": 0, "mean": numbers, "deviation": numbers, "tract_ratio": 1,
                "aperiodicity": Array(repeating: -10, count: 5),
            ],
        ]
        manifest["license"] = license
        try JSONSerialization.data(withJSONObject: manifest).write(
            to: URL(fileURLWithPath: folder + "/voice.json"))
    }

    /// Files in the store, besides the database.
    func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root).filter { name in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isFolder)
            return !isFolder.boolValue && !name.hasPrefix("partita.sqlite")
        }
    }
}
