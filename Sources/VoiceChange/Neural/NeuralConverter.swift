import DSP
import Inference

/// Speaks a recording with a neural voice, in chunks whose borders lie where the recording is quiet.
///
/// A chunk is rendered with half a second of its neighbors on both sides, so that the network knows what comes before and after,
/// and neighbors are cross-faded. The borders depend on the recording alone and the noise on the place in it, so the result
/// depends neither on the blocks that come in nor on when it is made.
public final class NeuralConverter {
    private let voice: NeuralVoice
    private let speech: NeuralSpeech
    private let frequency: (Int) -> Float
    private let listening: Resampler
    private let answering: Resampler
    /// Samples at 16 kHz.
    private let heard = FrameQueue(length: 1)
    /// Samples at the voice's rate.
    private let spoken = OverlapSum()
    /// Where the chunk begins that is rendered next, in frames.
    private var border = 0

    /// Frames beyond each border that a chunk is rendered with.
    static let context = 50
    /// The fewest and the most frames between two borders.
    static let shortest = 300
    static let longest = 500
    /// Half of a cross-fade, in frames.
    static let fade = 2

    /// - Parameters:
    ///   - sampleRate: Of the samples in and out, in hertz.
    ///   - frequency: The pitch that the voice shall have, in hertz, at `10 ms · frame`; 0 = unvoiced. It is asked for frames
    ///     up to the end of a chunk, which is at most 6 seconds after what has come in.
    public init(
        _ voice: NeuralVoice, sampleRate: Int, frequency: @escaping (Int) -> Float
    ) throws {
        self.voice = voice
        self.frequency = frequency
        speech = try NeuralSpeech(voice.setup, voice.load())
        listening = try Resampler(from: sampleRate, to: NeuralVoice.contentRate)
        answering = try Resampler(from: voice.sampleRate, to: sampleRate)
        // What lies before the start is silence.
        heard.append(Self.before)
    }

    /// Samples at 16 kHz that are heard before frame 0.
    private static let before = context * 160 + NeuralVoice.contentMargin / 2

    /// Takes samples in and appends to `output` what is spoken by now.
    public func push(_ samples: UnsafeBufferPointer<Float>, into output: FrameQueue)
        throws(ModelError)
    {
        listening.process(samples, into: heard)
        while heard.end >= end(of: border) { try render(into: output) }
    }

    /// Appends the rest, so that `output` has received `length` samples in all.
    public func finish(length: Int, into output: FrameQueue) throws(ModelError) {
        listening.finish(into: heard)
        let frames = max(0, heard.end - Self.before + 159) / 160
        while border < frames {
            let missing = end(of: border) - heard.end
            if missing > 0 { heard.append(missing) }
            try render(into: output)
        }
        let tail = FrameQueue(length: 1)
        spoken.emit(until: border * samplesOfFrame, into: tail)
        answer(tail, into: output)
        answering.finish(into: output)
        if output.end < length { output.append(length - output.end) }
    }

    /// The sample of `heard` after the last that the chunk from a border on needs.
    private func end(of border: Int) -> Int {
        border * 160 + NeuralVoice.samples(of: Self.frames)
    }

    /// Frames of a chunk with its context.
    private static let frames = context + longest + context

    private var samplesOfFrame: Int { voice.sampleRate / NeuralVoice.frameRate }

    private func render(into output: FrameQueue) throws(ModelError) {
        let first = border * 160
        heard.drop(before: first)
        let samples = [Float](
            UnsafeBufferPointer(
                start: heard[first], count: NeuralVoice.samples(of: Self.frames)))
        let start = border - Self.context
        let frequencies = (start..<start + Self.frames).map { $0 < 0 ? 0 : frequency($0) }
        let voice = try speech.run(
            frames: Self.frames, samples: samples, frequencies: frequencies, firstFrame: start)
        let next = border + quietest(samples)
        add(voice, from: border, to: next)
        border = next
        let ready = FrameQueue(length: 1)
        spoken.emit(until: (border - Self.fade) * samplesOfFrame, into: ready)
        answer(ready, into: output)
    }

    /// Frames from the border to the quietest place at which the chunk may end, the last of equals.
    private func quietest(_ samples: [Float]) -> Int {
        var best = (energy: Float.infinity, frame: Self.longest)
        for frame in Self.shortest...Self.longest {
            // As long as the fade.
            let middle = NeuralVoice.contentMargin / 2 + (Self.context + frame) * 160
            var energy: Float = 0
            for sample in samples[middle - Self.fade * 160..<middle + Self.fade * 160] {
                energy += sample * sample
            }
            if energy <= best.energy { best = (energy, frame) }
        }
        return best.frame
    }

    /// Adds a chunk between two borders; it fades in and out around them in powers that sum to one, as neighbors' phases have
    /// nothing to do with each other.
    private func add(_ chunk: [Float], from border: Int, to next: Int) {
        let half = Self.fade * samplesOfFrame
        let (begin, end) = (border * samplesOfFrame, next * samplesOfFrame)
        let offset = begin - Self.context * samplesOfFrame
        spoken.reserve(until: end + half)
        let start = max(begin - half, spoken.start)
        let place = spoken[start]
        for sample in start..<end + half {
            let rise = border == 0 ? 1 : Float(sample - begin + half) / Float(2 * half)
            let fall = Float(end + half - sample) / Float(2 * half)
            let gain = min(1, rise, fall).squareRoot()
            place[sample - start] += gain * chunk[sample - offset]
        }
    }

    private func answer(_ samples: FrameQueue, into output: FrameQueue) {
        guard samples.end > samples.start else { return }
        answering.process(
            UnsafeBufferPointer(start: samples[samples.start], count: samples.end - samples.start),
            into: output)
    }
}
