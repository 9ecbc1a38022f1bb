import DSP
import Foundation
import Inference

/// A voice of the RVC family (retrieval-based voice conversion) as a network in ONNX, with the content encoder that it was
/// trained with: any network with the inputs of one of the two exports in use.
///
/// | | [RVC WebUI](https://github.com/RVC-Project/Retrieval-based-Voice-Conversion-WebUI) | [VC client](https://github.com/w-okada/voice-changer) |
/// |---|---|---|
/// | content, `[1, frames, channels]` | `phone` | `feats` |
/// | frames, integer `[1]` | `phone_lengths` | `p_len` |
/// | pitch on a scale of 1 to 255, integers `[1, frames]` | `pitch` | `pitch`, or not there |
/// | pitch in hertz, 0 = unvoiced, `[1, frames]` | `pitchf` | `pitchf`, or not there |
/// | speaker, integer `[1]` | `ds` | `sid` |
/// | noise, `[1, 192, frames]` | `rnd` | – |
/// | sample rate | 100 × samples of a frame | `samplingRate` of the JSON under the key `metadata` |
///
/// Frames have 10 ms. The encoder (ContentVec) takes samples at 16 kHz, `[1, 1, samples]` or `[1, samples]`, in windows of
/// 400, and puts out a frame for every 320, `[1, frames, channels]` or with both turned.
public final class NeuralVoice: Sendable {
    /// Hertz.
    public let sampleRate: Int
    /// Whether the network is told the pitch; else it finds the melody in the content, or has none.
    public let hasPitch: Bool

    let setup: Setup
    /// Loads the network. Each stream has its own, as what a network draws at random goes on from run to run.
    let load: @Sendable () throws(ModelError) -> CompiledModel

    /// Frames of a second.
    static let frameRate = 100
    /// Hertz at which the encoder listens.
    static let contentRate = 16_000
    /// Samples of the encoder's window that lie beyond its stride.
    static let contentMargin = 80

    /// What a stream needs to know besides the network.
    struct Setup: Sendable {
        let encoder: CompiledModel
        let inputs: Inputs
        /// Values of a frame of content.
        let channels: Int
        /// Which of the network's speakers.
        let speaker: Int
        /// What the noise is a function of, besides the place in a recording.
        let seed: Int
    }

    /// What a network calls its inputs.
    struct Inputs: Sendable {
        let content: String
        let length: String
        let pitch: String?
        let frequency: String?
        let speaker: String
        let noise: String?
        /// Rows of noise.
        let noiseRows: Int
    }

    /// Loads both networks and lets them speak for a moment.
    /// - Parameters:
    ///   - name: What errors call the pack.
    ///   - voice: The file of the voice's network, which stays where it is as long as the voice is used.
    ///   - encoder: The file of the content encoder's.
    ///   - speaker: Which of the network's speakers; 0 where it has only one.
    ///   - seed: What its noise is a function of, besides the place in a recording.
    /// - Throws: ``ModelError/refused(pack:reason:)`` where they are not what they should be.
    public init(
        name: String, voice: URL, encoder: URL, _ runtime: InferenceRuntime, threads: Int,
        speaker: Int = 0, seed: Int = 0
    ) throws(ModelError) {
        load = { () throws(ModelError) in
            try runtime.compile(voice.path, pack: name, threads: threads, cache: nil)
        }
        let network = try load()
        let content: CompiledModel
        do throws(ModelError) {
            content = try runtime.compile(
                encoder.path, pack: name, threads: threads, cache: nil)
        } catch {
            guard case .refused(_, let reason) = error else { throw error }
            throw .refused(pack: name, reason: "of the content encoder, \(reason)")
        }
        let inputs = try Self.inputs(of: network, pack: name)
        hasPitch = inputs.frequency != nil
        guard let shape = network.inputs.first(where: { $0.name == inputs.content })?.shape,
            shape.count == 3, shape[2] > 0
        else {
            throw .refused(
                pack: name, reason: "the input “\(inputs.content)” has no number of channels")
        }
        guard content.inputs.count == 1, [2, 3].contains(content.inputs[0].shape.count)
        else {
            throw .refused(
                pack: name,
                reason: "the content encoder must have one input, samples at 16 kHz")
        }
        setup = Setup(
            encoder: content, inputs: inputs, channels: shape[2], speaker: speaker, seed: seed)
        // One second tells how many samples a frame has.
        let frames = Self.frameRate
        let speech = try NeuralSpeech(setup, network)
        let samples = try speech.run(
            frames: frames, samples: [Float](repeating: 0, count: Self.samples(of: frames)),
            frequencies: [Float](repeating: 0, count: frames), firstFrame: 0)
        guard samples.count % frames == 0, (80...960).contains(samples.count / frames) else {
            throw .refused(
                pack: name, reason: "it gives \(samples.count) samples for a second")
        }
        let told = Self.describedRate(voice)
        sampleRate = told ?? samples.count
        if sampleRate != samples.count {
            throw .refused(
                pack: name,
                reason:
                    "it says that its rate is \(sampleRate) Hz, but gives \(samples.count) samples for a second"
            )
        }
        if !samples.allSatisfy(\.isFinite) {
            throw .refused(pack: name, reason: "what it says of silence are no numbers")
        }
    }

    /// Samples at 16 kHz that give this many frames of 10 ms.
    static func samples(of frames: Int) -> Int { frames * contentRate / frameRate + contentMargin }

    private static func inputs(of network: CompiledModel, pack: String)
        throws(ModelError) -> Inputs
    {
        let ports = Dictionary(
            network.inputs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let rows = ports["rnd"]?.shape
        let inputs: Inputs
        if ports["phone"] != nil {
            inputs = Inputs(
                content: "phone", length: "phone_lengths", pitch: "pitch", frequency: "pitchf",
                speaker: "ds", noise: "rnd", noiseRows: rows?.count == 3 ? rows![1] : 0)
        } else {
            let pitched = ports["pitchf"] != nil
            inputs = Inputs(
                content: "feats", length: "p_len", pitch: pitched ? "pitch" : nil,
                frequency: pitched ? "pitchf" : nil, speaker: "sid", noise: nil, noiseRows: 0)
        }
        let numbers = [inputs.content, inputs.frequency, inputs.noise].compactMap { $0 }
        let integers = [inputs.length, inputs.pitch, inputs.speaker].compactMap { $0 }
        let missing = (numbers + integers).filter { ports[$0] == nil }
        guard missing.isEmpty, ports.count == numbers.count + integers.count else {
            throw .refused(
                pack: pack,
                reason:
                    "its inputs (\(ports.keys.sorted().joined(separator: ", "))) are not those of a voice of the RVC family"
            )
        }
        for (names, kind) in [(numbers, Tensor.Kind.float), (integers, .integer)] {
            if let wrong = names.first(where: { ports[$0]!.kind != kind }) {
                throw .refused(
                    pack: pack,
                    reason: kind == .float
                        ? "its input “\(wrong)” is not of 32-bit numbers (export it without half precision)"
                        : "its input “\(wrong)” is not of 64-bit integers")
            }
        }
        if inputs.noise != nil, !(1...4096).contains(inputs.noiseRows) {
            throw .refused(pack: pack, reason: "its input “rnd” has no number of rows")
        }
        return inputs
    }

    private static func describedRate(_ file: URL) -> Int? {
        struct Description: Decodable { let samplingRate: Int }
        guard let json = ModelDescription.read(file)["metadata"] else { return nil }
        return (try? JSONDecoder().decode(Description.self, from: Data(json.utf8)))?.samplingRate
    }
}
