import Foundation

/// A recording that was uploaded and can be split.
public struct Source: Sendable, Codable, Hashable {
    /// What clients call it.
    public let id: UUID
    /// Whose it is.
    public let licence: UUID
    /// The name that the client gave: data, never a path.
    public let name: String
    /// Bytes.
    public let size: Int64
    /// Seconds.
    public let duration: Double
    /// Its bytes.
    public let blob: BlobKey
    /// When it was uploaded.
    public let created: Date
    /// From when on it can no longer be split.
    public let expires: Date

    /// A source, new unless it has an id.
    public init(
        id: UUID = UUID(), licence: UUID, name: String, size: Int64, duration: Double,
        blob: BlobKey, created: Date, expires: Date
    ) {
        self.id = id
        self.licence = licence
        self.name = name
        self.size = size
        self.duration = duration
        self.blob = blob
        self.created = created
        self.expires = expires
    }
}

/// What a probe of an upload found out.
public struct ProbedMedia: Sendable, Hashable {
    /// Seconds, more than zero.
    public let duration: Double

    /// What a probe found.
    public init(duration: Double) { self.duration = duration }
}

/// Looks into an uploaded file; what cannot be read as audio is refused.
public protocol MediaProbe: Sendable {
    /// - Throws: ``UnreadableMedia`` where the file is not audio, or has no length.
    func probe(file path: String) async throws -> ProbedMedia
}

/// A file that is not audio, as a client is told.
public struct UnreadableMedia: Error, Sendable {
    /// snake_case, for programs.
    public let code: String
    /// A sentence, for people.
    public let detail: String

    /// A refusal.
    public init(code: String, detail: String) {
        self.code = code
        self.detail = detail
    }
}
