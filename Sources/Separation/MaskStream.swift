import DSP
import Foundation
import Inference

/// One network's opinion, frame by frame: runs it on blocks that follow each other, handing on what it remembers.
///
/// Frame `t` of the result does not depend on how the frames came in.
final class MaskStream {
    let manifest: PackManifest
    /// Index after the last frame whose masks are there.
    private(set) var finished = 0
    /// Seconds inside the network, and seconds that its results were waited for.
    private(set) var inferenceSeconds = 0.0
    private(set) var waitingSeconds = 0.0

    private let request: InferenceRequest
    /// Holds this while it runs.
    private unowned let order: RunOrder
    private let channels: Int
    private let outputShape: [Int]
    private let maskChannels: Int
    /// The RMS that the network expects, where it matters.
    private let level: Float?
    /// Used in turn: one is filled while the network reads the other.
    private let inputs: [Tensor]
    /// What the network remembers, in turn what one block leaves to the next and what comes of that.
    private let states: [Tensor]
    /// Blocks that were started, then those whose masks are there and still wanted.
    private var running: [Block] = []
    private var done: [Block] = []
    private var unused: [Tensor] = []
    /// The next block to start.
    private var block = 0
    /// Index after the last frame whose masks those of the blocks that were started are.
    private(set) var covered = 0

    private struct Block {
        let masks: Tensor
        /// The frames that its first and last row of masks are for; those before 0 and after the end are for nothing.
        let first: Int
        let last: Int
        /// Index after the last frame whose masks are there with it.
        let covered: Int
    }

    init(_ network: CompiledNetwork, channels: Int, _ order: RunOrder) throws(ModelError) {
        self.order = order
        manifest = network.manifest
        request = try InferenceRequest(network.model)
        inputs = (0..<2).map { _ in Tensor(shape: network.inputShape) }
        states = try network.makeStates()
        outputShape = network.outputShape
        maskChannels = outputShape[2]
        self.channels = channels
        level = manifest.inputLevelDbfs.map { Float(pow(10, $0 / 20)) }
    }

    /// The first frame of the input that a coming block needs.
    var needed: Int { block * manifest.blockHops }

    /// Starts the next block if the input has frames for it.
    /// - Parameters:
    ///   - frames: Magnitude planes `[planes][bins]` by name, frame by frame.
    ///   - isLast: No frames follow: there is silence after the last.
    /// - Returns: Whether there was one.
    func advance(_ frames: MagnitudeQueue, isLast: Bool) throws(ModelError) -> Bool {
        let start = needed
        let available = frames.leveled(isLast: isLast) - start
        guard available >= manifest.blockHops || (isLast && covered < frames.end) else {
            return false
        }
        // The network may still read the input of the block before, but no longer that of the one before it.
        while running.count > 1, try order.collect() {}
        let input = inputs[block % 2]
        fill(input.buffer, from: frames, start: start, end: start + max(available, 0))
        let masks = unused.popLast() ?? Tensor(shape: outputShape)
        request.start([
            "magnitude": input, "mask": masks, "state": states[block % 2],
            "next": states[(block + 1) % 2],
        ])
        let first = start - manifest.delayFrames * manifest.frameStride
        let last = first + manifest.blockHops - manifest.frameStride
        covered = min(max(last + 1, 0), frames.end)
        running.append(Block(masks: masks, first: first, last: last, covered: covered))
        block += 1
        try order.started(self)
        return true
    }

    /// Takes the result of the oldest block that was started, waiting for it.
    func collect() throws(ModelError) {
        let begin = ContinuousClock.now
        inferenceSeconds += try request.wait()
        waitingSeconds += (ContinuousClock.now - begin).seconds
        done.append(running.removeFirst())
        finished = done.last!.covered
    }

    /// The mask of a finished frame for one channel, continued above the highest bin that the network sees.
    /// - Parameter row: Has as many bins as are wanted.
    func mask(frame: Int, stem: Int, channel: Int, into row: AlignedBuffer) {
        let seen = manifest.stft.bins
        let mask = row.pointer
        let planes =
            maskChannels == 1
            ? [stem] : channels == 2 ? [2 * stem + channel] : [2 * stem, 2 * stem + 1]
        // Between two frames that the network looks at, masks are the mean of theirs.
        let isSeen = frame % manifest.frameStride == 0
        let parts = (isSeen ? [frame] : [frame - 1, frame + 1]).flatMap { frame in
            planes.map { masks(frame: frame, plane: $0) }
        }
        mask.update(from: parts[0], count: seen)
        if parts.count > 1 {
            for part in parts.dropFirst() { for bin in 0..<seen { mask[bin] += part[bin] } }
            let share = 1 / Float(parts.count)
            for bin in 0..<seen { mask[bin] *= share }
        }
        var mean: Float = 0
        for bin in manifest.aboveBins.from..<manifest.aboveBins.to { mean += mask[bin] }
        mean /= Float(manifest.aboveBins.to - manifest.aboveBins.from)
        for bin in seen..<row.count { mask[bin] = mean }
    }

    /// Masks of frames before are not wanted any more.
    func drop(before frame: Int) {
        // The frames after its last one may need it as well.
        while let first = done.first, first.last + manifest.frameStride <= frame {
            unused.append(done.removeFirst().masks)
        }
    }

    /// One plane of the masks of a frame that the network looks at.
    private func masks(frame: Int, plane: Int) -> UnsafePointer<Float> {
        let block = done.first { $0.last >= frame }!
        let place = plane * manifest.blockFrames + (frame - block.first) / manifest.frameStride
        return UnsafePointer(block.masks.buffer.pointer + place * manifest.stft.bins)
    }

    /// Fills a block with the leveled magnitudes of frames from `start` to `end`, and silence where those end.
    private func fill(
        _ input: AlignedBuffer, from frames: MagnitudeQueue, start: Int, end: Int
    ) {
        let (rows, bins) = (manifest.blockFrames, manifest.stft.bins)
        if end < start + manifest.blockHops { input.clear() }
        for row in 0..<rows {
            let frame = start + row * manifest.frameStride
            if frame >= end { break }
            let gain = level.map { $0 / frames.level(frame: frame).squareRoot() } ?? 1
            for (index, plane) in manifest.planes.enumerated() {
                let place = input.pointer + (index * rows + row) * bins
                let magnitudes = frames.magnitudes(frame: frame, plane: plane)
                for bin in 0..<bins { place[bin] = magnitudes[bin] * gain }
            }
        }
    }
}
