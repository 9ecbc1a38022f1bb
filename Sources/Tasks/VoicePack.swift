import Foundation

/// A voice that a recording can be given.
public struct VoicePack: Sendable, Hashable {
    /// What tasks name it by.
    public let id: String
    /// What people call it.
    public let name: String
    /// When it was made.
    public let created: Date
    /// Whether it is really there; tasks that name another one end in `error`.
    public let isReady: Bool

    /// A voice.
    public init(id: String, name: String, created: Date, isReady: Bool) {
        self.id = id
        self.name = name
        self.created = created
        self.isReady = isReady
    }

    /// The voices that every server lists, as the published API promises their names; none of them ready.
    public static let named: [VoicePack] = [
        ("ALEX_KAYE", "Alex Kaye"), ("STASIA_FAYE", "Stasia Faye"),
        ("NICOLAAS_HAAS", "Nicolaas Haas"), ("NIK_ZEL", "Nik Zel"), ("OLIA_CHEBO", "Olia Chebo"),
        ("YVAR_DE_GROOT", "Yvar de Groot"), ("VETRANA", "Vetrana"),
    ].map { id, name in
        // 2026-11-25, when they were first listed.
        VoicePack(
            id: id, name: name, created: Date(timeIntervalSince1970: 1_795_564_800), isReady: false)
    }
}

/// Knows the voices that are installed, at any time anew.
public protocol VoiceCatalog: Sendable {
    /// Those that a licence may use: everybody's and its own, the oldest first.
    func voicePacks(visibleTo licence: UUID) -> [VoicePack]
}
