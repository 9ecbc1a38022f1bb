import Inference

/// Takes music out of a recording of speech: two networks look for the voice, each in its own way, and speech is the
/// mean of what they find. Their errors are largely independent, so the mean has less of them than either.
///
/// The stem is the music: the source without the speech, with all that lies above what the networks know.
final class SpeechStream: StemStream {
    private let voices: any StemStream

    /// - Parameter voices: Its stems are opinions of one voice.
    init(_ voices: any StemStream) { self.voices = voices }

    var seconds: StageSeconds { voices.seconds }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] {
        try voices.push(block).map(music)
    }

    func finish() throws -> [SeparatedBlock] { try voices.finish().map(music) }

    private func music(_ block: SeparatedBlock) -> SeparatedBlock {
        SeparatedBlock(
            source: block.source, stems: [block.source.without(block.meanStem).onGrid])
    }
}

extension SeparatedBlock {
    /// The mean of the stems, `[channel][sample]`: the best guess where each is an opinion of the same.
    public var meanStem: [[Float]] {
        let share = 1 / Float(stems.count)
        return source.indices.map { channel in
            source[channel].indices.map { index in
                stems.reduce(0) { $0 + $1[channel][index] } * share
            }
        }
    }
}
