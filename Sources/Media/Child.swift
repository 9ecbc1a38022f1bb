import Foundation
import Subprocess
import SystemPackage

/// What a child process may use. A hostile file can make a decoder do anything within these.
public struct MediaLimits: Sendable, Hashable {
    /// Seconds of processor time.
    public var cpu = 3600
    /// Bytes of address space.
    public var memory = 4 << 30
    /// Bytes of a file that it writes.
    public var fileSize = 64 << 30
    /// Samples of all channels that a recording may decode to: 6 hours of stereo at 48 kHz. A small file can
    /// hold days of silence.
    public var samples = 6 * 3600 * 48_000 * 2
    /// Samples of all channels in a second.
    public var samplesPerSecond = 64 * 48_000
    /// Seconds for looking into a file.
    public var probeTime = 60
    /// Seconds for decoding or encoding; generous, as an encoder waits for the engine.
    public var runTime = 12 * 3600

    public init() {}
}

/// The programs that read and write media, each run confined: limited by `prlimit`, in a session of its own
/// and killed with its whole process group, without standard input (but for an encoder's samples), without
/// the server's environment, and unable to open anything but files and pipes.
public struct MediaTools: Sendable {
    let ffmpeg: String
    let ffprobe: String
    private let prlimit: String
    public let limits: MediaLimits

    /// Finds the programs. From here on this process ignores `SIGPIPE`: an encoder that dies while it is
    /// written to is an error, not the end of its caller.
    /// - Throws: ``MediaError/toolMissing(_:)``.
    public init(limits: MediaLimits = MediaLimits()) throws(MediaError) {
        signal(SIGPIPE, SIG_IGN)
        ffmpeg = try MediaTools.find("ffmpeg")
        ffprobe = try MediaTools.find("ffprobe")
        prlimit = try MediaTools.find("prlimit")
        self.limits = limits
    }

    private static func find(_ tool: String) throws(MediaError) -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(tool)"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw .toolMissing(tool)
    }

    /// How a program is started.
    /// - Parameter fileSize: Bytes of a file that it may write; `nil`: as many as the limits say.
    func configuration(
        _ program: String, _ arguments: [String], fileSize: Int? = nil
    ) -> Configuration {
        let confinement = [
            "--cpu=\(limits.cpu)", "--as=\(limits.memory)",
            "--fsize=\(fileSize ?? limits.fileSize)",
            "--nofile=64", "--core=0", "--", program,
        ]
        var options = PlatformOptions()
        options.createSession = true
        // Kills the whole group at once when the task that waits for the child is cancelled.
        options.teardownSequence = [
            .send(
                signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(100))
        ]
        return Configuration(
            executable: .path(FilePath(prlimit)), arguments: Arguments(confinement + arguments),
            environment: .custom([
                "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
            ]),
            workingDirectory: "/", platformOptions: options)
    }

    /// The arguments that confine what a file that is read can make ffmpeg or ffprobe open.
    static func input(_ file: String) -> [String] {
        [
            "-protocol_whitelist", "file,pipe", "-format_whitelist", containers, "-i",
            MediaTools.address(file),
        ]
    }

    /// How the children are told a file: they run in `/`, so a relative path is completed here.
    static func address(_ file: String) -> String {
        let folder = FileManager.default.currentDirectoryPath
        return "file:" + (file.hasPrefix("/") ? file : "\(folder)/\(file)")
    }

    /// Containers that hold their own audio. Playlists, scripts and everything else that names other files
    /// (hls, dash, concat, sdp, image sequences, ffmetadata, lavfi, …) are not among them.
    private static let containers = [
        "aac", "ac3", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "dsf", "dts", "dtshd",
        "eac3",
        "flac", "flv", "loas", "matroska", "mlp", "mov", "mp3", "mp4", "m4a", "3gp", "3g2", "mj2",
        "mpc", "mpc8", "mpeg", "mpegts", "mxf", "nut", "ogg", "oma", "rm", "tak", "truehd", "tta",
        "voc", "w64", "wav", "webm", "wtv", "wv", "xwma",
    ].joined(separator: ",")

    /// Runs `body`, which waits for a child, for at most `seconds`.
    /// - Throws: ``MediaError/limitExceeded`` when the time is over; the child is dead by then.
    func within<Value: Sendable>(
        seconds: Int, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else { throw MediaError.limitExceeded }
            return value
        }
    }
}
