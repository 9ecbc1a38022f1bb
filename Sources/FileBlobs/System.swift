import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A call of the operating system that failed.
public struct FileError: Error, Sendable, CustomStringConvertible {
    /// What was tried: `open`, `rename`, …
    public let operation: String
    /// The file.
    public let path: String
    /// The `errno`.
    public let code: Int32

    /// A sentence for the operator.
    public var description: String {
        "cannot \(operation) \(path): \(String(cString: strerror(code)))"
    }

    init(operation: String, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// The failure that has just happened on this thread.
    init(_ operation: String, _ path: String) {
        self.init(operation: operation, path: path, code: errno)
    }
}

/// Runs something that may wait for a disk where it keeps no other task from running.
///
/// The threads that Swift tasks run on are as few as the cores: a sync of a large file on one of
/// them would stop a good part of the server.
func offPool<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result(catching: work)) }
    }
}

enum Folder {
    /// - Returns: Whether it is new.
    @discardableResult
    static func create(_ path: String) throws -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        if errno == ENOENT {
            // The parents of a root; their mode is nobody's secret.
            do {
                try FileManager.default.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent,
                    withIntermediateDirectories: true)
            } catch {
                throw FileError(operation: "create", path: path, code: ENOENT)
            }
            if mkdir(path, 0o700) == 0 { return true }
        }
        guard errno == EEXIST else { throw FileError("create", path) }
        return false
    }

    static func entries(of path: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw FileError(operation: "list", path: path, code: EIO)
        }
    }
}

extension stat {
    var modified: Date {
        #if canImport(Darwin)
            let time = st_mtimespec
        #else
            let time = st_mtim
        #endif
        return Date(
            timeIntervalSince1970: Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000)
    }
}

/// `write(2)`, under a name that methods called `write` do not hide.
func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
