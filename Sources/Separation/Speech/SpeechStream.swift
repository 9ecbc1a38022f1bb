import DSP

/// Takes music out of a recording of speech: two streams look for the voice, each in its own way, and speech is the
/// mean of what they find. Their errors are largely independent, so the mean has less of them than either.
///
/// The stem is the music: the source without the speech, with all that lies above what the networks know.
final class SpeechStream: StemStream {
    private let streams: [any StemStream]
    private let source: [FrameQueue]
    /// `[stream][channel]`: the voices found.
    private let voices: [[FrameQueue]]

    /// - Parameter streams: Give one stem each, the voice.
    init(_ streams: [any StemStream], channels: Int) {
        self.streams = streams
        source = FrameQueue.samples(channels)
        voices = streams.map { _ in FrameQueue.samples(channels) }
    }

    var seconds: StageSeconds { streams.map(\.seconds).reduce(StageSeconds(), +) }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] {
        source.append(block)
        for (stream, queues) in zip(streams, voices) {
            for part in try stream.push(block) { queues.append(part.stems[0]) }
        }
        return take()
    }

    func finish() throws -> [SeparatedBlock] {
        for (stream, queues) in zip(streams, voices) {
            while let parts = try stream.rest() {
                for part in parts { queues.append(part.stems[0]) }
            }
        }
        return take()
    }

    private func take() -> [SeparatedBlock] {
        let end = voices.map { $0[0].end }.min()!
        guard end > source[0].start else { return [] }
        let original = source.take(until: end)
        let found = voices.map { $0.take(until: end) }
        let share = 1 / Float(voices.count)
        let speech = original.indices.map { channel in
            original[channel].indices.map { index in
                found.reduce(0) { $0 + $1[channel][index] } * share
            }
        }
        return [SeparatedBlock(source: original, stems: [original.without(speech).onGrid])]
    }
}
