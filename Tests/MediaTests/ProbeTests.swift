import Foundation
import Media
import TestSupport
import Testing

/// What is read, and what is refused, by the real ffprobe.
@Suite final class ProbeTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    @Test(arguments: [
        ("a.mp3", ["-ar", "44100"], 44_100, TrackFormat.mp3),
        ("a.wav", ["-ar", "96000", "-c:a", "pcm_f32le"], 96_000, .wav),
        ("a.flac", ["-ar", "48000", "-sample_fmt", "s32"], 48_000, .flac),
        ("a.ogg", ["-ar", "22050", "-c:a", "libvorbis"], 22_050, TrackFormat(.ogg, .vorbis)),
        ("a.opus", ["-c:a", "libopus", "-ar", "48000"], 48_000, TrackFormat(.ogg, .opus)),
        ("a.m4a", ["-ar", "32000", "-c:a", "aac"], 32_000, TrackFormat(.m4a, .aac)),
        ("a.m4a", ["-ar", "44100", "-c:a", "alac"], 44_100, TrackFormat(.m4a, .alac)),
        ("a.aac", ["-ar", "44100", "-c:a", "aac"], 44_100, TrackFormat(.m4a, .aac)),
        ("a.aiff", ["-ar", "44100"], 44_100, .wav),
        ("a.w64", ["-ar", "44100"], 44_100, .wav),
        ("a.caf", ["-ar", "44100"], 44_100, .wav),
        ("a.au", ["-ar", "8000"], 8_000, .wav),
        ("a.wma", ["-ar", "44100"], 44_100, .wav),
        ("a.wv", ["-ar", "44100", "-c:a", "wavpack"], 44_100, .wav),
        ("a.mka", ["-ar", "44100", "-c:a", "flac"], 44_100, .flac),
        ("a.webm", ["-c:a", "libopus", "-ar", "48000"], 48_000, TrackFormat(.ogg, .opus)),
    ])
    func recordingsAreRead(
        _ name: String, _ arguments: [String], _ rate: Int, _ natural: TrackFormat
    ) async throws {
        for channels in [1, 2] {
            let file = try folder.make(
                name, from: Self.song, ["-t", "2", "-ac", "\(channels)"] + arguments)
            let info = try await tools.probe(file.path)
            #expect(info.sampleRate == rate)
            #expect(info.channels == channels)
            #expect(info.film == nil)
            #expect(info.naturalFormat == natural)
            #expect(abs(info.duration - 2) < 0.15)
            let audio = try await tools.decode(file.path, info, folder: folder.path)
            #expect(abs(Double(audio.frames) / Double(rate) - 2) < 0.15)
        }
    }

    /// Each of these is made by a test of its cause, here or in `TaskWorkerTests`; this is how it reads.
    @Test(arguments: [
        (
            MediaError.toolMissing("ffmpeg"),
            "The program ffmpeg is not installed. bin/partita installs it."
        ),
        (.unreadable, "The file is not audio or video in a format that can be read."),
        (.noAudio, "The file has no audio track."),
        (.empty, "The file has no audio in it: its length is zero."),
        (
            .truncated(declared: 9.6, found: 5.2),
            "The file is cut off: it should last 10.0 seconds, but ends after 5.0."
        ),
        (.limitExceeded, "The file needs more time or memory to read than this server allows."),
        (
            .tooLong,
            "The recording is longer, or has more channels, than this server accepts."
        ),
        (.decodingInterrupted, "Reading the recording was interrupted."),
        (
            .tooManyChannels(10, format: "flac"),
            "The recording has 10 channels, flac holds at most 8. Ask for wav."
        ),
        (.encodingFailed(format: "mp3"), "The result could not be written as mp3."),
    ])
    func everyFaultIsASentence(_ error: MediaError, _ sentence: String) {
        #expect(error.description == sentence)
    }

    @Test(arguments: ["film.mp4", "film.mkv", "film.mov", "film.avi", "film.ts"])
    func soundOfFilmsIsRead(_ name: String) async throws {
        let song = Repository.recordings.appendingPathComponent(Self.song).path
        let film = try folder.make(
            name, ["-f", "lavfi", "-i", "testsrc=d=2:s=64x64", "-i", song, "-t", "2"])
        let info = try await tools.probe(film.path)
        #expect(info.film != nil)
        #expect(info.channels == 2)
        #expect(
            try await tools.decode(film.path, info, folder: folder.path).frames > info.sampleRate)
    }

    /// The sound of a film may end before the picture.
    @Test(arguments: ["film.mkv", "film.flv", "film.wmv", "film.mp4", "film.avi"])
    func shortSoundOfALongFilmIsWhole(_ name: String) async throws {
        let song = Repository.recordings.appendingPathComponent(Self.song).path
        let film = try folder.make(
            name,
            ["-f", "lavfi", "-i", "testsrc=d=6:s=64x64", "-t", "3", "-i", song]
                + ["-ar", "44100", "-t", "6"])
        let audio = try await tools.decode(
            film.path, try await tools.probe(film.path), folder: folder.path)
        #expect(abs(audio.frames - 3 * 44_100) < 5000)
    }

    @Test func coverArtIsNoFilm() async throws {
        let picture = try folder.make(
            "cover.png", ["-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1"])
        let song = Repository.recordings.appendingPathComponent(Self.song).path
        let file = try folder.make(
            "a.mp3",
            ["-i", song, "-i", picture.path, "-map", "0:a", "-map", "1:v", "-t", "2"]
                + ["-c:v", "copy", "-disposition:v", "attached_pic"])
        #expect(try await tools.probe(file.path).film == nil)
    }

    /// Files that would make ffmpeg read another file of the server, or the network, or that are no recording.
    @Test func whatIsNoRecordingIsRefused() async throws {
        let secret = try folder.make("secret.wav", from: Self.song, ["-t", "1"]).path
        let files = [
            "letter.mp3": "This is a letter, not a song.\n",
            "nothing.mp3": "",
            "list.m3u8":
                "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n\(secret)\n#EXT-X-ENDLIST\n",
            "list.mp3": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://\(secret)\n",
            "script.ffconcat": "ffconcat version 1.0\nfile '\(secret)'\n",
            "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                + "m=audio 5004 RTP/AVP 0\n",
            "dash.mpd":
                "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
                + "type=\"static\"><Period><AdaptationSet mimeType=\"audio/wav\">"
                + "<Representation id=\"1\"><BaseURL>\(secret)</BaseURL></Representation>"
                + "</AdaptationSet></Period></MPD>",
            "metadata.txt": ";FFMETADATA1\ntitle=x\n",
            "subtitles.srt": "1\n00:00:00,000 --> 00:00:01,000\nHello\n",
        ]
        for (name, text) in files {
            let file = try folder.write(name, text).path
            let error = await #expect(throws: MediaError.self, "\(name)") {
                try await self.tools.probe(file)
            }
            #expect(error == .unreadable, "\(name)")
        }
        let picture = try folder.make(
            "picture.png", ["-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1"])
        await #expect(throws: MediaError.unreadable) { try await self.tools.probe(picture.path) }
        await #expect(throws: MediaError.unreadable) {
            try await self.tools.probe(self.folder.file("missing.wav").path)
        }
        await #expect(throws: MediaError.unreadable) { try await self.tools.probe("/dev/zero") }
    }

    @Test func filmsWithoutSoundAndRecordingsWithoutLengthAreRefused() async throws {
        let film = try folder.make("film.mp4", ["-f", "lavfi", "-i", "testsrc=d=1:s=64x64"])
        await #expect(throws: MediaError.noAudio) { try await self.tools.probe(film.path) }
        let nothing = try folder.make("a.wav", from: Self.song, ["-t", "0"])
        await #expect(throws: MediaError.empty) {
            let info = try await self.tools.probe(nothing.path)
            _ = try await self.tools.decode(nothing.path, info, folder: folder.path)
        }
    }

    /// Names are data: never options, protocols or patterns.
    @Test(arguments: ["-i.wav", "pipe:0.wav", "a%03d.wav", "a'\"\\ \n$(touch x).wav", "söng 🎵.wav"])
    func anyNameIsAName(_ name: String) async throws {
        let plain = try folder.make("plain.wav", from: Self.song, ["-t", "1"])
        let file = folder.file(name)
        try FileManager.default.moveItem(at: plain, to: file)
        let info = try await tools.probe(file.path)
        #expect(try await tools.decode(file.path, info, folder: folder.path).frames == 44_100)
    }

    @Test func everyErrorHasACodeAndASentence() {
        let errors: [MediaError] = [
            .toolMissing("ffmpeg"), .unreadable, .noAudio, .empty, .limitExceeded,
            .truncated(declared: 10, found: 5), .encodingFailed(format: "mp3"),
            .tooManyChannels(9, format: "mp3"), .tooLong, .decodingInterrupted, .diskFull,
        ]
        #expect(Set(errors.map(\.code)).count == errors.count)
        for error in errors {
            #expect(error.code.allSatisfy { $0.isLowercase || $0 == "_" })
            #expect(error.description.hasSuffix("."))
        }
    }

    /// A header can declare any number of samples: 2⁶³ − 1 of them are 9 million years.
    @Test(arguments: [1000, 32_768, 48_000])
    func aHeaderWithYearsInItSaysNothing(_ rate: UInt32) async throws {
        func bytes(_ value: some FixedWidthInteger) -> Data {
            withUnsafeBytes(of: value.littleEndian) { Data($0) }
        }
        let samples = (0..<32_768).map { Int16($0 % 100 * 50) }
        var file = Data("RF64".utf8) + bytes(UInt32.max) + Data("WAVEds64".utf8)
        file += bytes(UInt32(28)) + bytes(Int64.max) + bytes(Int64.max) + bytes(Int64.max)
        file += bytes(UInt32(0)) + Data("fmt ".utf8) + bytes(UInt32(16)) + bytes(UInt16(1))
        file += bytes(UInt16(1)) + bytes(rate) + bytes(2 * rate) + bytes(UInt16(2))
        file += bytes(UInt16(16)) + Data("data".utf8) + bytes(UInt32.max)
        for sample in samples { file += bytes(sample) }
        let url = try folder.write("a.wav", file)
        let info = try await tools.probe(url.path)
        #expect(info.duration == 0 && info.isDurationEstimated)
        let audio = try await tools.decode(url.path, info, folder: folder.path)
        #expect(audio.frames == samples.count)
    }
}
