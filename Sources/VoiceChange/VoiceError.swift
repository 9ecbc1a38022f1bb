/// Why a voice cannot be made, found or used.
public enum VoiceError: Error, Equatable, CustomStringConvertible {
    /// There is nobody in a recording.
    case noVoice
    /// Recordings hold less voice than a pack needs.
    case tooShort(seconds: Double, needed: Double)
    /// A recording is cut off at full scale.
    case clipped(recording: String)
    /// A recording is silent.
    case silent(recording: String)
    /// Most of what sounds in a recording is not a voice.
    case notAVoice(recording: String)
    /// No pack has the id.
    case unknown(id: String)
    /// A pack has the id already.
    case taken(id: String)
    /// Ids are file names, too.
    case badID(String)
    /// A pack on disk is not what it says it is.
    case refused(pack: String, reason: String)
    /// A pack cannot be written or removed.
    case storage(reason: String)
    /// The library for transforms is broken.
    case transform(size: Int)

    /// For programs; snake case.
    public var code: String {
        switch self {
        case .noVoice: "no_voice"
        case .tooShort: "voice_too_short"
        case .clipped: "clipped"
        case .silent: "silent"
        case .notAVoice: "not_a_voice"
        case .unknown: "unknown_voice_pack"
        case .taken: "voice_pack_exists"
        case .badID: "bad_voice_pack_id"
        case .refused: "voice_pack_refused"
        case .storage: "storage"
        case .transform: "transform"
        }
    }

    public var description: String {
        switch self {
        case .noVoice:
            "There is no voice in the recording."
        case .tooShort(let seconds, let needed):
            "The recordings hold \(Int(seconds)) seconds of voice; a voice pack needs at least "
                + "\(Int(needed)) (a few minutes are better)."
        case .clipped(let recording):
            "\(recording) is clipped: it is cut off at full scale again and again. Record it at a lower level."
        case .silent(let recording):
            "\(recording) is silent."
        case .notAVoice(let recording):
            "Most of what sounds in \(recording) is not one voice. Music or noise must be taken out first."
        case .unknown(let id):
            "There is no voice pack “\(id)”."
        case .taken(let id):
            "There is a voice pack “\(id)” already."
        case .badID(let id):
            "“\(id)” cannot be the id of a voice pack: letters, digits, “_” and “-” can, at most 64."
        case .refused(let pack, let reason):
            "The voice pack \(pack) was refused: \(reason)."
        case .storage(let reason):
            "The voice packs cannot be changed: \(reason)."
        case .transform(let size):
            "libavutil has no real transform of size \(size)."
        }
    }
}
