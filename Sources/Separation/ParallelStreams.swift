import DSP
import Inference

/// Several streams over one recording: the stems of all, in the order of the streams.
final class ParallelStreams: StemStream {
    private let streams: [any StemStream]
    private let source: [FrameQueue]
    /// `[stream][stem][channel]`
    private let stems: [[[FrameQueue]]]

    /// - Parameter streams: Each with the number of stems that it gives.
    init(_ streams: [(stream: any StemStream, stems: Int)], channels: Int) {
        self.streams = streams.map(\.stream)
        source = FrameQueue.samples(channels)
        stems = streams.map { (0..<$0.stems).map { _ in FrameQueue.samples(channels) } }
    }

    var seconds: StageSeconds { streams.map(\.seconds).reduce(StageSeconds(), +) }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] {
        source.append(block)
        for (stream, queues) in zip(streams, stems) { append(try stream.push(block), to: queues) }
        return take()
    }

    func finish() throws -> [SeparatedBlock] {
        while true {
            var isBusy = false
            for (stream, queues) in zip(streams, stems) {
                guard let parts = try stream.rest() else { continue }
                isBusy = true
                append(parts, to: queues)
            }
            let blocks = take()
            if !blocks.isEmpty || !isBusy { return blocks }
        }
    }

    private func append(_ parts: [SeparatedBlock], to queues: [[FrameQueue]]) {
        for part in parts {
            for (queue, stem) in zip(queues, part.stems) { queue.append(stem) }
        }
    }

    private func take() -> [SeparatedBlock] {
        let end = stems.joined().map { $0[0].end }.min()!
        return SeparatedBlock.ends(from: source[0].start, to: end).map { end in
            SeparatedBlock(
                source: source.take(until: end),
                stems: stems.joined().map { $0.take(until: end) })
        }
    }
}
