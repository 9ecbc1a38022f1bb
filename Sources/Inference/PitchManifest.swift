/// What `model.json` says of a pack of the kind `pitch`. `docs/model-packs.md` explains each key.
public struct PitchManifest: PackDescription {
    public let format: Int
    public let name: String
    public let version: String
    public let licence: String
    public let sha256: [String: String]
    public let kind: String
    /// Hz.
    public let sampleRate: Int
    /// Samples between frames; frame `t` is centered at sample `hop · t`.
    public let hop: Int
    /// Frames that one inference sees.
    public let blockFrames: Int
    /// Frames before and after a frame that it depends on.
    public let lookBack: Int
    public let lookAhead: Int

    enum CodingKeys: String, CodingKey {
        case format, name, version, licence, sha256, kind, hop
        case sampleRate = "sample_rate"
        case blockFrames = "block_frames"
        case lookBack = "look_back"
        case lookAhead = "look_ahead"
    }

    public var offered: [String] { ["pitch"] }

    public func fault() -> String? {
        if let fault = generalFault() { return fault }
        if sampleRate <= 0 || hop < 1 || lookBack < 0 || lookAhead < 0
            || blockFrames <= lookBack + lookAhead
        {
            return "its blocks are impossible"
        }
        return nil
    }
}
