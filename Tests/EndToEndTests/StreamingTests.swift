import Foundation
import FoundationNetworking
import TestSupport
import Testing

/// Waveforms and playlists of real tasks, as a page and a player get them.
@Suite(.serialized) final class StreamingTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func tracks(_ state: [String: Any]) throws -> [[String: Any]] {
        try #require((state["result"] as? [String: Any])?["tracks"] as? [[String: Any]])
    }

    /// Samples of what a link leads to, as ffmpeg plays it.
    private func play(_ link: Any?) throws -> [[Float]] {
        try decode(try #require((link as? String).flatMap { URL(string: $0) }))
    }

    @Test func tracksOfEveryFormatPlayFromTheirLinks() async throws {
        let server = try TestServer()
        let file = try folder.make("song.flac", from: ServiceTests.song, ["-t", "8"])
        for (format, codec, delay, tolerance) in [
            ("wav", "flac", 0, 0x1p-24), ("flac", "flac", 0, 0x1p-24), ("ogg", "flac", 0, 0x1p-15),
            ("mp3", "mp3", 1105, 0), ("aac", "aac", 1024, 0),
        ] as [(String, String, Int, Float)] {
            let task = try await server.split(file, stem: "vocals", format: format)
            let state = try await server.waitForEnd(task)
            for track in try tracks(state) {
                let link = try #require(track["playlist_file"] as? String)
                let probe = try run(
                    "ffprobe",
                    [
                        "-v", "error", "-show_entries", "stream=codec_name:format=duration", "-of",
                        "csv=p=0:nk=1", link,
                    ])
                let words = String(decoding: probe.output, as: UTF8.self)
                    .split(whereSeparator: \.isWhitespace)
                #expect(words.first.map(String.init) == codec)
                let duration = words.last.flatMap { Double($0) } ?? 0
                #expect(abs(duration - 8) < 0.06, "\(format): \(duration)")
                let (whole, played) = (try play(track["url"]), try play(link))
                #expect(played[0].count >= whole[0].count + delay)
                for (a, b) in zip(whole, played) {
                    func cut(_ value: Float) -> Float { min(max(value, -1), 1) }
                    let worst = zip(a, b.dropFirst(delay)).map { abs(cut($0) - cut($1)) }.max()
                    #expect((worst ?? 1) <= tolerance, "\(format)")
                }
            }
        }
    }

    @Test func waveformsCanBeFetched() async throws {
        let server = try TestServer(["--no-playlists"])
        let file = try folder.make("song.mp3", from: ServiceTests.song, ["-t", "3"])
        let state = try await server.waitForEnd(try await server.split(file, stem: "vocals"))
        for track in try tracks(state) {
            #expect(track["playlist_file"] is NSNull)
            let link = try #require((track["waveform"] as? String).flatMap { URL(string: $0) })
            let (bytes, _) = try await URLSession.shared.data(from: link)
            let peaks = try #require(
                try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
            #expect(peaks["version"] as? Int == 2 && peaks["bits"] as? Int == 8)
            #expect((peaks["data"] as? [Int])?.contains { abs($0) > 5 } == true)
        }
    }

    @Test func playlistsCanBeSwitchedOffByFileAndEnvironment() async throws {
        let settings = try folder.write("settings.yaml", "playlists: false\n")
        let off = try TestServer(["--config", settings.path])
        let file = try folder.make("song.mp3", from: ServiceTests.song, ["-t", "2"])
        let state = try await off.waitForEnd(try await off.split(file, stem: "vocals"))
        #expect(try tracks(state).allSatisfy { $0["playlist_file"] is NSNull })
        // The flag goes before the file.
        let on = try TestServer(["--config", settings.path, "--playlists"])
        let again = try await on.waitForEnd(try await on.split(file, stem: "vocals"))
        #expect(try tracks(again).allSatisfy { $0["playlist_file"] is String })
    }
}
