import Foundation
import Media
import TestSupport
import Testing

/// A source with a moving picture gives films: the picture as it was, the new sound where the old was.
@Suite final class FilmTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    /// Two seconds of a film.
    /// - Parameters:
    ///   - sound: When the sound begins, in seconds.
    ///   - picture: When the picture does.
    private func film(
        _ name: String, _ codecs: [String], sound: Double = 0, picture: Double = 0,
        seconds: Int = 2, more: [String] = []
    ) throws -> URL {
        let song = Repository.recordings.appendingPathComponent(Self.song).path
        return try folder.make(
            name,
            [
                "-itsoffset", "\(picture)", "-f", "lavfi",
                "-i", "testsrc=d=\(seconds):s=64x64:r=25",
                "-itsoffset", "\(sound)", "-ss", "5", "-t", "\(seconds)", "-i", song,
            ] + more + ["-ac", "1", "-map", "0:v", "-map", "1:a", "-pix_fmt", "yuv420p"] + codecs)
    }

    /// Seconds from the first picture to the first sample, as ffprobe decodes them.
    private func lead(_ film: URL) throws -> Double {
        let first = try ["a:0", "v:0"].map { stream in
            let times = try facts(
                film,
                [
                    "-select_streams", stream, "-read_intervals", "%+#300",
                    "-show_entries", "frame=best_effort_timestamp_time",
                ])
            return try #require(times.first.flatMap { Double($0.prefix { $0 != "|" }) })
        }
        return first[0] - first[1]
    }

    /// Of every picture its time after the first, in milliseconds, and a checksum.
    private func pictures(_ film: URL) throws -> [String] {
        let hashes = try run(
            "ffmpeg",
            [
                "-nostdin", "-v", "error", "-i", film.path, "-map", "0:v:0", "-vsync",
                "passthrough", "-enc_time_base", "1:1000", "-f", "framemd5", "-",
            ])
        let lines = String(decoding: hashes.output, as: UTF8.self).split(separator: "\n")
            .filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
        let start = lines.first.flatMap { Int($0[2]) } ?? 0
        // To 4 ms: containers round times to a millisecond each.
        return lines.map { "\(((Int($0[2]) ?? 0) - start + 2) / 4) \($0.last ?? "")" }
    }

    private func expectSync(_ source: URL, _ copy: URL, _ note: String) throws {
        let (before, after) = (
            try decode(source, channels: 1)[0], try decode(copy, channels: 1)[0]
        )
        let rate = try #require(
            try facts(copy, ["-select_streams", "a", "-show_entries", "stream=sample_rate"])
                .first.flatMap(Double.init))
        let moved = Double(shift(after, after: before)) / rate
        let drift = try lead(copy) + moved - lead(source)
        // MP4's edit lists move the sound where others move samples.
        if !["mp4", "mov"].contains(copy.pathExtension) { #expect(moved == 0, "\(note)") }
        #expect(abs(drift) < 0.001, "\(note): \(drift) s")
        #expect(after.count >= before.count, "\(note)")
        let was = try pictures(source)
        #expect(was.count >= 40, "\(note)")
        #expect(try pictures(copy) == was, "\(note)")
    }

    struct Example: Sendable {
        let name: String
        let codecs: [String]
        let format: TrackFormat
    }

    private static let h264 = ["-c:v", "libx264", "-bf", "2"]
    private static let vp8 = ["-c:v", "libvpx", "-deadline", "realtime"]
    private static let mpeg2 = ["-c:v", "mpeg2video", "-bf", "2"]
    private static let mpeg4 = ["-c:v", "mpeg4", "-bf", "2"]

    static let examples: [Example] = [
        Example(name: "a.mp4", codecs: h264 + ["-c:a", "aac"], format: .init(.mp4, .aac)),
        Example(name: "b.mp4", codecs: h264 + ["-c:a", "libmp3lame"], format: .init(.mp4, .mp3)),
        Example(name: "c.mp4", codecs: h264 + ["-c:a", "alac"], format: .init(.mp4, .alac)),
        Example(name: "f.mov", codecs: h264 + ["-c:a", "pcm_s16le"], format: .init(.mov, .pcm)),
        Example(name: "h.mkv", codecs: h264 + ["-c:a", "aac"], format: .init(.mkv, .aac)),
        Example(name: "i.mkv", codecs: h264 + ["-c:a", "libmp3lame"], format: .init(.mkv, .mp3)),
        Example(
            name: "j.mkv", codecs: h264 + ["-ar", "48000", "-c:a", "libopus"],
            format: .init(.mkv, .opus)),
        Example(name: "k.mkv", codecs: h264 + ["-c:a", "libvorbis"], format: .init(.mkv, .vorbis)),
        Example(name: "m.mkv", codecs: h264 + ["-c:a", "flac"], format: .init(.mkv, .flac)),
        Example(
            name: "n.webm", codecs: vp8 + ["-ar", "48000", "-c:a", "libopus"],
            format: .init(.webm, .opus)),
        Example(
            name: "o.webm", codecs: vp8 + ["-c:a", "libvorbis"], format: .init(.webm, .vorbis)),
        Example(name: "p.avi", codecs: mpeg4 + ["-c:a", "libmp3lame"], format: .init(.avi, .mp3)),
        Example(name: "q.avi", codecs: mpeg4 + ["-c:a", "pcm_s16le"], format: .init(.avi, .pcm)),
        // Others become Matroska.
        Example(name: "r.ts", codecs: h264 + ["-c:a", "aac"], format: .init(.mkv, .aac)),
        Example(name: "s.mpg", codecs: mpeg2 + ["-c:a", "mp2"], format: .init(.mkv, .mp3)),
        Example(name: "t.flv", codecs: h264 + ["-c:a", "aac"], format: .init(.mkv, .aac)),
        Example(
            name: "u.wmv", codecs: ["-c:v", "wmv2", "-c:a", "wmav2"], format: .init(.mkv, .aac)),
    ]

    /// Sound begins after the picture, and before it. (Other tests have films where both begin together.)
    @Test(arguments: examples)
    func soundStaysWithItsPicture(_ example: Example) async throws {
        for (sound, picture) in [(0.5, 0), (0, 0.3)] {
            let source = try film(example.name, example.codecs, sound: sound, picture: picture)
            let copy = try await tools.copy(source, in: folder)
            let info = try await tools.probe(copy.path)
            #expect(info.naturalFormat == example.format, "\(example.name)")
            #expect(copy.pathExtension == example.format.container.rawValue)
            try expectSync(source, copy, "\(example.name) \(sound) \(picture)")
        }
    }

    /// What others become: the container by what the file says of itself, the codec by what is nearest.
    @Test(arguments: [
        Example(name: "a.3gp", codecs: h264 + ["-c:a", "aac"], format: .init(.mp4, .aac)),
        Example(name: "b.mov", codecs: h264 + ["-c:a", "alac"], format: .init(.mov, .alac)),
        Example(name: "c.mp4", codecs: h264 + ["-c:a", "ac3"], format: .init(.mp4, .aac)),
        Example(name: "d.mkv", codecs: h264 + ["-c:a", "ac3"], format: .init(.mkv, .aac)),
        Example(name: "e.mkv", codecs: h264 + ["-c:a", "pcm_s24le"], format: .init(.mkv, .pcm)),
        Example(name: "f.mkv", codecs: h264 + ["-c:a", "wavpack"], format: .init(.mkv, .flac)),
        Example(name: "g.avi", codecs: mpeg4 + ["-c:a", "ac3"], format: .init(.avi, .mp3)),
    ])
    func theCodecIsTheNearest(_ example: Example) async throws {
        let source = try film(example.name, example.codecs)
        #expect(try await tools.probe(source.path).naturalFormat == example.format)
        let copy = try await tools.copy(source, in: folder)
        #expect(try await tools.probe(copy.path).naturalFormat == example.format)
        #expect(try decode(copy, channels: 1)[0].count >= 88_200)
    }

    /// A cut without encoding begins in the middle of frames and groups of pictures; an edit list says where.
    @Test(arguments: ["cut.mp4", "cut.mov", "cut.mkv", "fragments.mp4"])
    func cutsStayInSync(_ name: String) async throws {
        let whole = try film(
            "whole.mp4", Self.h264 + ["-g", "50", "-c:a", "aac"], seconds: 6)
        let fragments = ["-movflags", "frag_keyframe+empty_moov"]
        let source = try folder.make(
            name,
            ["-ss", "1.3", "-i", whole.path, "-t", "3", "-c", "copy"]
                + (name == "fragments.mp4" ? fragments : []))
        try expectSync(source, try await tools.copy(source, in: folder), name)
    }

    /// Half a second is missing in the sound, as after a disturbed broadcast.
    @Test func gapsInTheSoundStayGaps() async throws {
        let source = try film(
            "gap.mkv",
            Self.h264 + ["-af", "aselect='not(between(t,0.5,0.999))'", "-c:a", "flac"])
        let copy = try await tools.copy(source, in: folder)
        let (kept, result) = (try decode(source, channels: 1)[0], try decode(copy, channels: 1)[0])
        let missing = result.count - kept.count
        #expect(abs(Double(missing) / 44_100 - 0.5) < 0.05)
        // What follows comes later by what was missing, and is the same.
        #expect(result.suffix(30_000).elementsEqual(kept.suffix(30_000)))
        #expect(result.count { $0 == 0 } >= missing)
    }

    @Test(arguments: [("a.mkv", "subrip"), ("b.mp4", "mov_text")])
    func subtitlesChaptersLanguageAndTagsStay(_ name: String, _ subtitles: String) async throws {
        let words = try folder.write(
            "words.srt", "1\n00:00:00,100 --> 00:00:01,500\nHallo\n")
        let chapters = try folder.write(
            "chapters.txt",
            ";FFMETADATA1\ntitle=Mein Film\nartist=Ich\n"
                + "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=Anfang\n"
                + "[CHAPTER]\nTIMEBASE=1/1000\nSTART=900\nEND=2000\ntitle=Ende\n")
        let source = try film(
            name,
            ["-map", "2:s", "-c:s", subtitles, "-c:a", "aac", "-metadata:s:a", "language=deu"]
                + ["-metadata:s:v", "language=fra"]
                + ["-map_metadata", "3", "-map_chapters", "3"] + Self.h264,
            more: ["-i", words.path, "-f", "ffmetadata", "-i", chapters.path])
        let copy = try await tools.copy(source, in: folder)
        let streams = try facts(
            copy, ["-show_entries", "stream=codec_name:stream_tags=language"])
        #expect(streams.prefix(3).contains { $0.hasPrefix(subtitles) })
        #expect(streams.contains("aac|deu") && streams.contains("h264|fra"))
        #expect(try facts(copy, ["-show_entries", "chapter_tags=title"]) == ["Anfang", "Ende"])
        #expect(
            try facts(copy, ["-show_entries", "format_tags=title,artist"]).joined()
                .split(separator: "|").sorted() == ["Ich", "Mein Film (vocals)"])
        let text = try run(
            "ffmpeg", ["-v", "error", "-i", copy.path, "-map", "0:s", "-f", "srt", "-"])
        #expect(String(decoding: text.output, as: UTF8.self).contains("Hallo"))
    }

    /// Of several the one that players choose; the film has no other then.
    @Test func theDefaultTrackIsHeard() async throws {
        let song = Repository.recordings.appendingPathComponent(Self.song).path
        let picture = ["-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-t", "1", "-i", song]
        let tone = ["-f", "lavfi", "-t", "1", "-i", "sine=f=700:r=32000"]
        for (first, second, rate) in [("0", "default", 32_000), ("default", "0", 44_100)] {
            let source = try folder.make(
                "two.mkv",
                picture + tone + [
                    "-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:a", "flac",
                    "-disposition:a:0", first, "-disposition:a:1", second,
                ])
            #expect(try await tools.probe(source.path).sampleRate == rate)
            let copy = try await tools.copy(source, in: folder)
            let rates = try facts(
                copy, ["-select_streams", "a", "-show_entries", "stream=sample_rate"])
            #expect(rates == ["\(rate)"])
        }
    }

    /// Attachments are files of any kind, and pictures for fonts have undone other programs.
    @Test func attachmentsAreLeftOut() async throws {
        let font = try folder.write("font.ttf", "no font")
        let source = try film(
            "a.mkv",
            Self.h264 + [
                "-c:a", "aac", "-attach", font.path, "-metadata:s:t", "mimetype=font/ttf",
            ])
        #expect(try facts(source, ["-show_entries", "stream=codec_type"]).count == 3)
        let copy = try await tools.copy(source, in: folder)
        #expect(try facts(copy, ["-show_entries", "stream=codec_type"]) == ["video", "audio"])
    }

    /// What is asked for by name is sound alone.
    @Test func aFormatThatIsAskedForHasNoPicture() async throws {
        let source = try film("a.mp4", Self.h264 + ["-c:a", "aac"])
        let copy = try await tools.copy(source, as: .mp3, in: folder)
        #expect(try facts(copy, ["-show_entries", "stream=codec_type"]) == ["audio"])
    }

    /// The source is read again while tracks are written, as confined as when it was probed: should it have become a list
    /// of other files by then, nothing of these gets into a track.
    @Test func aFilmThatTurnsIntoAPlaylistIsRefused() async throws {
        let secret = try film("secret.ts", Self.h264 + ["-c:a", "aac"])
        let source = try film("a.mkv", Self.h264 + ["-c:a", "aac"])
        let info = try await tools.probe(source.path)
        let carryover = try await tools.carryover(
            from: source.path, info, to: info.naturalFormat, folder: folder.path)
        try folder.write(
            "a.mkv",
            "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n\(secret.path)\n#EXT-X-ENDLIST\n")
        let result = folder.file("result.mkv")
        let encoder = Encoder(
            tools, file: result.path, format: info.naturalFormat, sampleRate: 44_100, channels: 1,
            carryover: carryover)
        await #expect(throws: MediaError.encodingFailed(format: "mkv")) {
            try await encoder.write([[Float](repeating: 0.1, count: 44_100)])
            try await encoder.finish()
        }
        #expect(!FileManager.default.fileExists(atPath: result.path))
        // And while it works, it is under the limits.
        let again = try film("b.mkv", Self.h264 + ["-c:a", "aac"])
        let other = Encoder(
            tools, file: result.path, format: info.naturalFormat, sampleRate: 44_100, channels: 1,
            carryover: try await tools.carryover(
                from: again.path, info, to: info.naturalFormat, folder: folder.path))
        try await other.write([[Float](repeating: 0.1, count: 44_100)])
        var limits = ""
        for _ in 0..<500 where !limits.contains(/Max open files +64 +64/) {
            try await Task.sleep(for: .milliseconds(10))
            limits = folder.processes.compactMap {
                try? String(contentsOfFile: "/proc/\($0)/limits", encoding: .utf8)
            }.joined()
        }
        #expect(limits.contains(/Max open files +64 +64/))
        #expect(limits.contains(/Max address space +4294967296/))
        await other.cancel()
    }
}
