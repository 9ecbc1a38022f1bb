import Media
import Separation
import Synchronization

/// The encoders of a job's tracks: for each stem one of the stem and one of the rest.
struct TrackSet: Sendable {
    private let writers: [Writer]

    /// - Parameters:
    ///   - outputs: Stem and back by turns, in the order of the request.
    ///   - frames: Samples of one channel that will be written.
    init(_ tools: MediaTools, _ outputs: [SplitJob.Output], _ info: AudioInfo, frames: Int) {
        writers = outputs.map { Writer(tools, $0, info, frames: frames) }
    }

    /// Of each track, in the order of the outputs, what was written of it.
    var waveforms: [Waveform] { writers.map(\.waveform) }

    /// Adds a block to every track. The back track is the source minus the stem.
    func write(_ block: SeparatedBlock) async throws {
        for (index, stem) in block.stems.enumerated() {
            try await writers[2 * index].write(stem)
            try await writers[2 * index + 1].write(TrackSet.rest(block.source, stem))
        }
    }

    /// A block times a factor, rounded to 24 bits before the stem is taken from the source, so that the two
    /// still add up.
    static func scaled(_ block: SeparatedBlock, by gain: Float) -> SeparatedBlock {
        func scaled(_ channels: [[Float]]) -> [[Float]] {
            channels.map { $0.map { ($0 * gain * 0x1p23).rounded(.toNearestOrEven) * 0x1p-23 } }
        }
        return SeparatedBlock(source: scaled(block.source), stems: block.stems.map(scaled))
    }

    func finish() async throws { for writer in writers { try await writer.encoder.finish() } }

    func cancel() async { for writer in writers { await writer.encoder.cancel() } }

    /// The largest magnitude in any track of a block.
    static func peak(_ block: SeparatedBlock) -> Float {
        var peak: Float = 0
        for stem in block.stems {
            for (source, stem) in zip(block.source, stem) {
                for index in source.indices {
                    peak = max(peak, max(abs(stem[index]), abs(source[index] - stem[index])))
                }
            }
        }
        return peak
    }

    private static func rest(_ source: [[Float]], _ stem: [[Float]]) -> [[Float]] {
        zip(source, stem).map { source, stem in
            [Float](unsafeUninitializedCapacity: source.count) { rest, count in
                for index in source.indices { rest[index] = source[index] - stem[index] }
                count = source.count
            }
        }
    }
}

/// An encoder, and the peaks of what it was given.
private final class Writer: Sendable {
    let encoder: Encoder
    private let peaks: Mutex<Waveform>

    init(_ tools: MediaTools, _ output: SplitJob.Output, _ info: AudioInfo, frames: Int) {
        encoder = Encoder(
            tools, file: output.path, format: output.format, sampleRate: info.sampleRate,
            channels: info.channels, channelLayout: info.channelLayout)
        peaks = Mutex(
            Waveform(channels: info.channels, sampleRate: info.sampleRate, frames: frames))
    }

    var waveform: Waveform { peaks.withLock { $0 } }

    func write(_ block: [[Float]]) async throws {
        peaks.withLock { $0.add(block) }
        try await encoder.write(block)
    }
}
