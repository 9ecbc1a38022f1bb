import DSP

/// Takes the reverberation out of the voices that another stream finds. What is removed goes to nobody, so it is in
/// what is left of the source.
final class DryStream: StemStream {
    /// Stems of the API that are voices.
    static let voices: Set = ["vocals", "lead", "backing", "voice"]

    private let stream: any StemStream
    /// By stem; `nil`: not a voice.
    private let dryers: [Dryer?]
    private let isComplement: Bool
    /// Blocks whose voices are not all dry yet, without those voices.
    private var waiting: [SeparatedBlock] = []

    private struct Dryer {
        let stream: any StemStream
        /// By channel, what is dry and not given back yet.
        let voice: [FrameQueue]
    }

    /// - Parameters:
    ///   - dryers: For each stem of the stream what gives the dry voice of it, as its only stem; `nil` keeps the stem.
    ///   - isComplement: The voice is what a stem leaves of the source.
    init(
        _ stream: any StemStream, _ dryers: [(any StemStream)?], isComplement: Bool, channels: Int
    ) {
        self.stream = stream
        self.dryers = dryers.map {
            $0.map { Dryer(stream: $0, voice: FrameQueue.samples(channels)) }
        }
        self.isComplement = isComplement
    }

    var seconds: StageSeconds { dryers.compactMap { $0?.stream.seconds }.reduce(stream.seconds, +) }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] {
        for part in try stream.push(block) { try take(part) }
        return finished()
    }

    func finish() throws -> [SeparatedBlock] {
        while true {
            var isBusy = false
            if let parts = try stream.rest() {
                isBusy = true
                for part in parts { try take(part) }
            } else {
                for dryer in dryers.compactMap(\.self) {
                    guard let parts = try dryer.stream.rest() else { continue }
                    isBusy = true
                    for part in parts { dryer.voice.append(part.stems[0]) }
                }
            }
            let blocks = finished()
            if !blocks.isEmpty || !isBusy { return blocks }
        }
    }

    private func take(_ part: SeparatedBlock) throws {
        var stems = part.stems
        for (index, dryer) in dryers.enumerated() {
            guard let dryer else { continue }
            let voice = isComplement ? part.source.without(stems[index]) : stems[index]
            for part in try dryer.stream.push(voice) { dryer.voice.append(part.stems[0]) }
            stems[index] = []
        }
        waiting.append(SeparatedBlock(source: part.source, stems: stems))
    }

    /// The blocks whose voices are dry.
    private func finished() -> [SeparatedBlock] {
        let available = dryers.compactMap { $0.map { $0.voice[0].end - $0.voice[0].start } }
        var left = available.min() ?? .max
        var blocks: [SeparatedBlock] = []
        while let block = waiting.first, block.source[0].count <= left {
            left -= block.source[0].count
            blocks.append(withVoices(waiting.removeFirst()))
        }
        return blocks
    }

    private func withVoices(_ block: SeparatedBlock) -> SeparatedBlock {
        SeparatedBlock(
            source: block.source,
            stems: zip(dryers, block.stems).map { dryer, stem in
                guard let dryer else { return stem }
                let end = dryer.voice[0].start + block.source[0].count
                let dry = dryer.voice.take(until: end)
                return isComplement ? block.source.without(dry).onGrid : dry
            })
    }
}
