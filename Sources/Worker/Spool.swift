import Foundation
import Media
import Separation

/// Separated blocks on disk, in the order in which they were written, until the job ends. Their source is read from where it
/// was decoded to.
final class Spool: Sendable {
    private let source: DecodedAudio
    private let file: UnnamedFile

    /// - Parameters:
    ///   - source: What is separated.
    ///   - folder: Where the file is made.
    init(_ source: DecodedAudio, folder: String) throws {
        self.source = source
        file = try UnnamedFile(folder: folder)
    }

    /// Appends a block: two counts (stems, samples of one channel), then the samples of the stems.
    func write(_ block: SeparatedBlock) throws {
        let counts = [block.stems.count, block.source[0].count].map(Int64.init)
        try counts.withUnsafeBytes(file.append)
        for channel in block.stems.joined() { try channel.withUnsafeBytes(file.append) }
    }

    /// Reads all blocks.
    /// - Parameter body: Gets a block, and how many samples of a channel have been read with it.
    func forEach(_ body: (SeparatedBlock, Int) async throws -> Void) async throws {
        var (frames, offset) = (0, 0)
        while frames < source.frames {
            try Task.checkCancellation()
            let block = try read(from: frames, at: &offset)
            frames += block.source[0].count
            try await body(block, frames)
            // Heartbeats go on beside work that waits for nothing.
            await Task.yield()
        }
    }

    private func read(from frame: Int, at offset: inout Int) throws -> SeparatedBlock {
        var counts: [Int64] = [0, 0]
        try counts.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
        offset += 16
        let (stems, samples) = (Int(counts[0]), Int(counts[1]))
        func row() throws -> [Float] {
            try [Float](unsafeUninitializedCapacity: samples) { row, count in
                try file.read(
                    into: UnsafeMutableRawBufferPointer(
                        start: row.baseAddress, count: 4 * samples), at: offset)
                count = samples
                offset += 4 * samples
            }
        }
        return SeparatedBlock(
            source: try source.read(from: frame, count: samples),
            stems: try (0..<stems).map { _ in
                try (0..<source.channels).map { _ in try row() }
            })
    }
}
