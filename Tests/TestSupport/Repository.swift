import Foundation

/// Where things lie, for tests.
public enum Repository {
    /// The root of the working tree.
    public static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Material that is handed to the project: `PARTITA_SHARED`, else `../shared`.
    public static let shared: URL = {
        if let path = ProcessInfo.processInfo.environment["PARTITA_SHARED"] {
            return URL(fileURLWithPath: path, isDirectory: true)
        }
        return root.deletingLastPathComponent().appendingPathComponent("shared")
    }()

    /// Recordings with true stems.
    public static let recordings = shared.appendingPathComponent("eval")

    /// Folders that hold model packs, in the order in which the program looks.
    public static let models = [
        root.appendingPathComponent("Models").path,
        root.appendingPathComponent(".deps/models").path,
    ]

    /// The inference runtime.
    public static let runtime =
        root.appendingPathComponent(".deps/openvino/libs/libopenvino_c.so").path
}

/// What a finished process left.
public struct Finished {
    public let status: Int32
    public let output: Data
}

/// Runs a program to its end; its errors go to the test's.
/// - Parameter folder: Where it runs.
public func run(_ program: String, _ arguments: [String], in folder: URL? = nil) throws -> Finished
{
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardInput = FileHandle.nullDevice
    if let folder { process.currentDirectoryURL = folder }
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Finished(status: process.terminationStatus, output: output)
}

/// A recording, in a file or where a link leads, as samples, `[channel][sample]`, at its own rate or the one asked for.
public func decode(
    _ file: URL, channels: Int = 2, rate: Int? = nil, start: Double = 0, seconds: Double? = nil
) throws -> [[Float]] {
    var arguments = ["-nostdin", "-v", "error"]
    if start > 0 { arguments += ["-ss", "\(start)"] }
    arguments += ["-i", file.isFileURL ? file.path : file.absoluteString]
    if let seconds { arguments += ["-t", "\(seconds)"] }
    if let rate { arguments += ["-ar", "\(rate)"] }
    // With the count alone, ffmpeg would mix what is not its default layout.
    if channels <= 2 { arguments += ["-ac", "\(channels)"] }
    arguments += ["-f", "f32le", "-"]
    let data = try run("ffmpeg", arguments).output
    let samples = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    return (0..<channels).map { channel in
        stride(from: channel, to: samples.count, by: channels).map { samples[$0] }
    }
}

/// 20 · log10 of the RMS of the difference over the RMS of the reference.
public func difference(_ a: [[Float]], _ reference: [[Float]]) -> Double {
    var error = 0.0
    var energy = 0.0
    for (x, y) in zip(a, reference) {
        for (s, r) in zip(x, y) {
            error += Double((s - r) * (s - r))
            energy += Double(r * r)
        }
    }
    return 10 * log10(max(error, 1e-30) / max(energy, 1e-30))
}
