import Foundation
import Media
import Separation
import Synchronization

/// The encoders of a job's tracks.
struct TrackSet: Sendable {
    let outputs: [JobOutput]
    /// Of each track.
    let channels: Int
    private let writers: [Writer]

    init(_ tools: MediaTools, _ outputs: [JobOutput], _ input: JobInput) {
        self.outputs = outputs
        channels = input.info.channels
        writers = outputs.map { Writer(tools, $0, input) }
    }

    /// Of each track, in the order of the outputs, what was written of it.
    var waveforms: [Waveform] { writers.map(\.waveform) }

    /// Writes the tracks, and ends their encoders however it goes.
    /// - Parameter body: Writes all samples, and says whether the files are worth keeping; else they are removed.
    func fill<Value>(
        _ body: (TrackSet) async throws -> (value: Value, keep: Bool)
    ) async throws -> Value {
        do {
            let (value, keep) = try await body(self)
            if keep {
                for writer in writers { try await writer.encoder.finish() }
            } else {
                await cancel()
                for output in outputs { try? FileManager.default.removeItem(atPath: output.path) }
            }
            return value
        } catch {
            await cancel()
            throw error
        }
    }

    /// Adds samples, `[track][channel][sample]`, to every track.
    func write(_ tracks: [[[Float]]]) async throws {
        for (writer, samples) in zip(writers, tracks) { try await writer.write(samples) }
    }

    private func cancel() async { for writer in writers { await writer.encoder.cancel() } }

    /// What to scale all tracks by, so that none is over full scale.
    /// - Parameter peak: The largest magnitude in any of them.
    static func gain(forPeak peak: Float) -> Float {
        // The largest value of a 24-bit integer is one step below full scale; rounding takes another.
        peak <= 1 ? 1 : (1 - 0x1p-22) / peak
    }

    /// A block times a factor, rounded to 24 bits before stems are taken from the source, so that all tracks
    /// still add up.
    static func scaled(_ block: SeparatedBlock, by gain: Float) -> SeparatedBlock {
        func scaled(_ channels: [[Float]]) -> [[Float]] {
            channels.map { $0.map { ($0 * gain * 0x1p23).rounded(.toNearestOrEven) * 0x1p-23 } }
        }
        return SeparatedBlock(source: scaled(block.source), stems: block.stems.map(scaled))
    }

    /// The sum of all squares.
    static func energy(_ samples: [[Float]]) -> Double {
        samples.joined().reduce(0) { $0 + Double($1 * $1) }
    }

    /// The largest magnitude in any of the tracks.
    static func peak(_ tracks: [[[Float]]]) -> Float {
        tracks.joined().reduce(0) { max($0, Waveform.peak(of: $1)) }
    }
}

/// An encoder, and the peaks of what it was given.
private final class Writer: Sendable {
    let encoder: Encoder
    private let peaks: Mutex<Waveform>

    init(_ tools: MediaTools, _ output: JobOutput, _ input: JobInput) {
        let info = input.info
        encoder = Encoder(
            tools, file: output.path, format: output.format, sampleRate: info.sampleRate,
            channels: info.channels, channelLayout: info.channelLayout,
            carryover: input.carryover.titled(output.title))
        peaks = Mutex(Waveform(channels: info.channels, sampleRate: info.sampleRate))
    }

    var waveform: Waveform { peaks.withLock { $0 } }

    func write(_ block: [[Float]]) async throws {
        peaks.withLock { $0.add(block) }
        try await encoder.write(block)
    }
}
