import Foundation
import Media
import Separation
import Synchronization

/// The encoders of a job's tracks.
struct TrackSet: Sendable {
    private let writers: [Writer]

    /// - Parameter frames: Samples of one channel that will be written.
    init(
        _ tools: MediaTools, _ outputs: [SplitJob.Output], _ info: AudioInfo,
        _ carryover: Carryover, frames: Int
    ) {
        writers = outputs.map { Writer(tools, $0, info, carryover, frames: frames) }
    }

    /// Of each track, in the order of the outputs, what was written of it.
    var waveforms: [Waveform] { writers.map(\.waveform) }

    /// Adds samples, `[track][channel][sample]`, to every track.
    func write(_ tracks: [[[Float]]]) async throws {
        for (writer, samples) in zip(writers, tracks) { try await writer.write(samples) }
    }

    /// A block times a factor, rounded to 24 bits before stems are taken from the source, so that all tracks
    /// still add up.
    static func scaled(_ block: SeparatedBlock, by gain: Float) -> SeparatedBlock {
        func scaled(_ channels: [[Float]]) -> [[Float]] {
            channels.map { $0.map { ($0 * gain * 0x1p23).rounded(.toNearestOrEven) * 0x1p-23 } }
        }
        return SeparatedBlock(source: scaled(block.source), stems: block.stems.map(scaled))
    }

    func finish() async throws { for writer in writers { try await writer.encoder.finish() } }

    func cancel() async { for writer in writers { await writer.encoder.cancel() } }

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

    init(
        _ tools: MediaTools, _ output: SplitJob.Output, _ info: AudioInfo, _ carryover: Carryover,
        frames: Int
    ) {
        encoder = Encoder(
            tools, file: output.path, format: output.format, sampleRate: info.sampleRate,
            channels: info.channels, channelLayout: info.channelLayout,
            carryover: carryover.titled(output.title))
        peaks = Mutex(
            Waveform(channels: info.channels, sampleRate: info.sampleRate, frames: frames))
    }

    var waveform: Waveform { peaks.withLock { $0 } }

    func write(_ block: [[Float]]) async throws {
        peaks.withLock { $0.add(block) }
        try await encoder.write(block)
    }
}

extension SplitJob.Output {
    /// What the title of the track says of it.
    fileprivate var title: String {
        switch label {
        case "vocals@0": "lead vocals"
        case "vocals@1": "backing vocals"
        default: label.replacingOccurrences(of: "_", with: " ")
        }
    }
}
