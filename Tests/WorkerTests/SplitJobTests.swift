import Foundation
import Media
import Synchronization
import TestSupport
import Testing
import Worker

@Suite(.serialized) final class SplitJobTests: Sendable {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    private func run(
        _ file: URL, stems: [String], format: AudioFormat? = .wav,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws -> JobResult {
        let out = folder.file("out")
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
        return try await SplitJob(
            input: file.path, kind: .stems(stems, clearCut: false), format: format, folder: out.path
        ).run(tools, separator.get(), progress: progress)
    }

    private func track(_ label: String, _ result: JobResult) throws -> [[Float]] {
        let output = try #require(result.outputs.first { $0.label == label })
        return try decode(URL(fileURLWithPath: output.path), channels: result.info.channels)
    }

    @Test func progressOnlyRisesAndEndsAtOne() async throws {
        let values = Mutex<[Double]>([])
        let file = try folder.make("a.flac", from: Self.song, ["-t", "30"])
        let result = try await run(file, stems: ["vocals"]) { value in
            values.withLock { $0.append(value) }
        }
        let seen = values.withLock { $0 }
        #expect(seen == seen.sorted() && seen.count >= 5, "\(seen)")
        #expect(seen.allSatisfy { 0 < $0 && $0 <= 1 } && seen.last == 1)
        #expect(result.gain == 1 && result.duration == 30)
        #expect(result.seconds.inference > 0)
        // No spool, nothing temporary.
        #expect(try folder.files() == ["a.flac", "out/no_vocals.wav", "out/vocals.wav"])
    }

    /// A recording driven into full scale: a stem or its rest goes beyond, so all tracks are scaled by one factor.
    @Test func loudRecordingsAreScaledByOneFactorAndStillAddUp() async throws {
        let file = try folder.make(
            "loud.wav", from: Self.song, ["-t", "12", "-af", "volume=30dB", "-c:a", "pcm_s24le"])
        let stems = ["vocals", "drum", "bass"]
        let result = try await run(file, stems: stems)
        #expect(result.gain < 1 && result.gain > 0.25)
        let source = try decode(file)
        var peak: Float = 0
        for stem in stems {
            let (a, b) = (try track(stem, result), try track("no_\(stem)", result))
            var worst: Float = 0
            for channel in source.indices {
                for n in source[channel].indices {
                    peak = max(peak, abs(a[channel][n]), abs(b[channel][n]))
                    let sum = a[channel][n] + b[channel][n]
                    worst = max(worst, abs(sum - result.gain * source[channel][n]))
                }
            }
            #expect(worst <= 0x1p-23, "\(stem): \(worst)")
        }
        #expect(peak <= 1 && peak > 0.999)
    }

    @Test(arguments: [
        ("a.mp3", ["-ar", "44100", "-ac", "1"]), ("a.ogg", ["-ar", "22050", "-c:a", "libvorbis"]),
        ("a.wav", ["-ar", "96000", "-c:a", "pcm_f32le"]),
        ("a.flac", ["-ar", "8000", "-sample_fmt", "s16"]),
    ])
    func rateChannelsLengthAndSumAreTheSources(_ name: String, _ arguments: [String]) async throws {
        let file = try folder.make(name, from: Self.song, ["-ss", "30", "-t", "5"] + arguments)
        let result = try await run(file, stems: ["vocals"])
        let source = try decode(file, channels: result.info.channels)
        #expect(result.frames == source[0].count)
        let (stem, rest) = (try track("vocals", result), try track("no_vocals", result))
        #expect(stem.map(\.count) == source.map(\.count))
        #expect(rest.map(\.count) == source.map(\.count))
        let sum = zip(stem, rest).map { zip($0, $1).map { $0 + $1 } }
        let worst = zip(sum, source).flatMap { zip($0, $1).map { abs($0 - $1) } }.max() ?? 1
        #expect(worst <= 0x1p-23)
        #expect(stem[0].contains { abs($0) > 0.001 })
    }

    @Test func moreChannelsThanTheFormatHoldsAreRefused() async throws {
        let channels = Array(repeating: "0.1*random(0)", count: 10).joined(separator: "|")
        let file = try folder.make(
            "ten.wav", ["-f", "lavfi", "-i", "aevalsrc=\(channels):d=2"])
        await #expect(throws: MediaError.tooManyChannels(10, format: "mp3")) {
            _ = try await self.run(file, stems: ["vocals"], format: .mp3)
        }
        try FileManager.default.removeItem(at: folder.file("out"))
        let result = try await run(file, stems: ["vocals"])
        #expect(try track("vocals", result).count == 10)
    }

