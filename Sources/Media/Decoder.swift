import Foundation
import Subprocess

extension MediaTools {
    /// Decodes the sound at its own rate and channel count, in a stream. Gaps of over 0.1 s in the sound of a film are filled with silence,
    /// so that what follows stays with its picture.
    ///
    /// - Parameters:
    ///   - frames: Samples of one channel in a block.
    ///   - body: Gets blocks `[channel][sample]`, full scale ±1; the last can be shorter. While it works, the
    ///     decoder waits. What is no number, or infinite, is 0; values beyond ±64 are cut there.
    /// - Throws: ``MediaError``, or what `body` throws.
    public func decode(
        _ file: String, _ info: AudioInfo, blockFrames frames: Int = 65_536,
        _ body: @escaping @Sendable ([[Float]]) async throws -> Void
    ) async throws {
        let configuration = configuration(ffmpeg, decodingArguments(file, info))
        let limit = limits.samples / info.channels
        try await within(seconds: limits.runTime) {
            let result = try await run(
                configuration, input: .none, output: .sequence, error: .discarded
            ) { execution in
                var splitter = BlockSplitter(channels: info.channels, frames: frames)
                func deliver(_ block: [[Float]]) async throws {
                    if splitter.total > limit { throw MediaError.tooLong }
                    try await body(block)
                }
                for try await buffer in execution.standardOutput {
                    buffer.withUnsafeBytes { splitter.append($0) }
                    while let block = splitter.next() { try await deliver(block) }
                }
                if let block = splitter.rest() { try await deliver(block) }
                return splitter.total
            }
            try requireDecoded(result.terminationStatus, frames: result.closureResult)
        }
    }

    /// Raw samples of all channels in turns, as floats, go to standard output.
    func decodingArguments(_ file: String, _ info: AudioInfo) -> [String] {
        ["-nostdin", "-hide_banner", "-v", "quiet"] + MediaTools.input(file) + [
            "-map", "0:\(info.stream)", "-ar", "\(info.sampleRate)",
        ] + (info.film == nil ? [] : ["-af", "aresample=async=1"]) + info.channelArguments + [
            "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1",
        ]
    }

    /// Judges how decoding ended.
    /// - Parameter frames: What it delivered. What could be decoded of a damaged file counts.
    func requireDecoded(_ status: TerminationStatus, frames: Int) throws(MediaError) {
        switch status {
        case .exited(0): if frames == 0 { throw .empty }
        // Asked to stop, ffmpeg ends like this.
        case .exited(255): throw .decodingInterrupted
        case .exited: if frames == 0 { throw .unreadable }
        case .signaled: throw .limitExceeded
        }
    }
}

/// Cuts a stream of interleaved 32-bit floats into planar blocks.
struct BlockSplitter {
    private let channels: Int
    private let frames: Int
    private var bytes: [UInt8] = []
    private var start = 0
    /// Samples of one channel that were delivered.
    private(set) var total = 0

    init(channels: Int, frames: Int) {
        self.channels = channels
        self.frames = frames
    }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The next whole block, if it is there.
    mutating func next() -> [[Float]]? {
        bytes.count - start >= frames * channels * 4 ? take(frames) : nil
    }

    /// What is left at the end.
    mutating func rest() -> [[Float]]? {
        let left = (bytes.count - start) / (channels * 4)
        return left > 0 ? take(left) : nil
    }

    private mutating func take(_ count: Int) -> [[Float]] {
        var samples = [Float](unsafeUninitializedCapacity: count * channels) {
            samples, initialized in
            bytes.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(samples).copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: bytes[start...].prefix(4 * samples.count)))
            }
            initialized = count * channels
        }
        samples.withUnsafeMutableBufferPointer {
            Interleaved.makeNumbers($0.baseAddress!, $0.count)
        }
        start += count * channels * 4
        total += count
        return Interleaved.planar(samples, channels: channels)
    }
}
