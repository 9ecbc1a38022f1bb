import DSP
import Foundation

/// How the opinions of several packs on one stem become one mask: a logistic combination by band,
/// `logit(m) = Σ weight · logit(m_pack) + bias`, learned on validation material by `training/`.
///
/// The logit of a mask is its confidence: an opinion of 0.5 moves nothing, a sure one much (logarithmic
/// opinion pool; Genest and Zidek, 1986). The other stems share what is left in the proportions of the
/// pack that they come from, so all masks still sum to one.
public struct Fusion: Codable, Sendable {
    public let format: Int
    /// The stem that is fused.
    public let stem: String
    /// The packs whose masks of the stem are fused, in the order of the weights.
    public let packs: [String]
    public let grid: Grid
    public let bands: [Band]

    public struct Grid: Codable, Sendable {
        public let sampleRate: Int
        public let size: Int
        public let hop: Int

        enum CodingKeys: String, CodingKey {
            case size, hop
            case sampleRate = "sample_rate"
        }
    }

    public struct Band: Codable, Sendable {
        public let from: Int
        /// Exclusive.
        public let to: Int
        public let weights: [Float]
        public let bias: Float
    }

    func fault() -> String? {
        if format != 1 { return "its format \(format) is not one that this version reads" }
        var next = 0
        for band in bands {
            if band.from != next || band.to <= band.from { return "its bands do not join" }
            if band.weights.count != packs.count { return "a band has a wrong number of weights" }
            next = band.to
        }
        return next == grid.size / 2 + 1 ? nil : "its bands do not cover the spectrum"
    }
}

/// A fusion with its weights laid out by bin, for the bins that networks see.
final class MaskFusion {
    /// Weights of the packs, and the bias.
    private let weights: [AlignedBuffer]
    private let bias: AlignedBuffer

    /// - Parameter bins: How many bins a mask has here, the lowest. Rows of masks are ``VectorMath/padded(_:)``.
    init(_ fusion: Fusion, bins: Int) {
        let bias = AlignedBuffer(count: VectorMath.padded(bins))
        let weights = fusion.packs.map { _ in AlignedBuffer(count: bias.count) }
        for band in fusion.bands where band.from < bins {
            for bin in band.from..<min(band.to, bins) {
                bias.pointer[bin] = band.bias
                for (row, weight) in zip(weights, band.weights) { row.pointer[bin] = weight }
            }
        }
        self.bias = bias
        self.weights = weights
    }

    /// Fuses one frame of one channel.
    /// - Parameters:
    ///   - opinions: A mask for each pack.
    ///   - fused: Room for a mask.
    func fuse(_ opinions: [AlignedBuffer], into fused: AlignedBuffer) {
        for block in 0..<bias.count / 8 {
            var logit = bias.pointer.vectors[block]
            for pack in 0..<weights.count {
                let mask = opinions[pack].pointer.vectors[block]
                    .atLeast(SIMD8(repeating: 1e-4)).atMost(SIMD8(repeating: 1 - 1e-4))
                logit += weights[pack].pointer.vectors[block] * VectorMath.log(mask / (1 - mask))
            }
            fused.pointer.vectors[block] = 1 / (1 + VectorMath.exp(-logit))
        }
    }
}
