import Foundation

/// Where a task is in its life. `queued → running → success | error`, and `cancelled` from the first two.
public enum TaskStatus: String, Sendable, Codable {
    case queued, running, success, error, cancelled

    public var isFinal: Bool { self == .success || self == .error || self == .cancelled }
}

/// A request to split a source, and what became of it.
///
/// Named in full, because Swift's concurrency has a `Task` too.
public struct SplitTask: Sendable, Codable, Hashable {
    public let id: UUID
    public let licence: UUID
    public let source: UUID
    public let presets: Presets
    /// The splitter name that is echoed: who serves the task.
    public let servedBy: Splitter
    public var status: TaskStatus
    /// 0 while queued, 1–99 while running, 100 with the tracks. Never goes down.
    public var progress: Int
    /// How often a worker has leased it.
    public var attempts: Int
    public var tracks: [Track]
    /// Seconds of audio, known when it has succeeded.
    public var duration: Double?
    public var failure: TaskFailure?
    public let created: Date

    public init(
        id: UUID = UUID(), licence: UUID, source: UUID, presets: Presets, servedBy: Splitter,
        status: TaskStatus = .queued, progress: Int = 0, attempts: Int = 0, tracks: [Track] = [],
        duration: Double? = nil, failure: TaskFailure? = nil, created: Date
    ) {
        self.id = id
        self.licence = licence
        self.source = source
        self.presets = presets
        self.servedBy = servedBy
        self.status = status
        self.progress = progress
        self.attempts = attempts
        self.tracks = tracks
        self.duration = duration
        self.failure = failure
        self.created = created
    }
}

/// Why a task ended in `error`.
public struct TaskFailure: Error, Sendable, Codable, Hashable {
    /// snake_case, for programs.
    public let code: String
    /// A sentence, for people.
    public let detail: String

    public init(code: String, detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// One result of a task.
public struct Track: Sendable, Codable, Hashable {
    public enum Kind: String, Sendable, Codable { case stem, back }

    public let kind: Kind
    /// `vocals`, `no_vocals`, …
    public let label: String
    /// The file name that a download is given.
    public let name: String
    public let blob: BlobKey
    /// Bytes.
    public let size: Int64
    public let contentType: String

    public init(
        kind: Kind, label: String, name: String, blob: BlobKey, size: Int64, contentType: String
    ) {
        self.kind = kind
        self.label = label
        self.name = name
        self.blob = blob
        self.size = size
        self.contentType = contentType
    }
}

/// The right of one worker to work on one task, until it expires.
///
/// The fence rises with every lease of a task: a worker whose lease ran out and was given to another
/// holds an old fence, and can neither report progress nor publish.
public struct Lease: Sendable, Hashable {
    public let task: SplitTask
    public let source: Source
    public let fence: Int

    public init(task: SplitTask, source: Source, fence: Int) {
        self.task = task
        self.source = source
        self.fence = fence
    }
}

/// What a finished task leaves.
public struct TaskResult: Sendable, Hashable {
    public let tracks: [Track]
    /// Seconds.
    public let duration: Double
    /// The common factor that all tracks were scaled by, 1 unless a peak was over full scale.
    public let gain: Double

    public init(tracks: [Track], duration: Double, gain: Double) {
        self.tracks = tracks
        self.duration = duration
        self.gain = gain
    }
}
