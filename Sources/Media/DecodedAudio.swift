import Foundation
import Subprocess

/// The sound of a file, decoded once: its samples lie in an unnamed file, from which any part can be read any number of times.
public final class DecodedAudio: Sendable {
    public let channels: Int
    /// Samples of one channel: the exact decoded length.
    public let frames: Int
    /// Over all samples of all channels.
    public let meanSquare: Double
    /// The largest magnitude; full scale is 1.
    public let peak: Float
    /// Samples of all channels in turns, as 32-bit floats.
    private let file: UnnamedFile

    fileprivate init(_ file: UnnamedFile, channels: Int) throws {
        self.file = file
        self.channels = channels
        frames = try file.size / (4 * channels)
        var levels = Levels()
        let count = 1 << 18
        let samples = frames * channels
        for start in stride(from: 0, to: samples, by: count) {
            levels.add(try Self.samples(min(count, samples - start), at: start, of: file))
        }
        meanSquare = samples == 0 ? 0 : levels.energy / Double(samples)
        peak = levels.peak
    }

    /// Samples of all channels in turns.
    private static func samples(_ count: Int, at start: Int, of file: UnnamedFile) throws -> [Float]
    {
        try [Float](unsafeUninitializedCapacity: count) { samples, initialized in
            try file.read(
                into: UnsafeMutableRawBufferPointer(
                    start: samples.baseAddress!, count: 4 * count), at: 4 * start)
            Interleaved.makeNumbers(samples.baseAddress!, count)
            initialized = count
        }
    }

    /// A part, `[channel][sample]`, full scale ±1. What is no number, or infinite, is 0; values beyond ±64 are cut there.
    /// - Throws: `POSIXError`.
    public func read(from frame: Int, count: Int) throws -> [[Float]] {
        Interleaved.planar(
            try Self.samples(count * channels, at: frame * channels, of: file), channels: channels)
    }

    /// Reads everything.
    /// - Parameters:
    ///   - blockFrames: Samples of one channel in a block; the last can be shorter.
    ///   - isolation: Where `body` runs: where the caller does.
    ///   - body: Gets blocks as ``read(from:count:)`` makes them.
    /// - Throws: `POSIXError`, `CancellationError`, or what `body` throws.
    public func forEach(
        blockFrames: Int = 65_536, isolation: isolated (any Actor)? = #isolation,
        _ body: ([[Float]]) async throws -> Void
    ) async throws {
        for frame in stride(from: 0, to: frames, by: blockFrames) {
            try Task.checkCancellation()
            try await body(try read(from: frame, count: min(blockFrames, frames - frame)))
            // Heartbeats go on beside work that waits for nothing.
            await Task.yield()
        }
    }
}

/// Level and peak of samples.
private struct Levels {
    var energy = 0.0
    var peak: Float = 0

    mutating func add(_ samples: [Float]) {
        // Sums of 8, so that the loop is one of vector instructions.
        var sums = SIMD8<Float>()
        var peaks = SIMD8<Float>()
        samples.withUnsafeBufferPointer { samples in
            var index = 0
            while index + 8 <= samples.count {
                let values = UnsafeRawPointer(samples.baseAddress! + index)
                    .loadUnaligned(as: SIMD8<Float>.self)
                sums += values * values
                peaks.replace(with: values, where: values .> peaks)
                peaks.replace(with: -values, where: -values .> peaks)
                index += 8
                if index % 1024 == 0 {
                    energy += Double(sums.sum())
                    sums = SIMD8()
                }
            }
            for sample in samples[index...] {
                energy += Double(sample * sample)
                peak = max(peak, abs(sample))
            }
        }
        energy += Double(sums.sum())
        for lane in 0..<8 { peak = max(peak, peaks[lane]) }
    }
}

extension MediaTools {
    /// Decodes a whole file, whose exact length, level and peak are known then. ffmpeg writes the samples itself: they
    /// take no way through this process.
    /// - Parameter folder: Where the samples are kept, 4 bytes for each.
    /// - Throws: ``MediaError``; ``MediaError/truncated(declared:found:)`` where the file ends before its own
    ///   header says; ``MediaError/diskFull``.
    public func decode(
        _ file: String, _ info: AudioInfo, folder: String
    ) async throws -> DecodedAudio {
        let samples = try UnnamedFile(folder: folder)
        let limit = 4 * (limits.samples / info.channels) * info.channels
        // One sample more than is accepted, so that too many can be told.
        let configuration = configuration(
            ffmpeg, decodingArguments(file, info), fileSize: limit + 4 * info.channels)
        let status = try await within(seconds: limits.runTime) {
            try await run(
                configuration, input: .none,
                output: .fileDescriptor(samples.descriptor, closeAfterSpawningProcess: false),
                error: .discarded
            ).terminationStatus
        }
        let size = try samples.size
        if size > limit { throw MediaError.tooLong }
        try samples.requireRoom()
        try requireDecoded(status, frames: size / (4 * info.channels))
        let audio = try DecodedAudio(samples, channels: info.channels)
        let found = Double(audio.frames) / Double(info.sampleRate)
        // Codecs begin and end within a frame or two of what containers declare.
        if !info.isDurationEstimated, found < info.duration - max(0.5, info.duration * 0.01) {
            throw MediaError.truncated(declared: info.duration, found: found)
        }
        return audio
    }
}
