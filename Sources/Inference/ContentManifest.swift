/// What `model.json` says of a pack of the kind `content`. `docs/model-packs.md` explains each key.
public struct ContentManifest: PackDescription {
    public let format: Int
    public let name: String
    public let version: String
    public let licence: String
    public let sha256: [String: String]
    public let kind: String
    /// Milliseconds between frames.
    public let hopMilliseconds: Int
    /// Frames that one inference sees.
    public let blockFrames: Int
    /// Frames before and after a frame that it depends on.
    public let reach: Int
    /// Of the mel-cepstrum of a frame.
    public let coefficients: Int
    /// Values that a frame's content is told by.
    public let features: Int

    enum CodingKeys: String, CodingKey {
        case format, name, version, licence, sha256, kind, reach, coefficients, features
        case hopMilliseconds = "hop_milliseconds"
        case blockFrames = "block_frames"
    }

    public var offered: [String] { ["content"] }

    public func fault() -> String? {
        if let fault = generalFault() { return fault }
        if reach < 0 || blockFrames <= 2 * reach { return "its blocks are impossible" }
        return nil
    }
}
