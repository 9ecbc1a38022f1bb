import DSP

/// Gives the voice in a recording a neural one, in a stream: ``NeuralConverter`` speaks its mono mix, with the pitch moved as asked;
/// what it says is made as strong as the voice was (``LevelMatch``) and placed among the channels as the voice was.
public final class NeuralVoiceConverter: VoiceConversion {
    /// Where the pitch goes, as far as the voice is told.
    public let pitchMap: PitchMap

    private let shape: VoiceShape
    private let weights: [Float]
    private let speaker: NeuralConverter
    private let placement: Placement
    private let levels: LevelMatch
    private var curve: ChannelCurve

    private let mono = FrameQueue(length: 1)
    private let channels: [FrameQueue]
    private let spoken = FrameQueue(length: 1)
    /// Frames whose energies have been measured, and whose place is known.
    private var (measured, placed) = (0, 0)

    /// - Parameters:
    ///   - median: The voice's, in hertz; nil: it has none, and pitch stays.
    ///   - source: What ``VoiceSurvey`` found.
    ///   - pitch: Of the whole recording.
    ///   - sampleRate: Hertz, from 8000 on.
    ///   - weights: The mono mix that pitch and survey were taken from (``ChannelMix/weights``), one for each channel.
    /// - Throws: `ModelError`, `ResamplerError`.
    public init(
        _ voice: NeuralVoice, median: Double?, settings: VoiceSettings, source: SourceVoice,
        pitch: PitchTrack, sampleRate: Int, weights: [Float] = [1]
    ) throws {
        shape = VoiceShape(sampleRate: sampleRate)
        self.weights = weights
        let map = PitchMap(
            settings, source: source.statistics, target: median, targetSpread: nil)
        pitchMap = map
        // Its frames have 10 ms.
        let step = Int((0.01 / pitch.hop).rounded())
        speaker = try NeuralConverter(voice, sampleRate: sampleRate) { frame in
            let index = frame * step
            return index < pitch.frequencies.count ? map(pitch.frequencies[index]) : 0
        }
        placement = Placement(shape, weights: weights)
        levels = LevelMatch(shape)
        curve = ChannelCurve(shape)
        channels = weights.map { _ in FrameQueue(length: 1) }
    }

    public func push(_ samples: [[Float]]) throws -> [[Float]] {
        let mix = ChannelMix.mono(samples, weights: weights)
        append(mix, to: mono)
        for (queue, samples) in zip(channels, samples) { append(samples, to: queue) }
        try mix.withUnsafeBufferPointer { try speaker.push($0, into: spoken) }
        let known = min(spoken.end, mono.end)
        while shape.center(of: measured + 1) <= known { measure() }
        while placed + LevelMatch.reach < measured { place() }
        return placed > 0 ? output(until: curve.end) : weights.map { _ in [] }
    }

    public func finish() throws -> [[Float]] {
        try speaker.finish(length: mono.end, into: spoken)
        let count = shape.frames(samples: mono.end)
        while measured < count { measure() }
        while placed < count { place() }
        return output(until: mono.end)
    }

    private func append(_ samples: [Float], to queue: FrameQueue) {
        samples.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            queue.append($0.count).update(from: base, count: $0.count)
        }
    }

    private func measure() {
        placement.measure(frame: measured, mono: mono, channels: channels)
        levels.measure(frame: measured, wanted: mono, given: spoken)
        measured += 1
        let done = shape.center(of: measured)
        mono.drop(before: done)
        for queue in channels { queue.drop(before: done) }
    }

    private func place() {
        let gain = levels.gain(ofFrame: placed)
        curve.append(placement.gains(ofFrame: placed).map { $0 * gain })
        placed += 1
    }

    private func output(until end: Int) -> [[Float]] {
        let start = spoken.start
        guard end > start else { return weights.map { _ in [] } }
        var result = weights.map { _ in [Float](repeating: 0, count: end - start) }
        curve.add(spoken, from: start, to: end, into: &result)
        spoken.drop(before: end)
        return result
    }
}
