import DSP
import Foundation
import Inference

/// One stream's use of a neural voice: content out of samples, samples out of content.
final class NeuralSpeech {
    private let encoding: InferenceRequest
    private let speaking: InferenceRequest
    private let voice: NeuralVoice.Setup

    /// - Parameter network: The voice's own, loaded for this stream.
    init(_ voice: NeuralVoice.Setup, _ network: CompiledModel) throws(ModelError) {
        self.voice = voice
        encoding = try InferenceRequest(voice.encoder)
        speaking = try InferenceRequest(network)
    }

    /// - Parameters:
    ///   - frames: How many frames of 10 ms; even.
    ///   - samples: At 16 kHz, ``NeuralVoice/samples(of:)``; the first frame begins at sample 40.
    ///   - frequencies: Hertz, one for each frame; 0 = unvoiced.
    ///   - firstFrame: The index of the first frame in the recording, which its noise is a function of.
    /// - Returns: The voice, an equal number of samples for each frame.
    func run(
        frames: Int, samples: [Float], frequencies: [Float], firstFrame: Int
    ) throws(ModelError) -> [Float] {
        let inputs = voice.inputs
        let content = try content(samples, frames: frames)
        var tensors = [
            inputs.content: Tensor(shape: [1, frames, voice.channels], content),
            inputs.length: Tensor(shape: [1], [Int64(frames)]),
            inputs.speaker: Tensor(shape: [1], [Int64(voice.speaker)]),
        ]
        if let pitch = inputs.pitch, let frequency = inputs.frequency {
            tensors[pitch] = Tensor(shape: [1, frames], frequencies.map(Self.coarse))
            tensors[frequency] = Tensor(shape: [1, frames], frequencies)
        }
        if let noise = inputs.noise {
            tensors[noise] = noiseTensor(
                rows: inputs.noiseRows, frames: frames, first: firstFrame)
        }
        speaking.start(tensors)
        try speaking.wait()
        return try speaking.output(0).values
    }

    /// Frames of 20 ms, each of them twice.
    private func content(_ samples: [Float], frames: Int) throws(ModelError) -> [Float] {
        let (encoder, channels) = (voice.encoder, voice.channels)
        let input = encoder.inputs[0]
        encoding.start([
            input.name: Tensor(
                shape: [Int](repeating: 1, count: input.shape.count - 1) + [samples.count], samples)
        ])
        try encoding.wait()
        let (shape, values) = try encoding.output(0)
        let half = frames / 2
        let isTurned = shape == [1, channels, half]
        guard isTurned || shape == [1, half, channels] else {
            throw .refused(
                pack: encoder.pack,
                reason:
                    "the content encoder gives \(shape) where the voice needs \([1, half, channels])"
            )
        }
        var content = [Float](repeating: 0, count: frames * channels)
        for frame in 0..<frames {
            for channel in 0..<channels {
                let source = isTurned ? channel * half + frame / 2 : frame / 2 * channels + channel
                content[frame * channels + channel] = values[source]
            }
        }
        return content
    }

    private func noiseTensor(rows: Int, frames: Int, first: Int) -> Tensor {
        // No recording has as many values.
        let start = voice.seed << 44 + first * rows
        var frame = [Float](repeating: 0, count: rows)
        var noise = [Float](repeating: 0, count: rows * frames)
        for t in 0..<frames {
            Noise.fill(&frame, from: start + t * rows, count: rows)
            for row in 0..<rows { noise[row * frames + t] = frame[row] }
        }
        return Tensor(shape: [1, rows, frames], noise)
    }

    /// The mel scale from 50 to 1100 Hz in 254 steps from 1 on, as the networks were trained with; 1 = unvoiced.
    private static func coarse(_ frequency: Float) -> Int64 {
        func mel(_ frequency: Float) -> Float { 1127 * log(1 + frequency / 700) }
        guard frequency > 0 else { return 1 }
        let place = (mel(frequency) - mel(50)) * 254 / (mel(1100) - mel(50)) + 1
        return Int64(max(1, min(255, place.rounded())))
    }
}
