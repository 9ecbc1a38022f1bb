/// What a recording is divided into.
public enum SplitKind: Sendable, Hashable {
    /// Stems of the API, in the order in which they are wanted. `clearCut`: less bleed over more of the stem.
    case stems([String], clearCut: Bool)

    /// The names of the stems that a ``StemStream`` gives, in its order.
    public var stems: [String] {
        switch self {
        case .stems(let stems, _): stems
        }
    }
}
