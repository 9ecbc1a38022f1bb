import Foundation

/// What the tracks of a recording take over from it, beside sound: tags, and a cover or a moving picture.
public struct Carryover: Sendable {
    fileprivate(set) var tags: [Tag] = []
    fileprivate var cover: CoverFile?
    fileprivate var film: (film: Film, file: String, soundStart: Double)?

    /// Nothing.
    public init() {}

    /// The same with the title of one track.
    /// - Parameter name: What is put behind the source's: `vocals`, `no vocals`, ….
    public func titled(_ name: String) -> Carryover {
        var copy = self
        copy.tags = tags.map { $0.titled(name) }
        return copy
    }

    /// Removes the files that were made.
    public func cleanUp() {
        guard let cover else { return }
        for path in [cover.path, cover.comment] {
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}

extension MediaTools {
    /// Collects what tracks of a format take over from their source.
    /// - Parameter info: With tags.
    /// - Parameter folder: Where files are made; ``Carryover/cleanUp()`` removes them.
    /// - Throws: ``MediaError``; only what a track cannot be without.
    public func carryover(
        from file: String, _ info: AudioInfo, to format: TrackFormat, folder: String
    ) async throws -> Carryover {
        var carryover = Carryover()
        carryover.tags = info.tags
        if let film = info.film, film.container == format.container {
            carryover.film = (film, file, try await soundStart(file, info))
        } else if let cover = info.cover, format.container != .wav {
            carryover.cover = await self.cover(cover, of: file, folder: folder)
        }
        return carryover
    }
}

extension Carryover {
    /// What ffmpeg is told before the sound, its first input.
    ///
    /// Matroska and AVI have no field for the delay of MP3 and AAC, so the sound begins earlier by it (``filter(_:sampleRate:)``).
    /// For Opus, Matroska has one: ffmpeg 5.1 writes and reads it, but does not count it when it writes times.
    func soundArguments(_ format: TrackFormat) -> [String] {
        guard let film else { return [] }
        let isMatroska = film.film.container == .mkv || film.film.container == .webm
        let delay = isMatroska && format.codec == .opus ? 0.0065 : 0
        return ["-itsoffset", String(format: "%.6f", film.soundStart + delay)]
    }

    /// More inputs, after the sound.
    func inputArguments(_ format: TrackFormat) -> [String] {
        if let film {
            // Program streams lack times that others need.
            return MediaTools.keepTimes + ["-fflags", "+genpts"] + MediaTools.input(film.file)
        }
        guard let cover else { return [] }
        let isComment = format.container == .ogg
        return ["-protocol_whitelist", "file,pipe", "-f"]
            + (isComment ? ["ffmetadata"] : ["image2", "-pattern_type", "none"])
            + ["-i", MediaTools.address(isComment ? cover.comment : cover.path)]
    }

    /// What is made of the inputs.
    func outputArguments(_ format: TrackFormat, sampleRate: Int) -> [String] {
        var arguments: [String] = []
        if let film {
            arguments += film.film.streams.flatMap { ["-map", "1:\($0)"] }
            arguments += ["-map", "0:a", "-c:v", "copy", "-c:s", "copy", "-map_chapters", "1"]
            // The whole's tags are ours, those of pictures and chapters stay.
            arguments += ["-disposition:a", "default", "-map_metadata:g", "-1"]
            if let language = film.film.language {
                arguments += ["-metadata:s:a", "language=\(language)"]
            }
            arguments += filter(format, sampleRate: sampleRate)
        } else if cover != nil, format.container == .ogg {
            arguments += ["-map", "0:a", "-map_metadata", "1"]
        } else if cover != nil {
            arguments += ["-map", "0:a", "-map", "1:v", "-c:v", "copy", "-map_metadata", "-1"]
            arguments += [
                "-disposition:v", "attached_pic", "-metadata:s:v", "comment=Cover (front)",
            ]
        } else {
            arguments += ["-map_metadata", "-1"]
        }
        return arguments + tags.flatMap { ["-metadata", "\($0.key)=\($0.value)"] }
    }

    /// Leaves out as much of the beginning as the codec will be late by, where the container cannot tell it. The sound of
    /// such a source begins with the same delay, unless its codec was another one.
    private func filter(_ format: TrackFormat, sampleRate: Int) -> [String] {
        guard [.mkv, .avi].contains(format.container), format.codec.delay > 0 else { return [] }
        let rate = format.codec.sampleRate(for: sampleRate)
        return ["-af", "aresample=\(rate),atrim=start_sample=\(format.codec.delay)"]
    }
}
