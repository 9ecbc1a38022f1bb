import Foundation
import SystemPackage

/// A file that has no name, so that nothing is left of it however its process ends. Reading does not depend on where others
/// read.
public final class UnnamedFile: Sendable {
    let descriptor: FileDescriptor

    /// - Parameter folder: Where the file is made.
    /// - Throws: ``MediaError/diskFull``, `POSIXError`.
    public init(folder: String) throws {
        let path = "\(folder)/unnamed-\(UUID().uuidString)"
        let number = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw UnnamedFile.failure }
        unlink(path)
        descriptor = FileDescriptor(rawValue: number)
    }

    deinit { try? descriptor.close() }

    private static var failure: any Error {
        let code = POSIXErrorCode(rawValue: errno) ?? .EIO
        return code == .ENOSPC || code == .EDQUOT ? MediaError.diskFull : POSIXError(code)
    }

    /// Bytes.
    public var size: Int {
        get throws {
            var status = stat()
            guard fstat(descriptor.rawValue, &status) == 0 else { throw UnnamedFile.failure }
            return Int(status.st_size)
        }
    }

    /// Writes at the end, without a copy on the way.
    /// - Throws: ``MediaError/diskFull``, `POSIXError`.
    public func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = write(
                descriptor.rawValue, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw UnnamedFile.failure
            }
            rest = rest.dropFirst(written)
        }
    }

    /// Reads what must be there.
    /// - Parameters:
    ///   - buffer: Is filled.
    ///   - offset: Bytes from the start of the file.
    /// - Throws: `POSIXError`.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor.rawValue, buffer.baseAddress! + done, buffer.count - done, offset + done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw count < 0 ? UnnamedFile.failure : POSIXError(.EIO) }
            done += count
        }
    }

    /// Tells whether others that wrote into such a file had room: a little more must fit.
    /// - Throws: ``MediaError/diskFull``, `POSIXError`.
    static func requireRoom(folder: String) throws {
        let file = try UnnamedFile(folder: folder)
        try [UInt8](repeating: 0, count: 1 << 16).withUnsafeBytes(file.append)
    }
}
