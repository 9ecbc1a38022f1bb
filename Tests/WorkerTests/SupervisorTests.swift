import Foundation
import Logging
import ServiceLifecycle
import TestSupport
import Testing
import Worker

@Suite final class SupervisorTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func group(_ script: String, count: Int) throws -> ServiceGroup {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: Supervisor(
                            executable: "/bin/sh", arguments: ["-c", script, folder.path],
                            count: count, logger: logger))
                ], logger: logger))
    }

    private func starts() throws -> [Substring] {
        let log = folder.file("starts")
        guard FileManager.default.fileExists(atPath: log.path) else { return [] }
        return try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
    }

    @Test func deadWorkersStartAgainLaterAndLater() async throws {
        let group = try group(#"date +%s%N >> "$0/starts"; kill -9 $$"#, count: 1)
        let running = Task { try await group.run() }
        while try starts().count < 4 { try await Task.sleep(for: .milliseconds(50)) }
        await group.triggerGracefulShutdown()
        try await running.value
        let times = try starts().compactMap(Double.init).map { $0 / 1e9 }
        // Pauses of 0.5, 1 and 2 seconds; a busy machine can only make them longer.
        for (index, pause) in [0.5, 1, 2].enumerated() {
            #expect(times[index + 1] - times[index] >= pause - 0.01)
        }
        #expect(folder.processes.isEmpty)
    }

    @Test func workersEndWithTheService() async throws {
        let group = try group(#"echo $$ >> "$0/starts"; exec sleep 1000"#, count: 3)
        let running = Task { try await group.run() }
        while try starts().count < 3 { try await Task.sleep(for: .milliseconds(50)) }
        let workers = try starts().compactMap { Int32($0) }
        #expect(workers.allSatisfy { kill($0, 0) == 0 })
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(workers.allSatisfy { kill($0, 0) == -1 })
    }

    /// What `ParentWatch` relies on: a worker's standard input stays open, and empty, until the server is gone.
    @Test func workersHaveAnOpenAndEmptyInput() async throws {
        let group = try group(#"read line; echo ended >> "$0/starts"; sleep 1000"#, count: 2)
        let running = Task { try await group.run() }
        while folder.processes.count < 2 { try await Task.sleep(for: .milliseconds(20)) }
        try await Task.sleep(for: .milliseconds(500))
        #expect(try starts().isEmpty)
        await group.triggerGracefulShutdown()
        try await running.value
    }
}