    @Test func cancellingEndsEverything() async throws {
        let file = try folder.make("a.flac", from: Self.song, ["-t", "60"])
        let started = AsyncStream<Void>.makeStream()
        let job = Task {
            try await run(file, stems: ["vocals", "drum"], format: .mp3) { value in
                if value > 0.2 { started.continuation.yield() }
            }
        }
        for await _ in started.stream { break }
        job.cancel()
        await #expect(throws: CancellationError.self) { try await job.value }
        #expect(try await folder.processesEnd())
    }

    /// The file is read once; what becomes of it then does not matter.
    @Test func aSourceThatIsCutOffAfterItWasReadIsStillWhole() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "20", "-ac", "2"])
        let long = try folder.make(
            "long.wav", ["-stream_loop", "2", "-i", file.path, "-c", "copy"])
        let expected = try track("no_vocals", await run(long, stems: ["vocals"]))
        try FileManager.default.removeItem(at: folder.file("out"))
        let started = AsyncStream<Void>.makeStream()
        let job = Task {
            try await run(long, stems: ["vocals"]) { value in
                if value > 0.5 { started.continuation.yield() }
            }
        }
        for await _ in started.stream { break }
        #expect(folder.processes.isEmpty, "the decoder is done")
        let handle = try FileHandle(forWritingTo: long)
        try handle.truncate(atOffset: 2_000_000)
        let found = try track("no_vocals", try await job.value)
        #expect(found == expected)
    }

    /// Tracks are written while the rest of a long recording is decoded, and all of it ends together.
    @Test func separationBeginsBeforeDecodingEnds() async throws {
        let minute = try folder.make(
            "a.mp3", from: Self.song, ["-t", "60", "-id3v2_version", "0", "-write_xing", "0"])
        let bytes = try Data(contentsOf: minute)
        let long = try folder.write("long.mp3", Data((0..<90).map { _ in bytes }.joined()))
        // So that nothing has to be loaded.
        _ = try await run(minute, stems: ["vocals"])
        try FileManager.default.removeItem(at: folder.file("out"))
        let started = AsyncStream<Void>.makeStream()
        let job = Task {
            try await run(long, stems: ["vocals"]) { value in
                if value > 0.04 { started.continuation.yield() }
            }
        }
        for await _ in started.stream { break }
        // Tracks of WAV need no encoder.
        #expect(folder.processes.count == 1, "the decoder runs")
        job.cancel()
        await #expect(throws: CancellationError.self) { try await job.value }
        #expect(try await folder.processesEnd())
    }

    @Test func encodersThatDieEndTheJob() async throws {
        let file = try folder.make("a.flac", from: Self.song, ["-t", "60"])
        let started = AsyncStream<Void>.makeStream()
        let job = Task {
            try await run(file, stems: ["vocals"], format: .flac) { value in
                if value > 0.2 { started.continuation.yield() }
            }
        }
        for await _ in started.stream { break }
        // Killed from outside, as by a kernel out of memory.
        let encoders = try folder.processes.filter { pid in
            let line = try #require(FileManager.default.contents(atPath: "/proc/\(pid)/cmdline"))
            return String(decoding: line, as: UTF8.self).contains("out/vocals.flac")
        }
        try #require(!encoders.isEmpty)
        for pid in encoders { kill(pid, SIGKILL) }
        await #expect(throws: MediaError.encodingFailed(format: "flac")) { try await job.value }
        #expect(try await folder.processesEnd())
    }
}
