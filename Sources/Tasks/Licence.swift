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
    /// What it allows.
    public let terms: LicenceTerms
    /// Since when its key opens nothing; `nil` while it does.
    public let revoked: Date?

    /// A licence, new unless it has an id.
    public init(
        id: UUID = UUID(), name: String, keyHash: String, created: Date,
        terms: LicenceTerms = LicenceTerms(), revoked: Date? = nil
    ) {
        self.id = id
        self.name = name
        self.keyHash = keyHash
        self.created = created
        self.terms = terms
        self.revoked = revoked
    }
}

/// What a licence allows. Everything, unless told otherwise.
public struct LicenceTerms: Sendable, Codable, Hashable {
    /// Whether tasks are accepted only as long as there are minutes left.
    public var metered = false
    /// Seconds of one source; `nil`: any length.
    public var maximumDuration: Double?
    /// Bytes of one source; `nil`: what the server accepts.
    public var maximumSize: Int64?
    /// Whether batches are accepted.
    public var batches = true
    /// Where the end of each task is told, unless the task names another address.
    public var callbackURL: String?

    /// Terms that allow everything.
    public init() {}
}
