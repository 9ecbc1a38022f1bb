import Foundation
import Media
import Tasks
import TestSupport
import Testing
import Worker

/// Waveforms and playlists of tracks, with the real store, blobs, engine and ffmpeg.
@Suite(.serialized) final class TrackExtrasTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let files: TemporaryFolder

    init() throws { files = try TemporaryFolder() }

    /// Three minutes, of which segments take a moment.
    private func longSong() throws -> URL {
        let recording = Repository.recordings.appendingPathComponent(Self.song).path
        return try files.make("a.wav", ["-stream_loop", "5", "-i", recording, "-t", "180"])
    }

    private struct Peaks: Decodable {
        let channels, sampleRate, samplesPerPixel, length: Int
        let data: [Float]
    }

    private func peaks(_ track: Track, _ data: DataFolder) async throws -> Peaks {
        let file = try await data.blobs.localFile(try #require(track.waveform))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            Peaks.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    }

    /// The loud one is written a second time, at another gain.
    @Test(arguments: ["0dB", "30dB"])
    func waveformsAreThoseOfTheFinishedTracks(_ volume: String) async throws {
        let data = try await DataFolder()
        let song = try files.make(
            "a.wav", from: Self.song,
            ["-t", "8.7", "-af", "volume=\(volume)", "-c:a", "pcm_s24le"])
        let id = try await data.submit(
            song, .stemSeparator(.init(stem: .vocals, encoderFormat: .flac)))
        #expect(try await data.worker().workOnce())
        let task = try await data.task(id)
        #expect(task.tracks.count == 2)
        for track in task.tracks {
            let peaks = try await peaks(track, data)
            let file = URL(fileURLWithPath: try await data.blobs.localFile(track.blob))
            let samples = try decode(file)
            let step = peaks.samplesPerPixel
            #expect(peaks.sampleRate == 44_100 && peaks.channels == 2)
            #expect(peaks.length == (samples[0].count + step - 1) / step)
            var expected: [Float] = []
            for start in stride(from: 0, to: samples[0].count, by: step) {
                for channel in samples {
                    let pixel = channel[start..<min(start + step, channel.count)]
                    expected += [pixel.min()! * 128, min(pixel.max()! * 128, 127)]
                }
            }
            let worst = zip(peaks.data, expected).map { abs($0 - $1) }.max() ?? 128
            #expect(worst <= 0.5001, "\(track.label)")
            #expect(peaks.data.count == expected.count)
        }
    }

    @Test func playlistsCanBeSwitchedOff() async throws {
        let data = try await DataFolder()
        let song = try files.make("a.flac", from: Self.song, ["-t", "3"])
        let id = try await data.submit(song)
        #expect(try await data.worker(makesPlaylists: false).workOnce())
        let tracks = try await data.task(id).tracks
        #expect(tracks.count == 2)
        #expect(tracks.allSatisfy { $0.playlist == nil && $0.stream == nil && $0.waveform != nil })
        #expect(try data.files().count == 5, "the source, two tracks, two waveforms")
    }

    /// FLAC, and with it HLS, has eight channels at most.
    @Test func tracksThatCannotBeStreamedAreTracksAllTheSame() async throws {
        let data = try await DataFolder()
        let channels = Array(repeating: "0.1*random(0)", count: 10).joined(separator: "|")
        let ten = try files.make(
            "ten.wav", ["-f", "lavfi", "-i", "aevalsrc=\(channels):d=2"])
        let id = try await data.submit(
            ten, .stemSeparator(.init(stem: .vocals, encoderFormat: .wav)))
        #expect(try await data.worker().workOnce())
        let task = try await data.task(id)
        #expect(task.status == .success && task.attempts == 1)
        #expect(task.tracks.allSatisfy { $0.playlist == nil && $0.stream == nil })
        for track in task.tracks { #expect(try await peaks(track, data).channels == 10) }
        #expect(try data.files().count == 5)
        #expect(try FileManager.default.contentsOfDirectory(atPath: data.blobs.scratch).isEmpty)
    }

    @Test func aKilledSegmenterFailsNothing() async throws {
        let data = try await DataFolder()
        let song = try longSong()
        let id = try await data.submit(
            song, .stemSeparator(.init(stem: .drum, encoderFormat: .wav)))
        let worker = try data.worker()
        let work = Task { try await worker.workOnce() }
        var killed: Set<Int32> = []
        while killed.count < 2, try await !data.task(id).status.isFinal {
            for process in data.folder.processes {
                let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
                let isSegmenter = line.map { String(decoding: $0, as: UTF8.self) }?
                    .contains("hls_time")
                if isSegmenter == true, kill(process, SIGKILL) == 0 { killed.insert(process) }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try await work.value)
        #expect(killed.count == 2)
        let task = try await data.task(id)
        #expect(task.status == .success && task.attempts == 1)
        #expect(task.tracks.allSatisfy { $0.playlist == nil && $0.waveform != nil })
        #expect(try data.files().count == 5)
        #expect(try FileManager.default.contentsOfDirectory(atPath: data.blobs.scratch).isEmpty)
    }

    /// A lease that is lost while segments are made.
    @Test func nothingStaysOfALostLease() async throws {
        let data = try await DataFolder()
        let song = try longSong()
        let id = try await data.submit(
            song, .stemSeparator(.init(stem: .drum, encoderFormat: .wav)))
        let worker = try data.worker()
        let work = Task { try await worker.workOnce() }
        while try data.folder.files().allSatisfy({ !$0.contains(".hls/") }) {
            try await Task.sleep(for: .milliseconds(5))
        }
        let taken = try await data.store.lease(
            worker: "second", duration: 600, maximumAttempts: 3, now: Date() + 60)
        #expect(taken?.task.id == id)
        #expect(try await work.value)
        #expect(try await data.task(id).status == .running)
        #expect(try data.files().count == 1, "only the source")
        #expect(try await data.folder.processesEnd())
    }
}
