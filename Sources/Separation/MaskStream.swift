import DSP
import Foundation

/// One network's opinion, frame by frame: runs it on overlapping segments and cross-fades their masks.
///
/// Frame `t` of the result does not depend on how the frames came in.
final class MaskStream {
    let manifest: PackManifest
    /// Index after the last frame whose masks no later segment changes.
    private(set) var finished = 0
    /// Seconds spent inside the network.
    private(set) var inferenceSeconds = 0.0

    private let request: InferenceRequest
    /// Magnitudes `[planes][frames][bins]`.
    private let input: AlignedBuffer
    /// Masks `[stems][channels][frames][bins]`.
    private let output: AlignedBuffer
    private let channels: Int
    /// Masks of a frame: `[stems][maskChannels][bins]` in one row.
    private let maskChannels: Int
    /// Brings the clip to the network's level; 1 where it expects none.
    private let clipGain: Float
    private let masks: FrameQueue
    /// A quarter of a sine, squared: a mask is trusted least near the border of its segment, where the network
    /// sees little of what is around it.
    private let fade: [Float]
    private var segment = 0
    private var step: Int { manifest.segmentFrames - manifest.overlapFrames }

    init(_ network: CompiledNetwork, _ clip: SeparationRequest) throws(SeparationError) {
        manifest = network.manifest
        maskChannels = network.outputShape[2]
        request = try InferenceRequest(network.model)
        input = try request.bind("magnitude", shape: network.inputShape)
        output = try request.bind("mask", shape: network.outputShape)
        channels = clip.channels
        masks = FrameQueue(length: manifest.stems.count * maskChannels * manifest.stft.bins)
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

    /// Runs the segments that the input has frames for.
    /// - Parameters:
    ///   - frames: Magnitude planes `[planes][bins]` by name, frame by frame.
    ///   - isLast: No frames follow: the last segment is filled up with silence.
    func advance(_ frames: MagnitudeQueue, isLast: Bool) throws(SeparationError) {
        while true {
            let start = segment * step
            let available = frames.end - start
            let complete = available >= manifest.segmentFrames
            guard complete || (isLast && finished < frames.end) else { return }
            // A segment is the last one where nothing after it is left to say.
            let closes = isLast && available <= manifest.segmentFrames
            fill(from: frames, start: start, count: min(available, manifest.segmentFrames))
            let begin = ContinuousClock.now
            try request.run()
            inferenceSeconds += (ContinuousClock.now - begin).seconds
            blend(start: start, count: min(available, manifest.segmentFrames), closes: closes)
            segment += 1
            finished = closes ? frames.end : segment * step
        }
    }

    /// The mask of a finished frame for one channel, continued above the highest bin that the network sees.
    /// - Parameter row: Room for all bins of the transform.
    func mask(frame: Int, stem: Int, channel: Int, into row: AlignedBuffer) {
        let seen = manifest.stft.bins
        let mask = masks[frame] + stem * maskChannels * seen
        if maskChannels == 1 {
            row.pointer.update(from: mask, count: seen)
        } else if channels == 2 {
            row.pointer.update(from: mask + channel * seen, count: seen)
        } else {
            for bin in 0..<seen { row.pointer[bin] = 0.5 * (mask[bin] + mask[seen + bin]) }
        }
        var mean: Float = 0
        for bin in manifest.aboveBins.from..<manifest.aboveBins.to { mean += row.pointer[bin] }
        mean /= Float(manifest.aboveBins.to - manifest.aboveBins.from)
        for bin in seen..<manifest.stft.shape.bins { row.pointer[bin] = mean }
    }

    func drop(before frame: Int) { masks.drop(before: frame) }

    private func fill(from frames: MagnitudeQueue, start: Int, count: Int) {
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

    private func blend(start: Int, count: Int, closes: Bool) {
        let (length, overlap, bins) = (
            manifest.segmentFrames, manifest.overlapFrames, manifest.stft.bins
        )
        if masks.end < start + count { masks.append(start + count - masks.end) }
        for frame in 0..<count {
            // Fades of neighbors sum to one; there is none at the start and at the end of the clip.
            var weight: Float = 1
            if segment > 0 && frame < overlap {
                weight = fade[frame]
            } else if !closes && frame >= length - overlap {
                weight = fade[length - 1 - frame]
            }
            let row = masks[start + frame]
            for plane in 0..<manifest.stems.count * maskChannels {
                let source = output.pointer + (plane * length + frame) * bins
                let destination = row + plane * bins
                for bin in 0..<bins { destination[bin] += weight * source[bin] }
            }
        }
    }
}

extension Duration {
    /// Seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
