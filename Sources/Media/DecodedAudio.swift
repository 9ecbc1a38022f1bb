import Foundation
import Subprocess
import Synchronization

/// The sound of a file, decoded once: its samples lie in an unnamed file, from which any part can be read any number of
/// times; what is there can be read while the rest is decoded.
public final class DecodedAudio: Sendable {
    public let channels: Int
    private let tools: MediaTools
    private let path: String
    private let info: AudioInfo
    private let folder: String
    /// Samples of all channels in turns, as 32-bit floats.
    private let file: UnnamedFile
    private let state = Mutex(State())

    private struct State {
        /// How decoding ended: with the samples of one channel.
        var end: Result<Int, any Error>?
        var decoding = Duration.zero
        var waiting = Duration.zero
    }

    /// Nothing is decoded yet.
    /// - Parameter folder: Where the samples are kept, 4 bytes for each.
    /// - Throws: ``MediaError/diskFull``, `POSIXError`.
    public init(
        _ tools: MediaTools, _ path: String, _ info: AudioInfo, folder: String
    ) throws {
        self.tools = tools
        self.path = path
        self.info = info
        self.folder = folder
        channels = info.channels
        file = try UnnamedFile(folder: folder)
    }

    /// Samples of one channel: once all are decoded the exact length, before that about as many as will be, and no fewer than are
    /// there.
    public var frames: Int {
        let end = state.withLock { $0.end }
        if case .success(let frames)? = end { return frames }
        let there = (try? file.size) ?? 0
        return max(Int(info.duration * Double(info.sampleRate)), there / (4 * channels), 1)
    }

    /// How long decoding took.
    public var decodingTime: Duration { state.withLock { $0.decoding } }

    /// How long a reader waited for the decoder.
    public var waitingTime: Duration { state.withLock { $0.waiting } }

    /// Decodes the file, once. ffmpeg writes the samples itself: they take no way through this process.
    /// - Throws: ``MediaError``; ``MediaError/truncated(declared:found:)`` where the file ends before its own
    ///   header says; ``MediaError/diskFull``. Readers get the same error.
    public func decode() async throws {
        let began = ContinuousClock.now
        do {
            let frames = try await write()
            state.withLock {
                $0.decoding = ContinuousClock.now - began
                $0.end = .success(frames)
            }
        } catch {
            state.withLock { $0.end = .failure(error) }
            throw error
        }
    }

    /// - Returns: Samples of one channel.
    private func write() async throws -> Int {
        let limit = 4 * (tools.limits.samples / channels) * channels
        // One sample more than is accepted, so that too many can be told.
        let configuration = tools.configuration(
            tools.ffmpeg, tools.decodingArguments(path, info), fileSize: limit + 4 * channels)
        let status = try await tools.within(seconds: tools.limits.runTime) {
            try await run(
                configuration, input: .none,
                output: .fileDescriptor(
                    self.file.descriptor, closeAfterSpawningProcess: false),
                error: .discarded
            ).terminationStatus
        }
        let size = try file.size
        if size > limit { throw MediaError.tooLong }
        try UnnamedFile.requireRoom(folder: folder)
        let frames = size / (4 * channels)
        try tools.requireDecoded(status, frames: frames)
        let found = Double(frames) / Double(info.sampleRate)
        // Codecs begin and end within a frame or two of what containers declare.
        if !info.isDurationEstimated, found < info.duration - max(0.5, info.duration * 0.01) {
            throw MediaError.truncated(declared: info.duration, found: found)
        }
        return frames
    }

    /// A part that is decoded, `[channel][sample]`, full scale ±1. What is no number, or infinite, is 0; values beyond ±64
    /// are cut there.
    /// - Throws: `POSIXError`.
    public func read(from frame: Int, count: Int) throws -> [[Float]] {
        let samples = try [Float](unsafeUninitializedCapacity: count * channels) {
            samples, initialized in
            try file.read(
                into: UnsafeMutableRawBufferPointer(samples), at: 4 * frame * channels)
            Interleaved.makeNumbers(samples.baseAddress!, count * channels)
            initialized = count * channels
        }
        return Interleaved.planar(samples, channels: channels)
    }

    /// Reads everything, waiting for the decoder where it is behind.
    /// - Parameters:
    ///   - blockFrames: Samples of one channel in a block; the last can be shorter.
    ///   - isolation: Where `body` runs: where the caller does.
    ///   - body: Gets blocks as ``read(from:count:)`` makes them.
    /// - Throws: What ``decode()`` throws, `POSIXError`, `CancellationError`, or what `body` throws.
    public func forEach(
        blockFrames: Int = 65_536, isolation: isolated (any Actor)? = #isolation,
        _ body: ([[Float]]) async throws -> Void
    ) async throws {
        var frame = 0
        while case let count = try await available(blockFrames, from: frame), count > 0 {
            try Task.checkCancellation()
            try await body(try read(from: frame, count: count))
            frame += count
            // Heartbeats go on beside work that waits for nothing.
            await Task.yield()
        }
    }

    /// Waits until so many samples are there, or the last ones.
    /// - Returns: How many are there.
    private func available(_ count: Int, from frame: Int) async throws -> Int {
        while true {
            let began = ContinuousClock.now
            if let frames = try state.withLock({ $0.end })?.get() {
                return min(count, frames - frame)
            }
            if try file.size >= 4 * channels * (frame + count) { return count }
            try await Task.sleep(for: .milliseconds(2))
            state.withLock { $0.waiting += ContinuousClock.now - began }
        }
    }
}

extension MediaTools {
    /// Decodes a whole file.
    /// - Parameter folder: Where the samples are kept, 4 bytes for each.
    /// - Throws: What ``DecodedAudio/decode()`` throws.
    public func decode(
        _ file: String, _ info: AudioInfo, folder: String
    ) async throws -> DecodedAudio {
        let audio = try DecodedAudio(self, file, info, folder: folder)
        try await audio.decode()
        return audio
    }
}
