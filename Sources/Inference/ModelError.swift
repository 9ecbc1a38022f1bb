/// Why models cannot do what was asked.
public enum ModelError: Error, CustomStringConvertible, Equatable {
    /// No installed models separate these stems, or not together.
    case notInstalled(stems: [String])
    /// The inference runtime is missing or did not load.
    case runtimeMissing(reason: String)
    /// A model pack was refused: its manifest, hash, shapes or test inference is wrong.
    case refused(pack: String, reason: String)
    /// The network failed while it ran.
    case inferenceFailed(pack: String, reason: String)

    /// Whether installing a model would help.
    public var isNotInstalled: Bool {
        if case .notInstalled = self { true } else { false }
    }

    public var description: String {
        switch self {
        case .notInstalled(let stems):
            "No installed model can separate \(stems.map { "“\($0)”" }.joined(separator: ", ")). `partita models list` shows what is installed."
        case .runtimeMissing(let reason):
            "The inference runtime could not be loaded (\(reason)). Run bin/partita once with a network to install it."
        case .refused(let pack, let reason): "The model pack \(pack) was refused: \(reason)."
        case .inferenceFailed(let pack, let reason): "The model \(pack) failed: \(reason)."
        }
    }
}
