import Foundation

/// Where a task is in its life. `queued → running → success | error`, and `cancelled` from the first two.
public enum TaskStatus: String, Sendable, Codable {
    case queued, running, success, error, cancelled

    /// Whether nothing will change any more.
    public var isFinal: Bool { self == .success || self == .error || self == .cancelled }
}

/// A request to split a source, and what became of it.
///
/// Named in full, because Swift's concurrency has a `Task` too.
public struct SplitTask: Sendable, Codable, Hashable {
    /// What clients call it.
    public let id: UUID
    /// Whose it is.
    public let licence: UUID
    /// What is split.
    public let source: UUID
    /// How.
    public let presets: Presets
    /// The splitter name that is echoed: who serves the task.
    public let servedBy: Splitter
    /// What it costs, in milliseconds of audio: reserved while it is open, charged when it succeeds.
    public let cost: Int64
    /// Where its end is told; `nil`: where the licence says, or nowhere.
    public let callbackURL: String?
    /// Where it is in its life.
    public var status: TaskStatus
    /// 0 while queued, 1–99 while running, 100 with the tracks. Never goes down.
    public var progress: Int
    /// How often a worker has leased it.
    public var attempts: Int
    /// Its results; empty until it has succeeded.
    public var tracks: [Track]
    /// Seconds of audio, known when it has succeeded.
    public var duration: Double?
    /// Why it ended in `error`; `nil` in every other state.
    public var failure: TaskFailure?
    /// When it was accepted.
    public let created: Date

    /// A task, new unless it has an id.
    public init(
        id: UUID = UUID(), licence: UUID, source: UUID, presets: Presets, servedBy: Splitter,
        cost: Int64 = 0, callbackURL: String? = nil,
        status: TaskStatus = .queued, progress: Int = 0, attempts: Int = 0, tracks: [Track] = [],
        duration: Double? = nil, failure: TaskFailure? = nil, created: Date
    ) {
        self.id = id
        self.licence = licence
        self.source = source
        self.presets = presets
        self.servedBy = servedBy
        self.cost = cost
        self.callbackURL = callbackURL
        self.status = status
        self.progress = progress
        self.attempts = attempts
        self.tracks = tracks
        self.duration = duration
        self.failure = failure
        self.created = created
    }
}

/// What became of the wish to cancel a task.
public enum Cancellation: Sendable, Hashable {
    /// The task was open and is cancelled now.
    case cancelled
    /// It had ended before.
    case ended
    /// There is none of this licence with this id.
    case unknown
}

/// Why a task ended in `error`.
public struct TaskFailure: Error, Sendable, Codable, Hashable {
    /// snake_case, for programs.
    public let code: String
    /// A sentence, for people.
    public let detail: String

    /// A failure.
    public init(code: String, detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// One result of a task.
public struct Track: Sendable, Codable, Hashable {
    /// What was asked for, or what is left of the source.
    public enum Kind: String, Sendable, Codable { case stem, back }

    /// Stem or back.
    public let kind: Kind
    /// `vocals`, `no_vocals`, …
    public let label: String
    /// The file name that a download is given.
    public let name: String
    /// Its bytes.
    public let blob: BlobKey
    /// Bytes.
    public let size: Int64
    /// The media type that a download is given.
    public let contentType: String
    /// Its peaks as JSON, for drawing it; `nil` where they could not be made.
    public let waveform: BlobKey?
    /// An HLS playlist of ``stream``, which it names by a bare file name; `nil` where there is none.
    public let playlist: BlobKey?
    /// The sound in segments, as the playlist says; there with it, or `nil` with it.
    public let stream: BlobKey?

    /// Every blob that the track keeps alive.
    public var blobs: [BlobKey] { [blob] + [waveform, playlist, stream].compactMap(\.self) }

    /// A track whose blobs are committed.
    public init(
        kind: Kind, label: String, name: String, blob: BlobKey, size: Int64, contentType: String,
        waveform: BlobKey? = nil, playlist: BlobKey? = nil, stream: BlobKey? = nil
    ) {
        self.kind = kind
        self.label = label
        self.name = name
        self.blob = blob
        self.size = size
        self.contentType = contentType
        self.waveform = waveform
        self.playlist = playlist
        self.stream = stream
    }
}

/// The right of one worker to work on one task, until it expires.
///
/// The fence rises with every lease of a task: a worker whose lease ran out and was given to another
/// holds an old fence, and can neither report progress nor publish.
public struct Lease: Sendable, Hashable {
    /// The work, as it was when it was leased.
    public let task: SplitTask
    /// What is split.
    public let source: Source
    /// Rises with every lease of the task.
    public let fence: Int

    /// Made by stores.
    public init(task: SplitTask, source: Source, fence: Int) {
        self.task = task
        self.source = source
        self.fence = fence
    }
}

/// What a finished task leaves.
public struct TaskResult: Sendable, Hashable {
    /// In the order in which clients get them.
    public let tracks: [Track]
    /// Seconds.
    public let duration: Double
    /// The common factor that all tracks were scaled by, 1 unless a peak was over full scale.
    public let gain: Double

    /// A result whose blobs are committed.
    public init(tracks: [Track], duration: Double, gain: Double) {
        self.tracks = tracks
        self.duration = duration
        self.gain = gain
    }
}
