/// What a track is written as: a container, and the codec of the sound in it.
public struct TrackFormat: Sendable, Hashable {
    /// The kinds of files, by their extension.
    public enum Container: String, Sendable, CaseIterable {
        case mp3, wav, flac, m4a, ogg
        /// With a moving picture.
        case mp4, mov, mkv, webm, avi
    }

    public let container: Container
    public let codec: AudioCodec

    public init(_ container: Container, _ codec: AudioCodec) {
        self.container = container
        self.codec = codec
    }

    public static let wav = TrackFormat(.wav, .pcm)
    public static let flac = TrackFormat(.flac, .flac)
    public static let mp3 = TrackFormat(.mp3, .mp3)

    /// The ending of file names (for Opus, RFC 7845, section 9).
    public var fileExtension: String {
        self == TrackFormat(.ogg, .opus) ? "opus" : container.rawValue
    }

    /// The media type for downloads, as registered with IANA.
    public var contentType: String {
        switch container {
        case .mp3: "audio/mpeg"
        case .wav: "audio/wav"
        case .flac: "audio/flac"
        case .m4a: "audio/mp4"
        case .ogg: "audio/ogg"
        case .mp4: "video/mp4"
        case .mov: "video/quicktime"
        case .mkv: "video/matroska"
        case .webm: "video/webm"
        case .avi: "video/vnd.avi"
        }
    }

    /// - Throws: ``MediaError/tooManyChannels(_:format:)`` where the codec ends at eight.
    public func requireRoom(forChannels channels: Int) throws(MediaError) {
        if !codec.holds(channels: channels) {
            throw .tooManyChannels(channels, format: container.rawValue)
        }
    }

    /// The container as ffmpeg is told.
    ///
    /// The edit lists of MP4 say where sound starts and ends, in units that are milliseconds unless one asks for better.
    func muxerArguments(sampleRate: Int) -> [String] {
        let timescale = ["-movie_timescale", "\(sampleRate)"]
        return switch container {
        case .wav: ["-rf64", "auto", "-f", "wav"]
        case .m4a: timescale + ["-f", "ipod"]
        case .mp4, .mov: timescale + ["-f", container.rawValue]
        case .mkv: ["-f", "matroska"]
        case .mp3, .flac, .ogg, .webm, .avi: ["-f", container.rawValue]
        }
    }
}

extension AudioInfo {
    /// What a track is where nothing else is asked for: the source's audio codec, else wav; of a film, the film
    /// with the codec that its container has and that is nearest to the source's.
    public var naturalFormat: TrackFormat {
        if let film { return TrackFormat(film.container, film.container.codec(for: self)) }
        return switch codec {
        case "mp3": .mp3
        case "flac": .flac
        case "aac": TrackFormat(.m4a, .aac)
        case "alac": TrackFormat(.m4a, .alac)
        case "vorbis": TrackFormat(.ogg, .vorbis)
        case "opus": TrackFormat(.ogg, .opus)
        default: .wav
        }
    }

    /// Every sample of what was recorded is in it.
    fileprivate var isLossless: Bool {
        codec.hasPrefix("pcm_")
            || [
                "flac", "alac", "ape", "mlp", "mp4als", "shorten", "tak", "truehd", "tta",
                "wavpack", "wmalossless",
            ].contains(codec)
    }
}

extension TrackFormat.Container {
    /// The codec for the sound of a film.
    fileprivate func codec(for source: AudioInfo) -> AudioCodec {
        let isMP3 = ["mp3", "mp2", "mp1"].contains(source.codec) && source.channels <= 2
        switch self {
        case .webm: return source.codec == "vorbis" ? .vorbis : .opus
        // It cannot say when sound begins, which AAC needs; and more than two channels only as they are.
        case .avi: return source.isLossless || source.channels > 2 ? .pcm : .mp3
        case .mov where source.isLossless: return source.codec == "alac" ? .alac : .pcm
        case .mkv where source.isLossless: return source.codec.hasPrefix("pcm_") ? .pcm : .flac
        case .mkv where source.codec == "vorbis": return .vorbis
        case .mkv where source.codec == "opus": return .opus
        default: return source.isLossless ? .alac : isMP3 ? .mp3 : .aac
        }
    }
}
