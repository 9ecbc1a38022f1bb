import DSP
import Inference

/// What `model.json` says of a pack of the kind `deep_filter`. `docs/model-packs.md` explains each key.
public struct DeepFilterManifest: PackDescription {
    public let format: Int
    public let name: String
    public let version: String
    public let licence: String
    public let sha256: [String: String]
    public let kind: String
    /// Hz.
    public let sampleRate: Int
    public let stft: Transform
    /// Frames that one inference sees.
    public let blockFrames: Int
    /// How many neighboring bins each band of the equivalent rectangular bandwidth has; together all of them.
    public let erbBands: [Int]
    /// The lowest bins, which are filtered.
    public let filterBins: Int
    /// Taps of a filter, one a frame.
    public let filterOrder: Int
    /// Frames after its own that a frame's gains and filters need.
    public let lookAhead: Int

    public struct Transform: Codable, Sendable {
        public let size: Int
        public let hop: Int
        public let window: ShortTimeShape.Window

        public var shape: ShortTimeShape { ShortTimeShape(size: size, hop: hop, window: window) }
    }

    enum CodingKeys: String, CodingKey {
        case format, name, version, licence, sha256, kind, stft
        case sampleRate = "sample_rate"
        case blockFrames = "block_frames"
        case erbBands = "erb_bands"
        case filterBins = "filter_bins"
        case filterOrder = "filter_order"
        case lookAhead = "look_ahead"
    }

    public var offered: [String] { ["voice"] }

    public func fault() -> String? {
        if let fault = generalFault() { return fault }
        if sampleRate <= 0 || stft.size <= 0 || stft.size % 2 != 0 || stft.hop * 2 != stft.size {
            return "its transform is impossible"
        }
        if erbBands.contains(where: { $0 < 1 }) || erbBands.reduce(0, +) != stft.shape.bins {
            return "its bands do not cover the spectrum"
        }
        if !(2...stft.shape.bins).contains(filterBins) || blockFrames < 1
            || filterOrder != 2 * lookAhead + 1
        {
            return "its filters are impossible"
        }
        return nil
    }
}
