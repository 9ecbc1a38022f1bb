/// What `voice.json` of a pack of any kind says: a ``VoiceManifest`` or a ``NeuralManifest``.
public protocol VoicePackManifest: Codable, Sendable, Equatable {
    /// The version of the format.
    var format: Int { get }
    /// How the voice is kept.
    var kind: String { get }
    /// What tasks name it by, and its folder's name.
    var id: String { get }
    /// What people call it.
    var name: String { get }
    var description: String { get }
    /// Unix seconds.
    var created: Int { get }
    /// The id of the license that owns the pack; nil: everybody's.
    var license: String? { get }
    /// What it was made from, and under which terms.
    var sources: [VoiceManifest.Source] { get }
    /// Hertz, where it is known.
    var medianFrequency: Double? { get }

    /// The kind that manifests of this type have.
    static var kind: String { get }
    /// The format that this version reads.
    static var format: Int { get }
    /// What is wrong with it, as far as it can be told without the pack's other files.
    func fault() -> String?
}

extension VoicePackManifest {
    static func formatFault(_ format: Int) -> String {
        format < Self.format
            ? "it was made by an earlier version of the program; make it again"
            : "its format \(format) is not one that this version reads"
    }

    /// What is wrong with what manifests of all kinds say.
    func generalFault() -> String? {
        if format != Self.format { return Self.formatFault(format) }
        if kind != Self.kind { return "its kind “\(kind)” is not one that this version runs" }
        if !VoiceManifest.isID(id) { return "its id is none" }
        if name.isEmpty || name.count > 200 { return "its name is empty or too long" }
        return nil
    }
}
