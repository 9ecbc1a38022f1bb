import AsyncAlgorithms
import Foundation
import Subprocess
import Synchronization

/// Writes samples into a file, by a confined ffmpeg.
///
/// `write` returns at once while the encoder is at most a few blocks behind, so that encoding overlaps with
/// what makes the samples. Lossless formats get integers of 24 bits, rounded here.
public final class Encoder: Sendable {
    private let blocks = AsyncChannel<[UInt8]>()
    private let hasEnded = Ended()
    private let child: Task<Void, any Error>
    private let format: TrackFormat

    /// - Parameters:
    ///   - file: Is overwritten. The caller removes it where ``finish()`` was not reached.
    ///   - channelLayout: ffmpeg's name of what the channels are; `nil`: its default for their number.
    ///   - carryover: What goes into the file beside the sound.
    public init(
        _ tools: MediaTools, file: String, format: TrackFormat, sampleRate: Int, channels: Int,
        channelLayout: String? = nil, carryover: Carryover = Carryover()
    ) {
        self.format = format
        let arguments =
            ["-hide_banner", "-v", "quiet"] + carryover.soundArguments(format) + [
                "-protocol_whitelist", "file,pipe", "-f",
                format.codec.isLossless ? "s32le" : "f32le", "-ar", "\(sampleRate)",
                "-ac", "\(channels)",
            ] + (channelLayout.map { ["-channel_layout", $0] } ?? []) + ["-i", "pipe:0"]
            + carryover.inputArguments(format)
            + carryover.outputArguments(format, sampleRate: sampleRate)
            + ["-fflags", "+bitexact", "-flags:a", "+bitexact"]
            + format.codec.arguments(sampleRate: sampleRate, channels: channels)
            + format.muxerArguments(sampleRate: sampleRate) + ["-y", MediaTools.address(file)]
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
                guard result.terminationStatus.isSuccess else {
                    throw MediaError.encodingFailed(format: format.container.rawValue)
                }
            }
        }
    }

    /// Adds samples.
    /// - Parameter block: `[channel][sample]`, full scale ±1. Values beyond it are cut in lossless formats.
    /// - Throws: ``MediaError/encodingFailed(format:)`` where the encoder has ended.
    public func write(_ block: [[Float]]) async throws {
        guard let first = block.first, !first.isEmpty else { return }
        let bytes =
            format.codec.isLossless ? Encoder.integers(block) : Encoder.interleave(block) { $0 }
        await blocks.send(bytes)
        if hasEnded.flag.withLock({ $0 }) {
            throw MediaError.encodingFailed(format: format.container.rawValue)
        }
    }

    private final class Ended: Sendable { let flag = Mutex(false) }

    /// Waits until the file is complete.
    /// - Throws: ``MediaError/encodingFailed(format:)``.
    public func finish() async throws {
        blocks.finish()
        do {
            try await withTaskCancellationHandler {
                try await child.value
            } onCancel: {
                child.cancel()
            }
        } catch let error as MediaError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw MediaError.encodingFailed(format: format.container.rawValue)
        }
    }

    /// Kills the encoder and waits until it is gone.
    public func cancel() async {
        child.cancel()
        blocks.finish()
        _ = await child.result
    }

    /// Integers of 24 bits in the upper bits of 32, rounded to the nearest, to the even one of two.
    private static func integers(_ block: [[Float]]) -> [UInt8] {
        interleave(block) { value in
            let scaled = min(max(value * 0x1p23, -0x1p23), 0x1p23 - 1)
            // The lowest bits of a float from 2²³ to 2²⁴ are the integer: no call, no branch, so that the loop is one
            // of vector instructions.
            let magnitude = Int32(
                bitPattern: (abs(scaled) + 0x1p23).bitPattern &- (0x1p23 as Float).bitPattern)
            let sign = Int32(bitPattern: scaled.bitPattern) >> 31
            return ((magnitude ^ sign) &- sign) &<< 8
        }
    }

    @inline(__always)
    private static func interleave<Value: BitwiseCopyable>(
        _ block: [[Float]], _ convert: (Float) -> Value
    ) -> [UInt8] {
        let channels = block.count
        let count = block[0].count
        return [UInt8](unsafeUninitializedCapacity: channels * count * 4) { bytes, initialized in
            let values = UnsafeMutableRawPointer(bytes.baseAddress!).bindMemory(
                to: Value.self, capacity: channels * count)
            for (channel, samples) in block.enumerated() {
                samples.withUnsafeBufferPointer { samples in
                    let from = samples.baseAddress!
                    for index in 0..<count {
                        values[index &* channels &+ channel] = convert(from[index])
                    }
                }
            }
            initialized = channels * count * 4
        }
    }
}
