import Foundation
import Media
import TestSupport
import Testing

@Suite final class EncodeTests {
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    /// Channels that differ, with energy everywhere below a quarter of the rate.
    private func signal(channels: Int, frames: Int) -> [[Float]] {
        (0..<channels).map { channel in
            (0..<frames).map { n in
                let x = Float(n)
                return 0.3 * sin(x * 0.02 * Float(channel + 1)) + 0.2 * sin(x * x * 2e-6)
            }
        }
    }

    private func encode(
        _ signal: [[Float]], _ format: AudioFormat, rate: Int, block: Int = 7001
    ) async throws -> URL {
        let file = folder.file("\(UUID().uuidString).\(format.trackFormat.fileExtension)")
        let encoder = Encoder(
            tools, file: file.path, format: format.trackFormat, sampleRate: rate,
            channels: signal.count)
        for start in stride(from: 0, to: signal[0].count, by: block) {
            let end = min(start + block, signal[0].count)
            try await encoder.write(signal.map { Array($0[start..<end]) })
        }
        try await encoder.finish()
        return file
    }

    @Test(arguments: [AudioFormat.wav, .flac])
    func losslessFormatsKeepEverySampleOf24Bits(_ format: AudioFormat) async throws {
        for (rate, channels) in [(8000, 1), (44_100, 2), (48_000, 6), (192_000, 2)] {
            let signal = signal(channels: channels, frames: 30_001)
            let file = try await encode(signal, format, rate: rate)
            let info = try await tools.probe(file.path)
            #expect(info.sampleRate == rate && info.channels == channels)
            let back = try decode(file, channels: channels)
            let expected = signal.map { $0.map { ($0 * 0x1p23).rounded(.toNearestOrEven) } }
            #expect(back.map { $0.map { $0 * 0x1p23 } } == expected)
        }
    }

    @Test(arguments: [AudioFormat.wav, .flac])
    func whatIsOverFullScaleIsCut(_ format: AudioFormat) async throws {
        let file = try await encode([[0.5, 1, 1.5, -1, -1.5, 0]], format, rate: 44_100)
        let most = Float(0x1p23 - 1) / 0x1p23
        #expect(try decode(file, channels: 1) == [[0.5, most, most, -1, -1, 0]])
    }

    @Test(arguments: [AudioFormat.mp3, .aac, .ogg])
    func perceptualFormatsKeepStartLengthRateAndSound(_ format: AudioFormat) async throws {
        for (rate, channels) in [(22_050, 1), (44_100, 2), (48_000, 2)] {
            let signal = signal(channels: channels, frames: 3 * rate + 17)
            let file = try await encode(signal, format, rate: rate)
            let info = try await tools.probe(file.path)
            #expect(info.sampleRate == rate && info.channels == channels)
            let back = try decode(file, channels: channels)
            let count = back[0].count
            // The last frame of a codec may be padded.
            #expect(
                (0..<1024).contains(count - signal[0].count), "\(format) \(rate): \(count)")
            // In place: any delay of a sample would be far above this.
            let error = difference(back, signal.map { Array($0.prefix(count)) })
            #expect(error < -15, "\(format) \(rate): \(error) dB")
        }
    }

    /// Where a format lacks the source's rate or channels, the nearest that it has.
    @Test(arguments: [
        (AudioFormat.mp3, 96_000, 6, 48_000, 2), (.aac, 192_000, 6, 96_000, 6),
        (.ogg, 96_000, 6, 96_000, 6), (.mp3, 10_000, 1, 11_025, 1), (.flac, 44_100, 8, 44_100, 8),
        (.ogg, 352_800, 2, 192_000, 2), (.flac, 705_600, 2, 192_000, 2),
        (.flac, 352_800, 2, 352_800, 2), (.flac, 65_537, 1, 96_000, 1),
        (.wav, 44_100, 10, 44_100, 10),
    ])
    func formatsWithLessThanTheSource(
        _ format: AudioFormat, _ rate: Int, _ channels: Int, _ outRate: Int, _ outChannels: Int
    ) async throws {
        let file = try await encode(
            signal(channels: channels, frames: rate), format, rate: rate)
        let info = try await tools.probe(file.path)
        #expect(info.sampleRate == outRate && info.channels == outChannels)
        #expect(abs(info.duration - 1) < 0.2)
    }

    @Test func formatsThatCannotBeWrittenThereSaySo() async throws {
        let encoder = Encoder(
            tools, file: "/nonexistent/a.wav", format: .wav, sampleRate: 44_100, channels: 1)
        // However much is written: nobody waits for an encoder that has ended.
        await #expect(throws: MediaError.encodingFailed(format: "wav")) {
            for _ in 0..<1000 {
                try await encoder.write([[Float](repeating: 0, count: 65_536)])
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        await #expect(throws: MediaError.encodingFailed(format: "wav")) {
            try await encoder.finish()
        }
    }

    /// Over 4 GiB a WAV file is one of RF64.
    @Test func largeWAVFilesAreRF64() async throws {
        let file = folder.file("large.wav")
        let encoder = Encoder(
            tools, file: file.path, format: .wav, sampleRate: 192_000, channels: 2)
        let block = signal(channels: 2, frames: 1 << 22)
        let blocks = 172
        for _ in 0..<blocks { try await encoder.write(block) }
        try await encoder.finish()
        let info = try await tools.probe(file.path)
        #expect(info.sampleRate == 192_000 && info.channels == 2)
        #expect(abs(info.duration - Double(blocks << 22) / 192_000) < 1e-3)
        let handle = try FileHandle(forReadingFrom: file)
        #expect(try handle.read(upToCount: 4) == Data("RF64".utf8))
        #expect(try handle.seekToEnd() > 1 << 32)
    }

    @Test func filesHaveALargestSize() async throws {
        var limits = MediaLimits()
        limits.fileSize = 100_000
        let confined = try MediaTools(limits: limits)
        let encoder = Encoder(
            confined, file: folder.file("a.wav").path, format: .wav, sampleRate: 44_100,
            channels: 2)
        let second = signal(channels: 2, frames: 44_100)
        await #expect(throws: MediaError.encodingFailed(format: "wav")) {
            for _ in 0..<20 { try await encoder.write(second) }
            try await encoder.finish()
        }
    }

    @Test func aKilledEncoderIsNoticed() async throws {
        let encoder = Encoder(
            tools, file: folder.file("a.flac").path, format: .flac, sampleRate: 44_100, channels: 2
        )
        let second = signal(channels: 2, frames: 44_100)
        try await encoder.write(second)
        // Listed once: while a process becomes another program, it has no arguments for a moment.
        var encoders: [Int32] = []
        while encoders.isEmpty {
            try await Task.sleep(for: .milliseconds(10))
            encoders = folder.processes
        }
        for process in encoders { kill(process, SIGKILL) }
        await #expect(throws: MediaError.encodingFailed(format: "flac")) {
            for _ in 0..<10_000 {
                try await encoder.write(second)
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    @Test func cancellingKillsTheEncoder() async throws {
        let encoder = Encoder(
            tools, file: folder.file("a.mp3").path, format: .mp3, sampleRate: 44_100, channels: 2)
        try await encoder.write(signal(channels: 2, frames: 44_100))
        await encoder.cancel()
        #expect(try await folder.processesEnd())
    }
}
