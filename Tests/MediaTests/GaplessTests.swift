import Foundation
import Media
import TestSupport
import Testing

/// Codecs are late and pad their ends; what a track is decoded to has the length of its source, and is in its place.
@Suite final class GaplessTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    /// A second and a half that is no multiple of any frame, in every format that is written.
    @Test(arguments: ["a.wav", "a.flac", "a.mp3", "a.m4a", "alac.m4a", "a.ogg", "a.opus"])
    func lengthAndPlaceAreTheSources(_ name: String) async throws {
        let codec = [
            "a.ogg": ["-c:a", "libvorbis"], "alac.m4a": ["-c:a", "alac"],
            "a.opus": ["-ar", "48000", "-c:a", "libopus"],
        ]
        let cut = ["-ac", "1", "-af", "atrim=start=5:end=6.5197"]
        let source = try folder.make(name, from: Self.song, cut + (codec[name] ?? []))
        let before = try decode(source, channels: 1)[0]
        for format in [nil, TrackFormat.wav, .mp3, TrackFormat(.ogg, .vorbis)] {
            let after = try decode(
                try await tools.copy(source, as: format, in: folder), channels: 1)[0]
            #expect(after.count == before.count, "\(name) \(String(describing: format))")
            #expect(shift(after, after: before) == 0, "\(name) \(String(describing: format))")
        }
    }

    /// Where the last frame of an MP3 would be padded by less than 47 samples, LAME adds one more, and ffmpeg 5.1 leaves out
    /// that one only.
    @Test func someEndsOfMP3AreHeard() async throws {
        let source = try folder.make(
            "a.wav", from: Self.song, ["-ac", "1", "-af", "atrim=end_sample=69144"])
        let decoded = try decode(try await tools.copy(source, as: .mp3, in: folder), channels: 1)[0]
        #expect((69_144..<69_144 + 47).contains(decoded.count))
        #expect(decoded.dropFirst(69_144).allSatisfy { abs($0) < 0.1 })
    }

    /// ffmpeg 5.1 decodes AAC in MP4 to the end of its last frame. The file says where the end is, to the sample.
    @Test(arguments: [1, 100, 50_001])
    func filesOfAACSayWhereTheyEnd(_ frames: Int) async throws {
        let source = try folder.make(
            "a.wav", from: Self.song, ["-ac", "1", "-af", "atrim=end_sample=\(frames)"])
        let copy = try await tools.copy(source, as: AudioFormat.aac.trackFormat, in: folder)
        let length = try facts(copy, ["-show_entries", "stream=duration_ts"])
        #expect(length == ["\(frames)"])
        let decoded = try decode(copy, channels: 1)[0].count
        #expect((frames..<frames + 1024).contains(decoded))
    }

    /// Neither a raw stream of AAC nor an MP3 without LAME's tag says by how much it is late: the delay is taken for sound,
    /// in the source and so in the track.
    @Test(arguments: [("a.aac", 1024), ("a.mp3", 1105)])
    func whatFilesDoNotSayIsSound(_ name: String, _ delay: Int) async throws {
        let plain = try folder.make("a.wav", from: Self.song, ["-ac", "1", "-ss", "5", "-t", "1"])
        let source = try folder.make(name, ["-i", plain.path, "-write_xing", "0"])
        let (before, heard) = (
            try decode(plain, channels: 1)[0], try decode(source, channels: 1)[0]
        )
        #expect(shift(heard, after: before) == delay)
        let after = try decode(try await tools.copy(source, in: folder), channels: 1)[0]
        #expect(abs(after.count - heard.count) < 1024 && shift(after, after: heard) == 0)
    }
}
