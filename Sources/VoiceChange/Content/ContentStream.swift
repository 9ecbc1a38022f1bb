import Inference

/// What is said in a frame and around it.
struct Content {
    /// Frames of ``ContentNetwork/hop`` from a frame to those around it that are looked at.
    static let distance = 4
    /// Features of the frame ``distance`` before, of the frame itself, and of the one as long after.
    static let count = 3 * ContentNetwork.features

    /// ``count`` numbers of mean 0 and deviation 1.
    var values: [Float]

    /// Of the frame itself.
    var own: ArraySlice<Float> {
        values[ContentNetwork.features..<2 * ContentNetwork.features]
    }
}

/// What is said in each frame of one voice, in a stream: the network's opinion of blocks that overlap by what a frame depends on.
///
/// A frame depends on those within ``ContentManifest/reach`` and ``Content/distance`` of it alone, so the result does not
/// depend on where blocks begin.
final class ContentStream {
    /// What no normalized coefficient exceeds.
    private static let largest: Float = 6

    private let run: ContentNetwork.Run
    private let blockFrames: Int
    private let reach: Int
    private let mean: [Float]
    private let scale: [Float]
    /// Normalized frames of the block that is being filled; the first one begins with `reach` frames of nothing.
    private var filled: Int
    private var received = 0
    /// Features of frames from `firstKept` on.
    private var kept: [[Float]] = []
    private var firstKept = 0
    private var given = 0

    /// - Parameter statistics: Of the voice that the frames come from.
    init(_ network: ContentNetwork, _ statistics: VoiceStatistics) throws(ModelError) {
        run = try ContentNetwork.Run(network)
        blockFrames = network.manifest.blockFrames
        reach = network.manifest.reach
        var mean = statistics.mean
        mean[0] = statistics.level
        self.mean = mean
        scale = statistics.deviation.map { 1 / $0 }
        filled = reach
        run.cepstra.update(repeating: 0, count: (MelCepstrum.order + 1) * blockFrames)
    }

    /// Takes the next frame in.
    /// - Returns: The contents of the frames that are certain by now, in order.
    func push(cepstrum: [Float], isVoiced: Bool) throws(ModelError) -> [Content] {
        for k in 0..<MelCepstrum.order {
            let value = (cepstrum[k] - mean[k]) * scale[k]
            run.cepstra[k * blockFrames + filled] = max(-Self.largest, min(Self.largest, value))
        }
        run.cepstra[MelCepstrum.order * blockFrames + filled] = isVoiced ? 1 : 0
        filled += 1
        received += 1
        if filled == blockFrames { try advance() }
        return take(until: firstKept + kept.count - Content.distance)
    }

    /// - Returns: The contents of the frames that are left.
    func finish() throws(ModelError) -> [Content] {
        while firstKept + kept.count < received {
            for row in 0...MelCepstrum.order {
                (run.cepstra + row * blockFrames + filled).update(
                    repeating: 0, count: blockFrames - filled)
            }
            try advance()
        }
        return take(until: received)
    }

    /// Runs the network on a full block, whose middle it takes; its end begins the next one.
    private func advance() throws(ModelError) {
        try run.advance()
        let told = min(blockFrames - 2 * reach, received - firstKept - kept.count)
        for frame in reach..<reach + told {
            kept.append(
                (0..<ContentNetwork.features).map { run.features[$0 * blockFrames + frame] })
        }
        for row in 0...MelCepstrum.order {
            let start = run.cepstra + row * blockFrames
            start.update(from: start + blockFrames - 2 * reach, count: 2 * reach)
        }
        filled = 2 * reach
    }

    /// Beyond the first and the last frame these go on.
    private func take(until end: Int) -> [Content] {
        guard end > given else { return [] }
        let last = firstKept + kept.count - 1
        let contents = (given..<end).map { frame in
            let around = [frame - Content.distance, frame, frame + Content.distance]
            return Content(
                values: around.flatMap { kept[min(max($0, 0), last) - firstKept] })
        }
        given = end
        let done = max(0, given - Content.distance - firstKept)
        kept.removeFirst(done)
        firstKept += done
        return contents
    }
}
