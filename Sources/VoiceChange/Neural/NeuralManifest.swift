/// What `voice.json` of a neural voice says.
public struct NeuralManifest: VoicePackManifest {
    public static let kind = "rvc"
    public static let format = 1

    public let format: Int
    public let kind: String
    public let id: String
    public let name: String
    public let description: String
    public let created: Int
    public let license: String?
    public let sources: [VoiceManifest.Source]
    /// SHA-256 of `voice.onnx` and `content.onnx` by file name, lower-case hex.
    public let sha256: [String: String]
    /// The voice's own median pitch in hertz, as whoever added it has said.
    public let medianFrequency: Double?
    /// Which of the network's speakers.
    public let speaker: Int
    /// What all noise is a function of, besides the place in a recording.
    public let seed: Int

    enum CodingKeys: String, CodingKey {
        case format, kind, id, name, description, created, license, sources, sha256, speaker, seed
        case medianFrequency = "median_hz"
    }

    /// Hertz that a median can have.
    public static let medians = 50.0...1100.0
    /// Numbers that speakers and seeds can have.
    public static let numbers = 0...65_535

    public func fault() -> String? {
        if let fault = generalFault() { return fault }
        if Set(sha256.keys) != [NeuralPack.voiceName, NeuralPack.contentName] {
            return "it does not name the SHA-256 of its two files"
        }
        if let medianFrequency, !Self.medians.contains(medianFrequency) {
            return "its median pitch is not that of a voice"
        }
        if !Self.numbers.contains(speaker) || !Self.numbers.contains(seed) {
            return "its speaker or seed is out of range"
        }
        return nil
    }
}
