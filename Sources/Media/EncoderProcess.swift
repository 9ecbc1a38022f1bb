import AsyncAlgorithms
import Foundation
import Subprocess
import Synchronization

/// A confined ffmpeg that gets samples, and writes them into a file as whatever it is told to.
///
/// `write` returns at once while it is at most a few blocks behind.
final class EncoderProcess: Sendable {
    private let blocks = AsyncChannel<[UInt8]>()
    private let hasEnded = Ended()
    private let child: Task<Void, any Error>

    /// - Parameter arguments: What ffmpeg is told; it reads samples from `pipe:0`.
    init(_ tools: MediaTools, _ arguments: [String]) {
        let configuration = tools.configuration(tools.ffmpeg, arguments)
        let (blocks, hasEnded) = (blocks, hasEnded)
        child = Task {
            // Whoever waits to write goes on when the child has ended, and is told so.
            defer {
                hasEnded.flag.withLock { $0 = true }
                blocks.finish()
            }
            try await tools.within(seconds: tools.limits.runTime) {
                let result = try await run(
                    configuration, input: .inputWriter, output: .discarded, error: .discarded
                ) { execution in
                    do {
                        for await block in blocks.buffer(policy: .bounded(2)) {
                            _ = try await execution.standardInputWriter.write(block)
                        }
                        try await execution.standardInputWriter.finish()
                    } catch {
                        // Known before the process is gone and the channel lets everything pass.
                        hasEnded.flag.withLock { $0 = true }
                        throw error
                    }
                }
                guard result.terminationStatus.isSuccess else { throw Failed() }
            }
        }
    }

    private final class Ended: Sendable { let flag = Mutex(false) }
    /// It has ended, and should not have.
    struct Failed: Error {}

    /// - Throws: ``Failed`` where it has ended.
    func write(_ bytes: [UInt8]) async throws {
        await blocks.send(bytes)
        if hasEnded.flag.withLock({ $0 }) { throw Failed() }
    }

    /// Waits until the file is complete.
    func finish() async throws {
        blocks.finish()
        try await withTaskCancellationHandler {
            try await child.value
        } onCancel: {
            child.cancel()
        }
    }

    /// Kills it and waits until it is gone.
    func cancel() async {
        child.cancel()
        blocks.finish()
        _ = await child.result
    }
}
