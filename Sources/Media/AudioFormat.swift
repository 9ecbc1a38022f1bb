/// The formats that can be asked for.
public enum AudioFormat: String, Sendable, CaseIterable, Codable {
    case mp3, wav, flac, aac, ogg

    /// What a track of this format is. AAC is put into MP4, which can tell the exact length; a raw stream cannot.
    public var trackFormat: TrackFormat {
        switch self {
        case .mp3: .mp3
        case .wav: .wav
        case .flac: .flac
        case .aac: TrackFormat(.m4a, .aac)
        case .ogg: TrackFormat(.ogg, .vorbis)
        }
    }
}
