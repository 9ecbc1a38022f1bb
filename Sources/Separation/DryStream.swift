import DSP

/// Takes the reverberation out of the voices that another stream finds. What is removed goes to nobody, so it is in
/// what is left of the source.
final class DryStream: StemStream {
    /// Stems of the API that are voices.
    static let voices: Set = ["vocals", "lead", "backing", "voice"]

    private let stream: any StemStream
    /// By stem; `nil`: not a voice.
    private let dryers: [(any StemStream)?]
    private let isComplement: Bool
    private let source: [FrameQueue]
    /// `[stem][channel]`
    private let stems: [[FrameQueue]]

    /// - Parameters:
    ///   - dryers: For each stem of the stream what gives the dry voice of it, as its only stem; `nil` keeps the stem.
    ///   - isComplement: The voice is what a stem leaves of the source.
    init(
        _ stream: any StemStream, _ dryers: [(any StemStream)?], isComplement: Bool, channels: Int
    ) {
        self.stream = stream
        self.dryers = dryers
        self.isComplement = isComplement
        source = FrameQueue.samples(channels)
        stems = dryers.map { _ in FrameQueue.samples(channels) }
    }

    var seconds: StageSeconds { dryers.compactMap { $0?.seconds }.reduce(stream.seconds, +) }

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
                for (dryer, queues) in zip(dryers, stems) {
                    guard let parts = try dryer?.rest() else { continue }
                    isBusy = true
                    for part in parts { queues.append(part.stems[0]) }
                }
            }
            let blocks = finished()
            if !blocks.isEmpty || !isBusy { return blocks }
        }
    }

    private func take(_ part: SeparatedBlock) throws {
        source.append(part.source)
        for (index, stem) in part.stems.enumerated() {
            if let dryer = dryers[index] {
                let voice = isComplement ? part.source.without(stem) : stem
                for part in try dryer.push(voice) { stems[index].append(part.stems[0]) }
            } else {
                stems[index].append(stem)
            }
        }
    }

    private func finished() -> [SeparatedBlock] {
        let end = stems.map { $0[0].end }.min()!
        return SeparatedBlock.ends(from: source[0].start, to: end).map { end in
            let original = source.take(until: end)
            return SeparatedBlock(
                source: original,
                stems: stems.map { queues in
                    let dry = queues.take(until: end)
                    return isComplement ? original.without(dry).onGrid : dry
                })
        }
    }
}
