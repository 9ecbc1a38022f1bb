import Foundation

/// A voice that a recording can be given.
public struct VoicePack: Sendable, Hashable {
    /// What tasks name it by.
    public let id: String
    /// What people call it.
    public let name: String
    /// When it was made.
    public let created: Date

    /// The voices that every server offers, whose names the published API promises.
    public static let named: [VoicePack] = [
        ("ALEX_KAYE", "Alex Kaye"), ("STASIA_FAYE", "Stasia Faye"),
        ("NICOLAAS_HAAS", "Nicolaas Haas"), ("NIK_ZEL", "Nik Zel"), ("OLIA_CHEBO", "Olia Chebo"),
        ("YVAR_DE_GROOT", "Yvar de Groot"), ("VETRANA", "Vetrana"),
    ].map { id, name in
        // 2026-11-25, when they were first listed.
        VoicePack(id: id, name: name, created: Date(timeIntervalSince1970: 1_795_564_800))
    }
}
