import Separation

/// Which tracks a job makes of its stems.
public enum TrackLayout: Sendable, Hashable {
    /// Each stem, followed by the source without it.
    case pairs
    /// All stems, followed by the source without any of them.
    case together
    /// Lead and backing vocals, the source without either, and the source without the lead.
    case leadBack
    /// The same where there is no backing: all vocals are the lead.
    case lead

    /// What a job's tracks are called, in the order of ``tracks(of:)``.
    public func labels(_ stems: [String]) -> [(label: String, isBack: Bool)] {
        switch self {
        case .pairs: stems.flatMap { [($0, false), ("no_\($0)", true)] }
        case .together: stems.map { ($0, false) } + [("no_multistem", true)]
        case .leadBack:
            [
                ("vocals@0", false), ("vocals@1", false), ("no_vocals", true),
                ("mix_no_lead", true),
            ]
        case .lead: [("vocals@0", false), ("no_vocals", true), ("mix_no_lead", true)]
        }
    }

    /// The samples of a block's tracks, `[track][channel][sample]`.
    func tracks(of block: SeparatedBlock) -> [[[Float]]] {
        switch self {
        case .pairs: return block.stems.flatMap { [$0, rest(block.source, without: $0)] }
        case .together: return block.stems + [block.stems.reduce(block.source, rest)]
        case .leadBack:
            let noLead = rest(block.source, without: block.stems[0])
            return block.stems + [rest(noLead, without: block.stems[1]), noLead]
        case .lead:
            let noVocals = block.stems.reduce(block.source, rest)
            return [rest(block.source, without: noVocals), noVocals, noVocals]
        }
    }

    /// The layouts that a job can end up with: which one, only the whole recording tells.
    var candidates: [TrackLayout] { self == .leadBack ? [.leadBack, .lead] : [self] }

    /// The candidate that is right.
    /// - Parameter energies: Of each stem, over the whole recording.
    func settled(_ energies: [Double]) -> TrackLayout {
        // Backing that is 40 dB below the lead is what a network gets wrong.
        self == .leadBack && energies[1] <= 1e-4 * energies[0] ? .lead : self
    }

    private func rest(_ source: [[Float]], without stem: [[Float]]) -> [[Float]] {
        zip(source, stem).map { source, stem in
            [Float](unsafeUninitializedCapacity: source.count) { rest, count in
                for index in source.indices { rest[index] = source[index] - stem[index] }
                count = source.count
            }
        }
    }
}
