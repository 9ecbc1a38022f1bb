import Foundation
import Separation

/// Separated blocks on disk, in the order in which they were written, until the job ends. The file has no
/// name, so that nothing is left of it however the process ends.
final class Spool: Sendable {
    private let file: FileHandle

    /// - Parameter folder: Where the file is made.
    init(folder: String) throws {
        let path = "\(folder)/spool"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        unlink(path)
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Appends a block: three counts (stems, channels, samples), then the samples, the source's first.
    func write(_ block: SeparatedBlock) throws {
        let counts = [block.stems.count, block.source.count, block.source[0].count].map(Int64.init)
        try counts.withUnsafeBytes(write)
        for channel in block.source + block.stems.joined() { try channel.withUnsafeBytes(write) }
    }

    /// Without a copy on the way.
    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Foundation.write(
                file.fileDescriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
            }
            rest = rest.dropFirst(written)
        }
    }

    /// Reads all blocks.
    /// - Parameter body: Gets a block, and how many samples of a channel have been read with it.
    func forEach(_ body: (SeparatedBlock, Int) async throws -> Void) async throws {
        try rewind()
        var frames = 0
        while let block = try read() {
            try Task.checkCancellation()
            frames += block.source[0].count
            try await body(block, frames)
            // Heartbeats go on beside work that waits for nothing.
            await Task.yield()
        }
    }

    /// Goes back to the first block.
    private func rewind() throws { try file.seek(toOffset: 0) }

    /// The next block, or `nil` after the last.
    private func read() throws -> SeparatedBlock? {
        guard let header = try file.read(upToCount: 24), header.count == 24 else { return nil }
        let counts = header.withUnsafeBytes { raw in
            (0..<3).map { Int(raw.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
        }
        let (stems, channels, samples) = (counts[0], counts[1], counts[2])
        let rows = try (0..<(stems + 1) * channels).map { _ in
            let data = try file.read(upToCount: samples * 4) ?? Data()
            guard data.count == samples * 4 else { throw POSIXError(.EIO) }
            return [Float](unsafeUninitializedCapacity: samples) { row, count in
                count = data.copyBytes(to: row) / 4
            }
        }
        return SeparatedBlock(
            source: Array(rows[..<channels]),
            stems: (1...max(stems, 1)).map { Array(rows[$0 * channels..<($0 + 1) * channels]) })
    }
}
