import Foundation
import Tasks

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads a range of a file piece by piece. The file stays readable when it is deleted meanwhile.
actor BlobReader {
    private let path: String
    private let descriptor: Int32
    private var position: Int64
    private let end: Int64

    init(path: String, range: Range<Int64>) throws {
        self.path = path
        position = range.lowerBound
        end = range.upperBound
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
    }

    deinit { close(descriptor) }

    /// The next bytes, or `nil` after the last.
    ///
    /// - Throws: `FileError`, also where the file ends before the range does.
    func next() async throws -> [UInt8]? {
        let count = Int(min(Int64(FileBlobs.pieceSize), end - position))
        guard count > 0 else { return nil }
        let (descriptor, position, path) = (descriptor, position, path)
        let piece = try await offPool {
            let piece = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
                var result = -1
                repeat {
                    result = pread(descriptor, buffer.baseAddress, count, off_t(position))
                } while result < 0 && errno == EINTR
                used = max(0, result)
            }
            guard !piece.isEmpty else { throw FileError(operation: "read", path: path, code: EIO) }
            return piece
        }
        self.position += Int64(piece.count)
        return piece
    }
}
