import Separation

/// Which tracks a job makes of its stems.
public enum TrackLayout: Sendable {
    /// Each stem, followed by the source without it.
    case pairs
    /// All stems, followed by the source without any of them.
    case together

    /// What a job's tracks are called, in the order of ``tracks(of:)``.
    public func labels(_ stems: [String]) -> [(label: String, isBack: Bool)] {
        switch self {
        case .pairs: stems.flatMap { [($0, false), ("no_\($0)", true)] }
        case .together: stems.map { ($0, false) } + [("no_multistem", true)]
        }
    }

    /// The samples of a block's tracks, `[track][channel][sample]`.
    func tracks(of block: SeparatedBlock) -> [[[Float]]] {
        switch self {
        case .pairs: block.stems.flatMap { [$0, rest(block.source, without: $0)] }
        case .together: block.stems + [block.stems.reduce(block.source, rest)]
        }
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
