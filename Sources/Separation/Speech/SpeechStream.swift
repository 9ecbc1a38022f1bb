import DSP

/// Takes music out of a recording of speech: two streams look for the voice, each in its own way, and speech is the
/// mean of what they find. Their errors are largely independent, so the mean has less of them than either.
///
/// The stem is the music: the source without the speech, with all that lies above what the networks know.
final class SpeechStream: StemStream {
    private let streams: [any StemStream]
    private let channels: Int
    private let source: [FrameQueue]
    /// `[stream][channel]`: the voices found.
    private let voices: [[FrameQueue]]

    /// - Parameter streams: Give one stem each, the voice.
    init(_ streams: [any StemStream], channels: Int) {
        self.streams = streams
        self.channels = channels
        let queues = { (0..<channels).map { _ in FrameQueue(length: 1) } }
        source = queues()
        voices = streams.map { _ in queues() }
    }

    var inferenceSeconds: Double { streams.reduce(0) { $0 + $1.inferenceSeconds } }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] {
        append(block, to: source)
        for (stream, queues) in zip(streams, voices) {
            for part in try stream.push(block) { append(part.stems[0], to: queues) }
        }
        return take()
    }

    func finish() throws -> [SeparatedBlock] {
        for (stream, queues) in zip(streams, voices) {
            for part in try stream.finish() { append(part.stems[0], to: queues) }
        }
        return take()
    }

    private func append(_ samples: [[Float]], to queues: [FrameQueue]) {
        for (queue, samples) in zip(queues, samples) where !samples.isEmpty {
            samples.withUnsafeBufferPointer {
                queue.append($0.count).update(from: $0.baseAddress!, count: $0.count)
            }
        }
    }

    private func take() -> [SeparatedBlock] {
        let start = source[0].start
        let end = voices.map { $0[0].end }.min()!
        guard end > start else { return [] }
        var original: [[Float]] = []
        var music: [[Float]] = []
        for channel in 0..<channels {
            let samples = Array(
                UnsafeBufferPointer(start: source[channel][start], count: end - start))
            let found = voices.map { $0[channel][start] }
            let share = 1 / Float(voices.count)
            original.append(samples)
            music.append(
                samples.indices.map { index in
                    let speech = found.reduce(0) { $0 + $1[index] } * share
                    return ((samples[index] - speech) * 0x1p23).rounded(.toNearestOrEven) * 0x1p-23
                })
        }
        for queue in source + voices.joined() { queue.drop(before: end) }
        return [SeparatedBlock(source: original, stems: [music])]
    }
}
