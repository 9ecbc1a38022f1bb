import DSP
import Foundation
import Inference

/// What `model.json` of a pack says whose network divides by masks of magnitudes (the kind `spectrogram`).
/// `docs/model-packs.md` explains each key.
public struct PackManifest: PackDescription, Codable {
    /// 1 had segments that overlapped.
    public static let readFormat = 2
    public let format: Int
    public let name: String
    public let version: String
    public let licence: String
    public let sha256: [String: String]
    public let kind: String
    /// The stem of another pack that the network divides further; `nil` or `mixture`: it divides the mixture.
    public let input: String?
    /// Hz.
    public let sampleRate: Int
    public let channels: Int
    public let stft: Transform
    /// 1, or 2: the network looks at every second frame only, and masks between are the mean of their neighbors'.
    public let frameStride: Int
    /// Frames that one inference looks at. Blocks follow each other; the network remembers what it needs of those before.
    public let blockFrames: Int
    /// By how many of the frames that it looks at the masks come late: row `t` of a block's masks is for the frame so far
    /// before that of row `t` of its magnitudes.
    public let delayFrames: Int
    /// The magnitudes that the network takes in, in order.
    public let planes: [Plane]
    /// The stems that the network puts out, in order. Their masks sum to one.
    public let stems: [String]
    /// The level (RMS, dBFS) that the network expects, where it matters.
    public let inputLevelDbfs: Double?
    /// The bins whose mean mask is used above the highest bin that the network sees.
    public let aboveBins: BinRange
    /// Stems of the network by stems of the API.
    public let serves: [String: String]

    /// Stems that are sums of others: whoever serves all of those serves the sum, too.
    public static let sums = [
        "guitar": ["electric_guitar", "acoustic_guitar"], "vocals": ["lead", "backing"],
    ]

    public struct Transform: Codable, Sendable {
        public let size: Int
        public let hop: Int
        public let window: String
        /// The lowest bins, which the network sees.
        public let bins: Int

        public var shape: ShortTimeShape { ShortTimeShape(size: size, hop: hop) }
    }

    /// The magnitude spectrum of one channel, or of half the sum or difference of both.
    public enum Plane: String, Codable, Sendable {
        case left, right, mid, side
    }

    public struct BinRange: Codable, Sendable {
        public let from: Int
        /// Exclusive.
        public let to: Int
    }

    enum CodingKeys: String, CodingKey {
        case format, name, version, licence, sha256, kind, input, channels, stft, planes, stems
        case serves
        case sampleRate = "sample_rate"
        case frameStride = "frame_stride"
        case blockFrames = "block_frames"
        case delayFrames = "delay_frames"
        case inputLevelDbfs = "input_level_dbfs"
        case aboveBins = "above_bins"
    }

    /// The stems of the API that the network can give, sorted.
    public var offered: [String] {
        Set(serves.keys).union(PackManifest.sums.keys).filter { outputs(of: $0) != nil }.sorted()
    }

    /// The outputs of the network whose masks make up a stem of the API; `nil` where it does not serve the stem.
    func outputs(of stem: String) -> [Int]? {
        let parts = serves[stem] == nil ? PackManifest.sums[stem] ?? [] : [stem]
        let outputs = parts.compactMap { serves[$0] }.compactMap(stems.firstIndex)
        return outputs.isEmpty || outputs.count < parts.count ? nil : outputs
    }

    /// Frames of the transform that a block stands for.
    var blockHops: Int { blockFrames * frameStride }

    var dividesMixture: Bool { input == nil || input == "mixture" }

    /// Whether the network divides a stem of the other one, which divides the mixture.
    func divides(_ other: PackManifest) -> Bool {
        !dividesMixture && other.dividesMixture && other.stems.contains(input!)
            && sampleRate == other.sampleRate && stft.shape == other.stft.shape
    }

    /// Whether the network divides a voice by itself, wherever that comes from.
    var dividesVoice: Bool { input == "voice" }

    /// What keeps the pack from working together with the others.
    func fault(beside others: [PackManifest]) -> String? {
        guard !dividesMixture, !dividesVoice, !others.contains(where: { divides($0) }) else {
            return nil
        }
        return "no installed pack with the same transform separates “\(input!)”, which it divides"
    }

    public func fault() -> String? {
        if let fault = generalFault() { return fault }
        if kind != "spectrogram" { return "its kind “\(kind)” is not one that this version runs" }
        if stft.window != "hann" { return "its window “\(stft.window)” is not known" }
        if sampleRate <= 0 || stft.size <= 0 || stft.size % 2 != 0 || stft.hop <= 0
            || stft.hop > stft.size / 2
        {
            return "its transform is impossible"
        }
        if !(1...stft.size / 2 + 1).contains(stft.bins) { return "its bins are out of range" }
        if ![1, 2].contains(frameStride) || blockFrames < 1 || delayFrames < 0 {
            return "its block, stride or delay is impossible"
        }
        if planes.isEmpty || stems.isEmpty { return "it names no planes or no stems" }
        if aboveBins.from < 0 || aboveBins.from >= aboveBins.to || aboveBins.to > stft.bins {
            return "its above_bins are out of range"
        }
        if let stem = serves.values.first(where: { !stems.contains($0) }) {
            return "it serves a stem “\(stem)” that the network does not put out"
        }
        return nil
    }
}
