import Foundation

/// A folder that is gone when the test is.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        path = NSTemporaryDirectory() + "partita-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A name in the folder; nothing is made.
    public func file(_ name: String) -> URL {
        URL(fileURLWithPath: path, isDirectory: true).appendingPathComponent(name)
    }

    /// A file with this content.
    @discardableResult
    public func write(_ name: String, _ content: Data) throws -> URL {
        try content.write(to: file(name))
        return file(name)
    }

    /// A file with this text.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> URL {
        try write(name, Data(text.utf8))
    }

    /// A symbolic link.
    public func link(_ name: String, to destination: URL) throws {
        try FileManager.default.createSymbolicLink(
            at: file(name), withDestinationURL: destination)
    }

    /// A file that ffmpeg makes.
    /// - Parameter arguments: Inputs and options; the output is added.
    public func make(_ name: String, _ arguments: [String]) throws -> URL {
        let made = try run(
            "ffmpeg", ["-nostdin", "-v", "error"] + arguments + ["-y", file(name).path])
        guard made.status == 0 else { throw ToolFailed(arguments: arguments) }
        return file(name)
    }

    /// A file that ffmpeg makes of a recording.
    public func make(_ name: String, from recording: String, _ arguments: [String]) throws -> URL {
        let source = Repository.recordings.appendingPathComponent(recording).path
        return try make(name, ["-i", source] + arguments)
    }

    /// Every file below, relative to the folder.
    public func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).filter { name in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
            return !isFolder.boolValue
        }.sorted()
    }

    /// Processes that have the folder's path in their arguments.
    public var processes: [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { pid in
            guard pid != getpid(),
                let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")
            else { return false }
            return String(decoding: line, as: UTF8.self).contains(path)
        }
    }

    /// Waits, for ten seconds at most, until no process has the folder's path in its arguments.
    /// - Returns: Whether that came true.
    public func processesEnd() async throws -> Bool {
        for _ in 0..<500 {
            if processes.isEmpty { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }
}

/// A tool that a test needs ended with an error.
public struct ToolFailed: Error {
    public let arguments: [String]
}
