import Foundation
import Media
import TestSupport
import Testing

/// Tags and covers of a recording are those of its tracks.
@Suite final class CarryoverTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    /// Every format that is written, by a name that ffmpeg makes one of.
    private static let formats: [(name: String, format: TrackFormat, codec: [String])] = [
        ("a.mp3", .mp3, []), ("a.wav", .wav, []), ("a.flac", .flac, []),
        ("a.m4a", TrackFormat(.m4a, .aac), []),
        ("alac.m4a", TrackFormat(.m4a, .alac), ["-c:a", "alac"]),
        ("a.ogg", TrackFormat(.ogg, .vorbis), ["-c:a", "libvorbis"]),
        ("a.opus", TrackFormat(.ogg, .opus), ["-c:a", "libopus", "-ar", "48000"]),
    ]

    private static let tags = [
        "artist": "Ärtist 🎵", "album": "-y = ; # \\ \"$(true)' %d", "genre": "Pop",
        "comment": "two\nlines", "date": "2001",
    ]
    /// True of the source, but not of a track.
    private static let others = [
        "REPLAYGAIN_TRACK_GAIN": "-9.5 dB", "replaygain_album_peak": "1.0", "R128_TRACK_GAIN": "5",
        "encoder": "Old 1.0", "encoded_by": "Somebody", "LENGTH": "1", "TLEN": "250",
        "iTunSMPB": "00000000 00000840", "ACOUSTID_FINGERPRINT": "AQAB",
    ]

    /// The tags of a file and its sound, their names in small letters.
    private func tags(_ file: URL) throws -> [String: String] {
        struct Report: Decodable {
            struct Part: Decodable { let tags: [String: String]? }
            let streams: [Part]
            let format: Part
        }
        let probe = try run(
            "ffprobe",
            [
                "-v", "error", "-select_streams", "a", "-show_entries",
                "format_tags:stream_tags", "-of", "json", file.path,
            ])
        let report = try JSONDecoder().decode(Report.self, from: probe.output)
        let all = [report.format, report.streams[0]].flatMap { Array($0.tags ?? [:]) }
        return Dictionary(all.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
    }

    private func arguments(_ tags: [String: String]) -> [String] {
        tags.flatMap { ["-metadata", "\($0.key)=\($0.value)"] }
    }

    @Test(arguments: formats.indices)
    func tagsAreCopiedAndTheTitleGetsTheStemsName(_ index: Int) async throws {
        let (name, _, codec) = Self.formats[index]
        let source = try folder.make(
            name, from: Self.song,
            ["-t", "0.3"] + codec + arguments(Self.tags) + arguments(Self.others)
                + ["-metadata", "title=Mein Lied"])
        #expect(try tags(source)["title"] == "Mein Lied")
        for (_, format, _) in Self.formats {
            let copy = try await tools.copy(source, as: format, title: "no vocals", in: folder)
            let found = try tags(copy)
            #expect(found["title"] == "Mein Lied (no vocals)", "\(name) \(format)")
            for (key, value) in Self.tags {
                #expect(found[key] == value, "\(name) \(format) \(key)")
            }
            for key in Self.others.keys where key != "encoder" {
                #expect(found[key.lowercased()] == nil, "\(name) \(format) \(key)")
            }
            #expect(found["encoder"]?.contains("Old") != true)
        }
    }

    /// No title is made up, and nothing else.
    @Test func aRecordingWithoutTagsGivesTracksWithout() async throws {
        let source = try folder.make(
            "a.flac", from: Self.song, ["-t", "0.3", "-map_metadata", "-1", "-fflags", "+bitexact"])
        let copy = try await tools.copy(source, in: folder)
        #expect(try tags(copy).isEmpty)
    }

    /// A recording with any tags, which arguments could not carry.
    private func make(_ name: String, tags: [String: String]) throws -> URL {
        func escaped(_ text: String) -> String {
            text.map { "=;#\\\n[".contains($0) ? "\\\($0)" : "\($0)" }.joined()
        }
        let lines = tags.map { escaped($0.key) + "=" + escaped($0.value) }
        let text = try folder.write(
            "tags.txt", ";FFMETADATA1\n" + lines.joined(separator: "\n") + "\n")
        return try folder.make(
            name, from: Self.song,
            ["-f", "ffmetadata", "-i", text.path, "-map", "0:a", "-map_metadata", "1", "-t", "0.3"])
    }

    /// Tags come from anywhere. Whatever they are, they are values.
    @Test func hostileTagsAreWordsAndNoMore() async throws {
        let hostile = [
            "title": "x\nARTIST=evil\n[CHAPTER]\nSTART=0", "artist": "-f",
            "album": "\\ \u{1}\u{7f};#=", "-y": "/etc/passwd", "[CHAPTER]": "y",
            "a;b#": "file:/etc/passwd", "-map": "0:1", "comment": "'; rm -rf / #",
            "key\\x": "\\x",
        ]
        let source = try make("a.flac", tags: hostile)
        let before = try tags(source)
        #expect(hostile.allSatisfy { before[$0.key.lowercased()] == $0.value })
        let files = try folder.files()
        for (_, format, _) in Self.formats {
            let copy = try await tools.copy(source, as: format, in: folder)
            let found = try tags(copy)
            #expect(found["artist"] == "-f" && found["comment"] == "'; rm -rf / #", "\(format)")
            #expect(found["title"] == hostile["title"]! + " (vocals)", "\(format)")
            if format == .flac {
                #expect(found.keys.sorted() == hostile.keys.map { $0.lowercased() }.sorted())
            }
            #expect(try facts(copy, ["-show_chapters"]).isEmpty)
            #expect(try decode(copy)[0].count >= 13_000)
            #expect(try folder.files() == (files + [copy.lastPathComponent]).sorted())
            try FileManager.default.removeItem(at: copy)
        }
    }

    /// Ten megabytes are no word; nor are many that are long together.
    @Test func tagsThatAreTooLongAreLeftOut() async throws {
        let long = String(repeating: "0123456789", count: 1_000_000)
        var many = ["long": long, "title": "Lied"]
        for index in 10..<40 { many["word\(index)"] = String(long.prefix(60_000)) }
        let source = try make("a.flac", tags: many)
        #expect(try tags(source)["long"]?.count == long.count)
        let found = try tags(try await tools.copy(source, in: folder))
        #expect(found["long"] == nil && found["title"] == "Lied (vocals)")
        #expect(found["word10"]?.count == 60_000 && found["word39"] == nil)
    }

    private func picture(_ name: String, _ filter: String = "testsrc=s=600x500") throws -> URL {
        try folder.make(name, ["-f", "lavfi", "-i", filter, "-frames:v", "1"])
    }

    private func withCover(_ name: String, _ picture: URL) throws -> URL {
        let song = Repository.recordings.appendingPathComponent(Self.song).path
        return try folder.make(
            name,
            [
                "-t", "0.3", "-i", song, "-i", picture.path, "-map", "0:a", "-map", "1:v", "-c:v",
                "copy", "-disposition:v", "attached_pic",
            ])
    }

    /// Byte for byte, from and to every format that can have them; also a large one.
    @Test(arguments: [
        ("a.mp3", "testsrc=s=600x500", "c.jpg"), ("a.m4a", "testsrc=s=600x500", "c.png"),
        ("a.flac", "nullsrc=s=600x500,geq=r='random(1)*255'", "c.png"),
    ])
    func coversAreCopied(_ name: String, _ filter: String, _ picture: String) async throws {
        let picture = try self.picture(picture, filter)
        let source = try withCover(name, picture)
        let cover = try Data(contentsOf: picture)
        var kept = try folder.files()
        for (_, format, _) in Self.formats {
            let copy = try await tools.copy(source, as: format, in: folder)
            #expect(try self.cover(copy) == (format == .wav ? Data() : cover), "\(format)")
            #expect(try isSound(copy))
            kept.append(copy.lastPathComponent)
            if format.container == .ogg {
                let again = try await tools.copy(copy, as: .mp3, in: folder)
                #expect(try self.cover(again) == cover, "\(format)")
                kept.append(again.lastPathComponent)
            }
        }
        #expect(try folder.files() == kept.sorted(), "nothing temporary is left")
    }

    private func cover(_ file: URL) throws -> Data {
        try run(
            "ffmpeg",
            [
                "-v", "quiet", "-i", file.path, "-map", "0:v", "-c", "copy", "-f", "image2pipe",
                "-",
            ]
        ).output
    }

    /// Pictures that some format has no place for are left out, the sound is not.
    @Test func otherPicturesAreLeftOut() async throws {
        let source = try withCover("a.flac", try picture("c.bmp"))
        for format in [TrackFormat.flac, TrackFormat(.ogg, .vorbis)] {
            let copy = try await tools.copy(source, as: format, in: folder)
            #expect(try facts(copy, ["-show_entries", "stream=codec_type"]) == ["audio"])
        }
    }
}

/// Whether a track with a cover still is no film, and can be decoded.
private func isSound(_ file: URL) throws -> Bool {
    let streams = try facts(
        file, ["-show_entries", "stream=codec_type:stream_disposition=attached_pic"])
    let samples = try decode(file)[0].count
    return samples >= 13_000 && streams.allSatisfy { $0 == "audio|0" || $0 == "video|1" }
}
