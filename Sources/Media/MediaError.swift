/// Why a file cannot be read or written, as a person and as a program are told.
public enum MediaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// ffmpeg, ffprobe or prlimit is not installed.
    case toolMissing(String)
    /// Not a recording, or one in a format that is not accepted.
    case unreadable
    /// A film without sound, a picture, ….
    case noAudio
    /// There is not one sample in it.
    case empty
    /// It ends before its own header says.
    case truncated(declared: Double, found: Double)
    /// A limit on time, memory or size was reached.
    case limitExceeded
    /// More samples than this server takes in one recording, or more a second than any recorder makes.
    case tooLong
    /// There is no room for the samples of a recording.
    case diskFull
    /// A decoder was stopped before its end.
    case decodingInterrupted
    /// More channels than the format of the results can hold.
    case tooManyChannels(Int, format: String)
    /// An encoder failed.
    case encodingFailed(format: String)

    /// Whether the file itself is at fault, so that trying again cannot help.
    public var isFinal: Bool {
        switch self {
        case .unreadable, .noAudio, .empty, .truncated, .tooLong, .tooManyChannels: true
        case .toolMissing, .limitExceeded, .diskFull, .decodingInterrupted, .encodingFailed: false
        }
    }

    /// snake_case, for programs.
    public var code: String {
        switch self {
        case .toolMissing: "media_tool_missing"
        case .unreadable: "unreadable_media"
        case .noAudio: "no_audio"
        case .empty: "empty_media"
        case .truncated: "truncated_media"
        case .limitExceeded: "media_limit"
        case .tooLong: "media_too_long"
        case .diskFull: "disk_full"
        case .decodingInterrupted: "decoding_interrupted"
        case .tooManyChannels: "too_many_channels"
        case .encodingFailed: "encoding_failed"
        }
    }

    /// A sentence, for people.
    public var description: String {
        switch self {
        case .toolMissing(let tool):
            "The program \(tool) is not installed. bin/partita installs it."
        case .unreadable:
            "The file is not audio or video in a format that can be read."
        case .noAudio: "The file has no audio track."
        case .empty: "The file has no audio in it: its length is zero."
        case .truncated(let declared, let found):
            "The file is cut off: it should last \(declared.rounded()) seconds, but ends after \(found.rounded())."
        case .limitExceeded:
            "The file needs more time or memory to read than this server allows."
        case .tooLong: "The recording is longer, or has more channels, than this server accepts."
        case .diskFull: "There is no room left on the disk for the samples of the recording."
        case .decodingInterrupted: "Reading the recording was interrupted."
        case .tooManyChannels(let channels, let format):
            "The recording has \(channels) channels, \(format) holds at most 8. Ask for wav."
        case .encodingFailed(let format): "The result could not be written as \(format)."
        }
    }
}
