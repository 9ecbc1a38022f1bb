import DSP
import Foundation
import Inference

/// One network's opinion, frame by frame: runs it on overlapping segments and cross-fades their masks.
///
/// Frame `t` of the result does not depend on how the frames came in.
final class MaskStream {
    let manifest: PackManifest
    /// Index after the last frame whose masks no later segment changes.
    private(set) var finished = 0
    /// Seconds inside the network, and seconds that its results were waited for.
    private(set) var inferenceSeconds = 0.0
    private(set) var waitingSeconds = 0.0

    private let request: InferenceRequest
    private let order: RunOrder
    private let channels: Int
    private let outputShape: [Int]
    private let maskChannels: Int
    /// Brings the clip to the network's level; 1 where it expects none.
    private let clipGain: Float
    /// A quarter of a sine, squared: a mask is trusted least near the border of its segment, where the network
    /// sees little of what is around it.
    private let fade: [Float]
    /// Used in turn: one is filled while the network reads the other.
    private let inputs: [Tensor]
    /// Segments that were started, then those whose masks are there and still wanted.
    private var running: [Segment] = []
    private var done: [Segment] = []
    private var unused: [Tensor] = []
    /// The next segment to start.
    private var segment = 0
    /// Index after the last frame whose masks those of the segments that were started are.
    private(set) var covered = 0
    private let second: AlignedBuffer
    private var step: Int { manifest.segmentFrames - manifest.overlapFrames }

    private struct Segment {
        let index: Int
        let masks: Tensor
        /// Index after the last frame that the next segment does not change.
        let end: Int
    }

    init(_ network: CompiledNetwork, _ clip: SeparationRequest, _ order: RunOrder)
        throws(ModelError)
    {
        self.order = order
        manifest = network.manifest
        request = try InferenceRequest(network.model)
        inputs = (0..<2).map { _ in Tensor(shape: network.inputShape) }
        outputShape = network.outputShape
        maskChannels = outputShape[2]
        channels = clip.channels
        second = AlignedBuffer(count: manifest.stft.bins)
        let overlap = manifest.overlapFrames
        fade = (0..<overlap).map { frame in
            let sine = sin(Float.pi / 2 * (Float(frame) + 0.5) / Float(overlap))
            return sine * sine
        }
        if let level = manifest.inputLevelDbfs, clip.meanSquare > 1e-12 {
            clipGain = Float(pow(10, level / 20) / clip.meanSquare.squareRoot())
        } else {
            clipGain = 1
        }
    }

    /// What brings a segment to the network's level. A quiet part of a song is heard like a loud one, but a
    /// silence does not become noise: the gain differs from the clip's by 12 dB at most.
    private func gain(_ frames: MagnitudeQueue, start: Int, count: Int) -> Float {
        guard let level = manifest.inputLevelDbfs else { return 1 }
        var sum: Float = 0
        for frame in start..<start + count { sum += frames.power(frame: frame) }
        let own = Float(pow(10, level / 20)) / (sum / Float(count) + 1e-20).squareRoot()
        return min(max(own, clipGain / 4), clipGain * 4)
    }

    /// The first frame of the input that a coming segment needs.
    var needed: Int { segment * step }

    /// Starts the next segment if the input has frames for it.
    /// - Parameters:
    ///   - frames: Magnitude planes `[planes][bins]` by name, frame by frame.
    ///   - isLast: No frames follow: the last segment is filled up with silence.
    /// - Returns: Whether there was one.
    func advance(_ frames: MagnitudeQueue, isLast: Bool) throws(ModelError) -> Bool {
        let start = segment * step
        let available = frames.end - start
        let complete = available >= manifest.segmentFrames
        guard complete || (isLast && covered < frames.end) else { return false }
        // A segment is the last one where nothing after it is left to say.
        let closes = isLast && available <= manifest.segmentFrames
        let input = inputs[segment % 2]
        fill(
            input.buffer, from: frames, start: start, count: min(available, manifest.segmentFrames))
        let masks = unused.popLast() ?? Tensor(shape: outputShape)
        request.start(["magnitude": input, "mask": masks])
        covered = closes ? frames.end : start + step
        running.append(Segment(index: segment, masks: masks, end: covered))
        segment += 1
        try order.started(self)
        return true
    }

    /// Takes the result of the oldest segment that was started, waiting for it.
    func collect() throws(ModelError) {
        let begin = ContinuousClock.now
        inferenceSeconds += try request.wait()
        waitingSeconds += (ContinuousClock.now - begin).seconds
        done.append(running.removeFirst())
        finished = done.last!.end
    }

    /// The mask of a finished frame for one channel, continued above the highest bin that the network sees.
    /// - Parameter row: Has as many bins as are wanted.
    func mask(frame: Int, stem: Int, channel: Int, into row: AlignedBuffer) {
        let seen = manifest.stft.bins
        let mask = row.pointer
        if maskChannels == 1 {
            blend(frame: frame, plane: stem, into: mask)
        } else if channels == 2 {
            blend(frame: frame, plane: stem * maskChannels + channel, into: mask)
        } else {
            blend(frame: frame, plane: stem * maskChannels, into: mask)
            blend(frame: frame, plane: stem * maskChannels + 1, into: second.pointer)
            for bin in 0..<seen { mask[bin] = 0.5 * (mask[bin] + second.pointer[bin]) }
        }
        var mean: Float = 0
        for bin in manifest.aboveBins.from..<manifest.aboveBins.to { mean += mask[bin] }
        mean /= Float(manifest.aboveBins.to - manifest.aboveBins.from)
        for bin in seen..<row.count { mask[bin] = mean }
    }

    /// Masks of frames before are not wanted any more.
    func drop(before frame: Int) {
        // The next segment's first masks are blended with its last ones.
        while let first = done.first, first.end + manifest.overlapFrames <= frame {
            unused.append(done.removeFirst().masks)
        }
    }

    private func fill(
        _ input: AlignedBuffer, from frames: MagnitudeQueue, start: Int, count: Int
    ) {
        let bins = manifest.stft.bins
        let gain = gain(frames, start: start, count: count)
        if count < manifest.segmentFrames { input.clear() }
        for (index, plane) in manifest.planes.enumerated() {
            var place = input.pointer + index * manifest.segmentFrames * bins
            for frame in start..<start + count {
                let magnitudes = frames.magnitudes(frame: frame, plane: plane)
                for bin in 0..<bins { place[bin] = magnitudes[bin] * gain }
                place += bins
            }
        }
    }

    /// The mask of one plane of the output, cross-faded where two segments have one. Fades of neighbors sum to one.
    private func blend(frame: Int, plane: Int, into row: UnsafeMutablePointer<Float>) {
        let (overlap, bins) = (manifest.overlapFrames, manifest.stft.bins)
        let index = min(frame / step, done.last!.index)
        let position = index - done[0].index
        let local = frame - index * step
        let own = masks(of: done[position], frame: frame, plane: plane)
        guard index > 0 && local < overlap else {
            row.update(from: own, count: bins)
            return
        }
        let before = masks(of: done[position - 1], frame: frame, plane: plane)
        let (weight, fading) = (fade[local], fade[overlap - 1 - local])
        for bin in 0..<bins { row[bin] = fading * before[bin] + weight * own[bin] }
    }

    private func masks(of segment: Segment, frame: Int, plane: Int) -> UnsafePointer<Float> {
        let row = plane * manifest.segmentFrames + frame - segment.index * step
        return UnsafePointer(segment.masks.buffer.pointer + row * manifest.stft.bins)
    }
}
