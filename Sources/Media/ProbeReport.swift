import Foundation

/// ffprobe's answer.
struct ProbeReport: Decodable {
    struct Stream: Decodable {
        let index: Int
        let codecType: String?
        let codecName: String?
        let sampleRate: String?
        let channels: Int?
        let channelLayout: String?
        let duration: String?
        let width: Int?
        let height: Int?
        let disposition: [String: Int]?
        let tags: [String: String]?

        var isSound: Bool { codecType == "audio" }
        var isMovingPicture: Bool { codecType == "video" && !has("attached_pic") }

        func has(_ disposition: String) -> Bool { self.disposition?[disposition] == 1 }
    }
    struct Format: Decodable {
        let formatName: String?
        let duration: String?
        let tags: [String: String]?
    }
    let streams: [Stream]?
    let format: Format?

    /// Seconds that a header is believed.
    private static let longest = 1e7

    /// - Parameter head: The beginning of the file.
    /// - Throws: ``MediaError`` where there is no sound in it, or more than the limits allow.
    func info(_ limits: MediaLimits, head: Data, isDurationEstimated: Bool) throws -> AudioInfo {
        let streams = streams ?? []
        let sounds = streams.filter(\.isSound)
        guard let audio = sounds.first(where: { $0.has("default") }) ?? sounds.first else {
            throw streams.isEmpty ? MediaError.unreadable : MediaError.noAudio
        }
        guard let codec = audio.codecName, let rate = audio.sampleRate.flatMap(Int.init),
            let channels = audio.channels, (1000...768_000).contains(rate),
            (1...64).contains(channels)
        else { throw MediaError.unreadable }
        if rate * channels > limits.samplesPerSecond { throw MediaError.tooLong }
        let film = film(head: head, language: audio.tags?["language"])
        // Most films tell how long the picture lasts, not the sound.
        let isFilm = film != nil && format?.formatName?.contains("mov") != true
        let declared = (audio.duration ?? format?.duration).flatMap(Double.init) ?? 0
        // A container that does not say (duration "N/A") is decoded to find out.
        if declared <= 0, audio.duration != nil || format?.duration != nil {
            throw MediaError.empty
        }
        // Nor does one say it whose header has years in it.
        let duration = declared < ProbeReport.longest ? declared : 0
        return AudioInfo(
            stream: audio.index, sampleRate: rate, channels: channels,
            // "6 channels" and "unknown" name nothing.
            channelLayout: audio.channelLayout.flatMap {
                $0.contains(" ") || $0 == "unknown" ? nil : $0
            },
            codec: codec, container: format?.formatName ?? "", film: film, cover: cover,
            duration: duration,
            isDurationEstimated: isDurationEstimated || isFilm || duration <= 0,
            tags: Tag.copied(tags(of: audio)))
    }

    private func tags(of audio: Stream) -> [String: String] {
        let whole = format?.tags ?? [:]
        // In Ogg they are the stream's. Elsewhere a stream's are of its language and its making.
        return format?.formatName == "ogg"
            ? whole.merging(audio.tags ?? [:]) { whole, _ in whole } : whole
    }

    private func film(head: Data, language: String?) -> Film? {
        let streams = streams ?? []
        let pictures = streams.filter(\.isMovingPicture)
        if pictures.isEmpty { return nil }
        let same = Film.container(format?.formatName ?? "", head: head)
        let subtitles = same.map(Film.subtitles) ?? []
        return Film(
            container: same ?? .mkv,
            streams: (pictures
                + streams.filter { stream in
                    stream.codecType == "subtitle" && subtitles.contains(stream.codecName ?? "")
                }).map(\.index),
            language: language.flatMap { $0.wholeMatch(of: /[A-Za-z-]{2,16}/).map { String($0.0) } }
        )
    }

    private var cover: Cover? {
        for stream in streams ?? [] where stream.has("attached_pic") {
            if let kind = stream.codecName.flatMap(Cover.Kind.init) {
                return Cover(
                    stream: stream.index, kind: kind, width: stream.width ?? 0,
                    height: stream.height ?? 0)
            }
        }
        return nil
    }
}
