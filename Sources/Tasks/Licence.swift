import Foundation

/// Who may use the server. The key itself is never stored, only its hash.
public struct Licence: Sendable, Codable, Hashable {
    /// Ours; appears in logs.
    public let id: UUID
    /// What the operator calls it.
    public let name: String
    /// SHA-256 of the key, lower-case hex. Keys have 128 random bits or more, so a fast hash is enough.
    public let keyHash: String
    /// When it was made.
    public let created: Date

    /// A licence, new unless it has an id.
    public init(id: UUID = UUID(), name: String, keyHash: String, created: Date) {
        self.id = id
        self.name = name
        self.keyHash = keyHash
        self.created = created
    }
}
