import Foundation
import Media
import TestSupport
import Testing

@Suite(.serialized) final class SegmentTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    /// A track of the format, and the same cut into segments beside its playlist.
    private func segment(
        _ samples: [[Float]], _ format: AudioFormat, rate: Int
    ) async throws -> (track: URL, playlist: URL, text: String, size: Int) {
        let track = folder.file("track.\(format.trackFormat.fileExtension)")
        let encoder = Encoder(
            tools, file: track.path, format: format.trackFormat, sampleRate: rate,
            channels: samples.count)
        try await encoder.write(samples)
        try await encoder.finish()
        let out = folder.file("out-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
        let segmented = try await tools.segment(
            track.path, format.trackFormat, sampleRate: rate, channels: samples.count,
            into: out.path)
        let name = URL(fileURLWithPath: segmented.file).lastPathComponent
        #expect(name == (format == .mp3 ? "stream.ts" : "stream.mp4"))
        let playlist = out.appendingPathComponent("tidied.m3u8")
        try segmented.playlist.write(to: playlist, atomically: true, encoding: .utf8)
        let size = try FileManager.default.attributesOfItem(atPath: segmented.file)[.size]
        return (track, playlist, segmented.playlist, (size as? NSNumber)?.intValue ?? 0)
    }

    /// Sums up a playlist, which must be complete and have its ranges one after another, to the end of the file.
    private func seconds(_ text: String, size: Int) throws -> Double {
        let lines = text.split(separator: "\n")
        #expect(lines.first == "#EXTM3U" && lines.last == "#EXT-X-ENDLIST")
        #expect(lines.contains("#EXT-X-PLAYLIST-TYPE:VOD"))
        var end = 0
        if let map = text.firstMatch(of: /#EXT-X-MAP:URI="stream.mp4",BYTERANGE="(\d+)@0"/) {
            end = try #require(Int(map.1))
        }
        var total = 0.0
        let target = try #require(
            text.firstMatch(of: /#EXT-X-TARGETDURATION:(\d+)\n/).flatMap { Double($0.1) })
        #expect(target >= 1)
        let pattern = /#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\nstream\.(?:mp4|ts)\n/
        let segments = text.matches(of: pattern)
        #expect(segments.count == lines.count { !$0.hasPrefix("#") })
        for segment in segments {
            let length = try #require(Double(segment.1))
            #expect(length.rounded() <= target)
            total += length
            #expect(Int(segment.3) == end && Int(segment.2) ?? 0 > 0)
            end += Int(segment.2) ?? 0
        }
        #expect(end == size)
        return total
    }

    @Test(arguments: [
        (AudioFormat.wav, 0, 0x1p-24), (.flac, 0, 0x1p-24), (.ogg, 0, 0x1p-15),
        // The delays of the codecs: that of LAME is 528 + 576 + 1, and a frame of AAC.
        (.mp3, 1105, 0), (.aac, 1024, 0),
    ])
    func segmentsPlayAsTheTrack(
        _ format: AudioFormat, _ delay: Int, _ tolerance: Float
    ) async throws {
        let source = Repository.recordings.appendingPathComponent(Self.song)
        for channels in [1, 2] {
            let samples = try decode(source, channels: channels, seconds: 20.3)
            let made = try await segment(samples, format, rate: 44_100)
            let track = try decode(made.track, channels: channels)
            let played = try decode(made.playlist, channels: channels)
            let frame = format == .aac ? 1024 : 1152
            let padding = delay == 0 ? 0 : delay + frame
            let frames = track[0].count
            #expect((frames + delay...frames + padding).contains(played[0].count))
            for (a, b) in zip(track, played) {
                // Codecs go over full scale, integers cannot.
                func cut(_ value: Float) -> Float { min(max(value, -1), 1) }
                let worst = zip(a, b.dropFirst(delay)).map { abs(cut($0) - cut($1)) }.max() ?? 1
                #expect(worst <= tolerance, "\(format), \(channels): \(worst)")
            }
            let seconds = try seconds(made.text, size: made.size)
            // Only the end of AAC is told more exactly than it is decoded.
            let isExact = format != .aac
            #expect(abs(seconds - Double(played[0].count) / 44_100) < (isExact ? 1e-4 : 0.0233))
        }
    }

    @Test(arguments: AudioFormat.allCases)
    func shortTracksAndOddRatesHavePlaylists(_ format: AudioFormat) async throws {
        for (rate, frames) in [(8000, 1), (22_050, 100), (48_000, 20_000), (96_000, 96_000)] {
            let samples = [(0..<frames).map { 0.5 * sin(Float($0) * 0.1) }]
            let made = try await segment(samples, format, rate: rate)
            let seconds = try seconds(made.text, size: made.size)
            let length = Double(frames) / Double(rate)
            // From the little that an Ogg file of one page lacks to two frames of AAC at 8 kHz.
            #expect(seconds >= length - 0.003 && seconds < length + 0.4, "\(rate) \(frames)")
            let info = try run(
                "ffprobe",
                ["-v", "error", "-show_entries", "stream=codec_name", made.playlist.path]
            )
            #expect(info.status == 0)
        }
    }

    @Test func longTracksAreCutEverySixSeconds() async throws {
        let samples = [(0..<8000 * 3600).map { Float($0 % 200) / 400 }]
        let made = try await segment(samples, .wav, rate: 8000)
        #expect(abs(try seconds(made.text, size: made.size) - 3600) < 0.001)
        #expect((590...601).contains(made.text.matches(of: /#EXTINF/).count))
    }

    @Test func whatCannotBeCutIsAnError() async throws {
        let ten = (0..<10).map { _ in [Float](repeating: 0.1, count: 44_100) }
        await #expect(throws: MediaError.tooManyChannels(10, format: "flac")) {
            _ = try await self.segment(ten, .wav, rate: 44_100)
        }
        let text = try folder.write("text.mp3", "no song")
        await #expect(throws: MediaError.encodingFailed(format: "hls")) {
            _ = try await tools.segment(
                text.path, .mp3, sampleRate: 44_100, channels: 2, into: folder.path)
        }
    }
}
