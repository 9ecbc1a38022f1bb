import Foundation
import Media
import TestSupport
import Testing

/// Collects what a decoder delivers.
actor Samples {
    private(set) var channels: [[Float]] = []
    private(set) var blocks: [Int] = []

    func add(_ block: [[Float]]) {
        if channels.isEmpty { channels = Array(repeating: [], count: block.count) }
        for (index, samples) in block.enumerated() { channels[index] += samples }
        blocks.append(block[0].count)
    }
}

@Suite final class DecodeTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    @Test func samplesAreExactAndBlocksAreWhole() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "3", "-c:a", "pcm_s24le"])
        let info = try await tools.probe(file.path)
        let expected = try TestSupport.decode(file)
        for size in [1000, 65_536, 1 << 20] {
            let samples = Samples()
            try await tools.decode(file.path, info, blockFrames: size) { await samples.add($0) }
            #expect(await samples.channels == expected)
            #expect(await samples.blocks.dropLast().allSatisfy { $0 == size })
        }
        let audio = try await tools.decode(file.path, info, folder: folder.path)
        #expect(audio.frames == expected[0].count)
    }

    /// Any part can be read, again and again, from a file that nobody else sees.
    @Test(arguments: [1, 2, 6])
    func whatWasDecodedOnceIsReadManyTimes(_ channels: Int) async throws {
        let file = try folder.make(
            "a.wav", from: Self.song, ["-t", "2", "-ac", "\(channels)", "-c:a", "pcm_s24le"])
        let files = try folder.files()
        let info = try await tools.probe(file.path)
        let audio = try await tools.decode(file.path, info, folder: folder.path)
        #expect(try folder.files() == files)
        let expected = try TestSupport.decode(file, channels: channels)
        for size in [1000, 65_536, 1 << 20] {
            let samples = Samples()
            try await audio.forEach(blockFrames: size) { await samples.add($0) }
            #expect(await samples.channels == expected)
            #expect(await samples.blocks.dropLast().allSatisfy { $0 == size })
        }
        #expect(try audio.read(from: 4321, count: 7) == expected.map { Array($0[4321..<4328]) })
        #expect(throws: POSIXError.self) { try audio.read(from: audio.frames - 1, count: 2) }
    }

    /// A pipe through which the first half of a file comes at once, and the rest when it is asked for.
    private func halves(
        of file: URL, _ rest: @escaping @Sendable (FileHandle, Data) throws -> Void
    ) throws -> (pipe: URL, rest: @Sendable () throws -> Void) {
        let pipe = folder.file("pipe.wav")
        try #require(mkfifo(pipe.path, 0o600) == 0)
        // Opened for both, so that this does not wait for ffmpeg.
        let handle = try #require(FileHandle(forUpdatingAtPath: pipe.path))
        let bytes = try Data(contentsOf: file)
        DispatchQueue.global().async { handle.write(bytes.prefix(bytes.count / 2)) }
        return (pipe, { try rest(handle, bytes.dropFirst(bytes.count / 2)) })
    }

    @Test func whatIsThereIsReadWhileTheRestIsDecoded() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "20", "-c:a", "pcm_s24le"])
        let info = try await tools.probe(file.path)
        let half = try halves(of: file) { handle, bytes in
            handle.write(bytes)
            try handle.close()
        }
        let audio = try DecodedAudio(tools, half.pipe.path, info, folder: folder.path)
        #expect(audio.frames == 20 * 44_100)
        async let decoding: Void = audio.decode()
        let samples = Samples()
        var asked = false
        try await audio.forEach(blockFrames: 10_000) {
            await samples.add($0)
            // Ten seconds, less what waits in ffmpeg.
            guard await samples.blocks.count == 40 else { return }
            asked = true
            #expect(audio.decodingTime == .zero)
            try await Task.sleep(for: .milliseconds(50))
            DispatchQueue.global().async { try? half.rest() }
        }
        try await decoding
        #expect(asked && audio.frames == 20 * 44_100 && audio.waitingTime > .zero)
        #expect(await samples.channels == (try TestSupport.decode(file)))
        #expect(await samples.blocks.dropLast().allSatisfy { $0 == 10_000 })
    }

    /// A reader hears of what the decoder finds at the end, and nothing waits for what never comes.
    @Test func aReaderGetsTheErrorOfTheDecoder() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "20", "-c:a", "pcm_s24le"])
        let info = try await tools.probe(file.path)
        let half = try halves(of: file) { handle, _ in try handle.close() }
        let audio = try DecodedAudio(tools, half.pipe.path, info, folder: folder.path)
        let decoding = Task { try await audio.decode() }
        var blocks = 0
        let error = await #expect(throws: MediaError.self) {
            try await audio.forEach(blockFrames: 10_000) { _ in
                blocks += 1
                if blocks == 40 { DispatchQueue.global().async { try? half.rest() } }
            }
        }
        guard case .truncated(_, let found) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(abs(found - 10) < 0.1 && blocks >= 40)
        await #expect(throws: MediaError.self) { try await decoding.value }
    }

    @Test func whoStopsReadingStopsTheDecoder() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "20"])
        let info = try await tools.probe(file.path)
        let half = try halves(of: file) { handle, _ in try handle.close() }
        let audio = try DecodedAudio(tools, half.pipe.path, info, folder: folder.path)
        let task = Task {
            async let decoding: Void = audio.decode()
            try await audio.forEach { _ in }
            try await decoding
        }
        while folder.processes.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        #expect(try await folder.processesEnd())
        await #expect(throws: (any Error).self) { try await task.value }
        try half.rest()
    }

    /// ffmpeg writes no more than one sample over what is accepted.
    @Test func exactlyAsMuchAsIsTakenIsTaken() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-af", "atrim=end_sample=50000"])
        let info = try await tools.probe(file.path)
        var limits = MediaLimits()
        for (samples, isTaken) in [(100_000, true), (99_999, false), (99_998, false)] {
            limits.samples = samples
            let confined = try MediaTools(limits: limits)
            if isTaken {
                #expect(
                    try await confined.decode(file.path, info, folder: folder.path).frames == 50_000
                )
            } else {
                await #expect(throws: MediaError.tooLong) {
                    try await confined.decode(file.path, info, folder: self.folder.path)
                }
                await #expect(throws: MediaError.tooLong) {
                    try await confined.decode(file.path, info) { _ in }
                }
            }
        }
    }

    @Test func sixChannelsStaySix() async throws {
        let song = Repository.recordings.appendingPathComponent(Self.song).path
        let pan = "pan=5.1|c0=c0|c1=c1|c2=0.5*c0|c3=0.1*c0|c4=0.3*c1|c5=0.2*c1"
        let file = try folder.make("six.flac", ["-i", song, "-t", "1", "-af", pan])
        let samples = Samples()
        try await tools.decode(file.path, try await tools.probe(file.path)) {
            await samples.add($0)
        }
        #expect(await samples.channels == (try TestSupport.decode(file, channels: 6)))
    }

    /// Every channel stays what and where it is, in and out.
    @Test(arguments: ["3.0", "quad", "4.1", "6.0", "7.0", "7.1(wide)"])
    func layoutsAreKept(_ layout: String) async throws {
        let count = ["3.0": 3, "quad": 4, "4.1": 5, "6.0": 6, "7.0": 7, "7.1(wide)": 8][layout]!
        let tones = (1...count).map { "0.1*sin(\($0)*500*t)" }.joined(separator: "|")
        let file = try folder.make(
            "a.wav",
            ["-f", "lavfi", "-i", "aevalsrc=\(tones):c=\(layout):d=1", "-c:a", "pcm_s24le"])
        let info = try await tools.probe(file.path)
        #expect(info.channelLayout == layout)
        let samples = Samples()
        try await tools.decode(file.path, info) { await samples.add($0) }
        let expected = try TestSupport.decode(file, channels: count)
        #expect(await samples.channels == expected)
        let copy = folder.file("copy.wav")
        let encoder = Encoder(
            tools, file: copy.path, format: .wav, sampleRate: info.sampleRate,
            channels: count, channelLayout: info.channelLayout)
        try await encoder.write(await samples.channels)
        try await encoder.finish()
        #expect(try await tools.probe(copy.path).channelLayout == layout)
        #expect(try TestSupport.decode(copy, channels: count) == expected)
    }

    @Test func moreThanTheServerTakesIsRefused() async throws {
        let file = try folder.make("a.flac", from: Self.song, ["-t", "10"])
        var limits = MediaLimits()
        limits.samples = 2 * 44_100 * 9
        let confined = try MediaTools(limits: limits)
        let info = try await confined.probe(file.path)
        await #expect(throws: MediaError.tooLong) {
            try await confined.decode(file.path, info, folder: folder.path)
        }
        limits.samplesPerSecond = 2 * 44_100 - 1
        await #expect(throws: MediaError.tooLong) {
            try await MediaTools(limits: limits).probe(file.path)
        }
    }

    /// Asked to stop, ffmpeg delivers what it has and ends: that is no end of the recording.
    @Test func aDecoderThatIsStoppedIsAnError() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "30"])
        let (tools, info) = (tools, try await tools.probe(file.path))
        let samples = Samples()
        let task = Task {
            try await tools.decode(file.path, info, blockFrames: 1000) {
                await samples.add($0)
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        // From its first samples on it heeds signals.
        while await samples.blocks.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        for process in folder.processes { kill(process, SIGTERM) }
        await #expect(throws: MediaError.decodingInterrupted) { try await task.value }
    }

    @Test func whatIsNoNumberBecomesSilence() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "1", "-c:a", "pcm_f32le"])
        var bytes = try Data(contentsOf: file)
        let strange: [Float] = [.nan, .infinity, -.infinity, 1e30, -1e30, .signalingNaN]
        let start = bytes.count - 4 * strange.count
        strange.withUnsafeBytes { bytes.replaceSubrange(start..<start + $0.count, with: $0) }
        try bytes.write(to: file)
        let samples = Samples()
        try await tools.decode(file.path, try await tools.probe(file.path)) {
            await samples.add($0)
        }
        let audio = try await tools.decode(
            file.path, try await tools.probe(file.path), folder: folder.path)
        for decoded in [
            await samples.channels, try audio.read(from: 0, count: audio.frames),
            try audio.read(from: audio.frames - 3, count: 3),
        ] {
            #expect(decoded[0].suffix(3) == [0, 0, -64])
            #expect(decoded[1].suffix(3) == [0, 64, 0])
        }
    }

    @Test(arguments: ["a.flac", "a.mp3", "a.m4a"])
    func filesThatAreCutOffAreNoticed(_ name: String) async throws {
        // With the index first, half of an MP4 still says how long it was.
        let arguments = name.hasSuffix("m4a") ? ["-movflags", "+faststart"] : []
        let file = try folder.make(name, from: Self.song, ["-t", "20"] + arguments)
        let bytes = try Data(contentsOf: file)
        let cut = try folder.write("cut-\(name)", bytes.prefix(bytes.count / 2))
        let info = try await tools.probe(cut.path)
        let error = await #expect(throws: MediaError.self) {
            try await self.tools.decode(cut.path, info, folder: self.folder.path)
        }
        guard case .truncated(let declared, let found) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(abs(declared - 20) < 0.1)
        #expect(found < 15)
    }

    /// Recorders that lost their power leave any length in a header: what is there is taken.
    @Test func wavIsReadToItsEnd() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "20"])
        let bytes = try Data(contentsOf: file)
        try bytes.prefix(44 + 4 * 44_100 * 5).write(to: file)
        let audio = try await tools.decode(
            file.path, try await tools.probe(file.path), folder: folder.path)
        #expect(abs(audio.frames - 5 * 44_100) < 50)
    }

    @Test func damageInTheMiddleIsSurvived() async throws {
        let file = try folder.make("a.mp3", from: Self.song, ["-t", "20", "-b:a", "128k"])
        var bytes = try Data(contentsOf: file)
        let middle = bytes.count / 2
        bytes.replaceSubrange(middle..<middle + 3000, with: Data(repeating: 0x55, count: 3000))
        try bytes.write(to: file)
        let audio = try await tools.decode(
            file.path, try await tools.probe(file.path), folder: folder.path)
        #expect(abs(Double(audio.frames) / 44_100 - 20) < 1)
    }

    @Test func aDecoderThatTakesTooLongIsKilled() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "30"])
        var limits = MediaLimits()
        limits.runTime = 1
        let slow = try MediaTools(limits: limits)
        let info = try await slow.probe(file.path)
        await #expect(throws: MediaError.limitExceeded) {
            try await slow.decode(file.path, info, blockFrames: 100) { _ in
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        #expect(try await folder.processesEnd())
    }

    @Test func aDecoderThatComputesTooLongIsKilled() async throws {
        // An hour of noise as FLAC: several seconds of work.
        let file = try folder.make(
            "long.flac", ["-f", "lavfi", "-i", "anoisesrc=d=3600:r=44100:seed=1", "-ac", "2"])
        var limits = MediaLimits()
        limits.cpu = 1
        let confined = try MediaTools(limits: limits)
        let info = try await confined.probe(file.path)
        await #expect(throws: MediaError.limitExceeded) {
            try await confined.decode(file.path, info, folder: folder.path)
        }
    }

    @Test func aDecoderWithoutMemoryFailsCleanly() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "3"])
        let info = try await tools.probe(file.path)
        var limits = MediaLimits()
        limits.memory = 48 << 20
        let confined = try MediaTools(limits: limits)
        await #expect(throws: MediaError.self) {
            try await confined.decode(file.path, info, folder: folder.path)
        }
    }

    @Test func cancellingKillsTheDecoder() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-t", "30"])
        let (tools, info) = (tools, try await tools.probe(file.path))
        let task = Task {
            try await tools.decode(file.path, info, blockFrames: 1000) { _ in
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        while folder.processes.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        #expect(try await folder.processesEnd())
        await #expect(throws: (any Error).self) { try await task.value }
    }

    @Test func whatTheReaderThrowsEndsTheDecoder() async throws {
        struct Enough: Error {}
        let file = try folder.make("a.wav", from: Self.song, ["-t", "30"])
        let info = try await tools.probe(file.path)
        await #expect(throws: Enough.self) {
            try await self.tools.decode(file.path, info, blockFrames: 1000) { _ in throw Enough() }
        }
        #expect(try await folder.processesEnd())
    }
}
