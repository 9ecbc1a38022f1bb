import Foundation
import Tasks

/// Real recordings.
enum Recordings {
    /// The shared material: named by the environment, else beside the repository.
    private static let folder =
        ProcessInfo.processInfo.environment["PARTITA_SHARED"]
        ?? URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../shared")
        .standardizedFileURL.path

    /// A trumpet, 5 seconds.
    static func short() throws -> [UInt8] {
        let path = folder + "/eval/solo/librosa_solo_trumpet.flac"
        return try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    }
}

/// Runs something that blocks on a thread of its own: tasks have only as many as there are cores, and
/// the servers under test need them.
func onThread<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: work)) }
    }
}

/// Runs a program.
/// - Returns: What it printed, and how it ended.
func output(of arguments: [String]) async throws -> (text: String, status: Int32) {
    try await onThread {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: bytes, as: UTF8.self), process.terminationStatus)
    }
}
