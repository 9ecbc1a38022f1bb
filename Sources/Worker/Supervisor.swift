import Foundation
import Logging
import ServiceLifecycle
import Subprocess
import SystemPackage

/// Keeps worker processes running: starts them, starts them again when they die, and ends them with the
/// server.
///
/// Each worker's standard input is a pipe that nobody writes to. Its end tells the worker that the server is
/// gone, however the server ended.
public struct Supervisor: Service {
    private let executable: String
    private let arguments: [String]
    private let count: Int
    private let logger: Logger

    /// - Parameters:
    ///   - executable: The program; the server's own.
    ///   - arguments: Its arguments.
    ///   - count: How many processes run.
    public init(executable: String, arguments: [String], count: Int, logger: Logger) {
        self.executable = executable
        self.arguments = arguments
        self.count = count
        self.logger = logger
    }

    /// Runs until the service group shuts down; the workers have ended then.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<count { group.addTask { await keepRunning(index + 1) } }
                // Without workers there is nothing to do but to wait.
                group.addTask { try? await Task.sleep(for: .seconds(.max / 4)) }
            }
        }
    }

    private func keepRunning(_ index: Int) async {
        var delay = Duration.milliseconds(500)
        while !Task.isCancelled {
            let started = ContinuousClock.now
            let reason = await runOnce(index)
            if Task.isCancelled { return }
            // A worker that was well for a minute starts again at once.
            if ContinuousClock.now - started > .seconds(60) { delay = .milliseconds(500) }
            logger.error("Worker \(index) ended (\(reason)); it starts again in \(delay)")
            try? await Task.sleep(for: delay)
            delay = min(delay * 2, .seconds(30))
        }
    }

    /// - Returns: How the process ended.
    private func runOnce(_ index: Int) async -> String {
        do {
            let (read, write) = try FileDescriptor.pipe()
            // The write end is closed with this function; no child gets it.
            defer { try? write.close() }
            _ = fcntl(write.rawValue, F_SETFD, FD_CLOEXEC)
            var options = PlatformOptions()
            options.createSession = true
            options.teardownSequence = [
                .send(signal: .terminate, allowedDurationToNextStep: .seconds(10))
            ]
            let result = try await Subprocess.run(
                Configuration(
                    executable: .path(FilePath(executable)), arguments: Arguments(arguments),
                    platformOptions: options),
                input: .fileDescriptor(read, closeAfterSpawningProcess: true),
                output: .fileDescriptor(.standardError, closeAfterSpawningProcess: false),
                error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false))
            return "\(result.terminationStatus)"
        } catch {
            return "\(error)"
        }
    }
}
