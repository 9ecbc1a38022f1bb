import ArgumentParser
import Foundation
import Inference
import Media
import VoiceChange
import Worker

/// Does the files of a command, one after another, and tells how it went.
struct FileRunner {
    let options: FileOptions
    /// What the results of a file are called: `<file>_<label>`.
    let labels: [String]
    /// Does one file.
    let job: Job

    /// Gets the file, a folder of its own, and whom to tell how far it is.
    typealias Job =
        (_ file: String, _ folder: String, _ progress: @escaping @Sendable (Double) -> Void)
        async throws -> JobResult

    /// - Throws: What keeps all files from being begun; `ExitCode(1)` where one or more failed.
    func run(_ tools: MediaTools) async throws {
        let began = ContinuousClock.now
        try FileManager.default.createDirectory(
            atPath: options.folder, withIntermediateDirectories: true)
        var reports: [Report] = []
        for file in options.files {
            reports.append(await run(file, tools))
            if Task.isCancelled { break }
        }
        if options.json {
            try Output.json(
                Summary(files: reports, seconds: (ContinuousClock.now - began).seconds))
        }
        if reports.contains(where: { $0.error != nil }) { throw ExitCode(1) }
    }

    /// Does one file; a failure is told and reported, and the next file goes on.
    private func run(_ file: String, _ tools: MediaTools) async -> Report {
        let began = ContinuousClock.now
        let bar = ProgressBar(
            title: (file as NSString).lastPathComponent, isHidden: options.quiet)
        // Results grow in a folder of their own beside their final places, and are renamed at the end.
        let work = "\(options.folder)/.partita-\(UUID().uuidString.lowercased())"
        defer { try? FileManager.default.removeItem(atPath: work) }
        do {
            guard FileManager.default.fileExists(atPath: file) else {
                throw CommandError(code: "no_such_file", description: "There is no file \(file).")
            }
            let format: TrackFormat
            if let chosen = options.format {
                format = chosen.trackFormat
            } else {
                format = try await tools.probe(file).naturalFormat
            }
            let path = { (label: String) in
                "\(options.folder)/\(FileOptions.base(file))_\(label).\(format.fileExtension)"
            }
            let taken = labels.map(path)
                .filter { FileManager.default.fileExists(atPath: $0) }
            if let first = taken.first, !options.force {
                throw CommandError(
                    code: "file_exists",
                    description: "\(first) is there already. --force overwrites it.")
            }
            try FileManager.default.createDirectory(
                atPath: work, withIntermediateDirectories: false)
            Interrupt.cleanUp(work)
            let result = try await job(file, work) { bar.update($0) }
            try publish(result.outputs.map { ($0.path, path($0.label)) })
            let seconds = (ContinuousClock.now - began).seconds
            bar.finish(
                "\(result.outputs.count) \(result.outputs.count == 1 ? "file" : "files") in \(String(format: "%.1f", seconds)) s, \(String(format: "%.1f", result.duration / seconds)) × real time"
                    + (result.gain < 1
                        ? String(format: ", scaled by %.4f so that nothing clips", result.gain)
                        : "")
            )
            return Report(
                input: file, outputs: result.outputs.map { path($0.label) }, error: nil,
                duration: result.duration, gain: Double(result.gain),
                seconds: .init(total: seconds, result.seconds))
        } catch {
            let (code, text) = Self.describe(error)
            bar.finish(nil)
            Output.error("\(file): \(text)")
            return Report(
                input: file, outputs: [], error: .init(code: code, detail: text), duration: nil,
                gain: nil, seconds: nil)
        }
    }

    /// Gives all files their names. Without `--force` it is all or none, and a name that was taken meanwhile is
    /// left alone.
    private func publish(_ files: [(from: String, to: String)]) throws {
        var done: [String] = []
        for (from, to) in files {
            guard move(from, to) else {
                let isTaken = errno == EEXIST
                if !options.force { for path in done { unlink(path) } }
                throw CommandError(
                    code: isTaken ? "file_exists" : "write_failed",
                    description: isTaken
                        ? "\(to) is there already. --force overwrites it."
                        : "\(to) cannot be written.")
            }
            done.append(to)
        }
    }

    private func move(_ from: String, _ to: String) -> Bool {
        if options.force { return rename(from, to) == 0 }
        if link(from, to) == 0 { return true }
        if errno == EEXIST { return false }
        // Some file systems, of memory sticks for one, have no links.
        if FileManager.default.fileExists(atPath: to) {
            errno = EEXIST
            return false
        }
        return rename(from, to) == 0
    }

    private static func describe(_ error: any Error) -> (code: String, text: String) {
        switch error {
        case let error as MediaError: (error.code, error.description)
        case let error as ModelError: ("separation_failed", error.description)
        case let error as VoiceError: (error.code, error.description)
        case let error as CommandError: (error.code, error.description)
        default: ("internal_error", "\(error)")
        }
    }
}

/// Something that the command itself found wrong.
private struct CommandError: Error {
    let code: String
    let description: String
}

/// What `--json` prints of a file.
private struct Report: Encodable {
    struct Fault: Encodable {
        let code: String
        let detail: String
    }
    /// The stages work side by side; `docs/performance.md` explains them.
    struct Seconds: Encodable {
        let total, decode, analysis, masks, synthesis, resampling, inference: Double
        let decodeWait, inferenceWait, encodeWait: Double
        let networks: [String: Double]

        init(total: Double, _ job: JobSeconds) {
            self.total = total
            decode = job.decode
            analysis = job.engine.analysis
            masks = job.engine.masks
            synthesis = job.engine.synthesis
            resampling = job.engine.resampling
            inference = job.inference
            decodeWait = job.decodeWait
            inferenceWait = job.engine.waiting
            encodeWait = job.encodeWait
            networks = job.engine.networks
        }

        enum CodingKeys: String, CodingKey {
            case total, decode, analysis, masks, synthesis, resampling, inference, networks
            case decodeWait = "decode_wait"
            case inferenceWait = "inference_wait"
            case encodeWait = "encode_wait"
        }
    }
    let input: String
    let outputs: [String]
    let error: Fault?
    let duration: Double?
    let gain: Double?
    let seconds: Seconds?
}

private struct Summary: Encodable {
    let files: [Report]
    let seconds: Double
    /// Bytes that the program itself had in memory at most.
    let peakMemory = Summary.peak()

    enum CodingKeys: String, CodingKey {
        case files, seconds
        case peakMemory = "peak_memory"
    }

    private static func peak() -> Int {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage.ru_maxrss * 1024
    }
}
