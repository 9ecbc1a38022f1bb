import Foundation
import Subprocess

/// What one quick decode of a whole file finds out.
public struct Survey: Sendable, Hashable {
    /// Samples of one channel: the exact decoded length.
    public fileprivate(set) var frames = 0
    /// Over all samples of all channels.
    public var meanSquare: Double { frames == 0 ? 0 : energy / Double(frames * channels) }
    /// The largest magnitude; full scale is 1.
    public fileprivate(set) var peak: Float = 0

    fileprivate var energy = 0.0
    fileprivate let channels: Int

    fileprivate init(channels: Int) { self.channels = channels }
}

extension MediaTools {
    /// Decodes the sound at its own rate and channel count. Gaps of over 0.1 s in the sound of a film are filled with silence,
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
        let arguments =
            ["-nostdin", "-hide_banner", "-v", "quiet"] + MediaTools.input(file) + [
                "-map", "0:\(info.stream)", "-ar", "\(info.sampleRate)",
            ] + (info.film == nil ? [] : ["-af", "aresample=async=1"]) + info.channelArguments + [
                "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1",
            ]
        let configuration = configuration(ffmpeg, arguments)
        try await within(seconds: limits.runTime) {
            let result = try await run(
                configuration, input: .none, output: .sequence, error: .discarded
            ) { execution in
                var splitter = BlockSplitter(channels: info.channels, frames: frames)
                for try await buffer in execution.standardOutput {
                    buffer.withUnsafeBytes { splitter.append($0) }
                    while let block = splitter.next() { try await body(block) }
                }
                if let block = splitter.rest() { try await body(block) }
                return splitter.total
            }
            switch result.terminationStatus {
            case .exited(0): if result.closureResult == 0 { throw MediaError.empty }
            // Asked to stop, ffmpeg ends like this.
            case .exited(255): throw MediaError.decodingInterrupted
            // What could be decoded of a damaged file has been delivered.
            case .exited: if result.closureResult == 0 { throw MediaError.unreadable }
            case .signaled: throw MediaError.limitExceeded
            }
        }
    }

    /// Decodes a whole file once, to know its exact length, level and peak.
    /// - Throws: ``MediaError``; ``MediaError/truncated(declared:found:)`` where the file ends before its own
    ///   header says.
    public func survey(_ file: String, _ info: AudioInfo) async throws -> Survey {
        let collector = Collector(Survey(channels: info.channels))
        let limit = limits.samples / info.channels
        try await decode(file, info) { block in
            if await collector.add(block) > limit { throw MediaError.tooLong }
        }
        let survey = await collector.survey
        let found = Double(survey.frames) / Double(info.sampleRate)
        // Codecs begin and end within a frame or two of what containers declare.
        if !info.isDurationEstimated, found < info.duration - max(0.5, info.duration * 0.01) {
            throw MediaError.truncated(declared: info.duration, found: found)
        }
        return survey
    }

    private actor Collector {
        var survey: Survey

        init(_ survey: Survey) { self.survey = survey }

        /// - Returns: The frames so far.
        func add(_ block: [[Float]]) -> Int {
            survey.frames += block[0].count
            for channel in block {
                // Sums of 8, so that the loop is one of vector instructions.
                var sums = SIMD8<Float>()
                var peaks = SIMD8<Float>()
                channel.withUnsafeBufferPointer { samples in
                    var index = 0
                    while index + 8 <= samples.count {
                        let values = UnsafeRawPointer(samples.baseAddress! + index)
                            .loadUnaligned(as: SIMD8<Float>.self)
                        sums += values * values
                        peaks = pointwiseMax(peaks, pointwiseMax(values, -values))
                        index += 8
                        if index % 1024 == 0 {
                            survey.energy += Double(sums.sum())
                            sums = SIMD8()
                        }
                    }
                    for sample in samples[index...] {
                        survey.energy += Double(sample * sample)
                        survey.peak = max(survey.peak, abs(sample))
                    }
                }
                survey.energy += Double(sums.sum())
                survey.peak = max(survey.peak, peaks.max())
            }
            return survey.frames
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
        let block = bytes.withUnsafeBytes { raw in
            let values = UnsafeRawBufferPointer(rebasing: raw[start...])
            return (0..<channels).map { channel in
                [Float](unsafeUninitializedCapacity: count) { samples, initialized in
                    for index in 0..<count {
                        let value = values.loadUnaligned(
                            fromByteOffset: (index * channels + channel) * 4, as: Float.self)
                        samples[index] = value.isFinite ? min(max(value, -64), 64) : 0
                    }
                    initialized = count
                }
            }
        }
        start += count * channels * 4
        total += count
        return block
    }
}
