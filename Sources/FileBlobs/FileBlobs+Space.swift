#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension FileBlobs {
    /// Bytes that this process may still write beside the blobs.
    ///
    /// - Throws: ``FileError`` where the folder is gone.
    public func freeSpace() async throws -> Int64 {
        try await offPool {
            var status = statvfs()
            guard statvfs(scratch, &status) == 0 else { throw FileError("stat", scratch) }
            return Int64(status.f_bavail) * Int64(status.f_frsize)
        }
    }
}
