import ArgumentParser
import Foundation
import Media
import Separation
import Worker

/// `partita split`
struct SplitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "split",
        abstract: "Splits recordings into stems, without a server.",
        discussion: """
            Each stem gives two files, <input>_<stem> and <input>_no_<stem>, which sum to the source in wav and flac. With \
            --together each gives one, and what is left is <input>_no_multistem; all of them sum to the source. Exit codes: \
            0 all done, 1 something failed, 2 wrong usage.
            """)

    @Argument(help: "Audio or video files.")
    var files: [String]

    @Option(help: "A stem that `partita models list` shows; more than once, or “all”.")
    var stem: [String]

    @Option(
        name: .customLong("out"),
        help: "The folder for the results; created where it is not there.",
        transform: { $0.count > 1 && $0.hasSuffix("/") ? String($0.dropLast()) : $0 })
    var folder: String

    @Option(help: "mp3, wav, flac, aac or ogg; default: the format of the source.")
    var format: AudioFormat?

    @Flag(help: "One file of the source without any of the stems, instead of one for each stem.")
    var together = false

    @Flag(help: "Prefer less bleed of the rest over more of the stem.")
    var clearCut = false

    @Option(help: "Processor cores to use (default: all).")
    var threads: Int?

    @Flag(help: "Overwrite results that are there.")
    var force = false

    @Flag(help: "Print a JSON report on standard output.")
    var json = false

    @Flag(help: "No progress.")
    var quiet = false

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
        for (sum, parts) in PackManifest.sums
        where together && stem.contains(sum) && parts.contains(where: stem.contains) {
            throw ValidationError(
                "With --together a sound can be in one file only: \(sum) is \(parts.joined(separator: " and "))."
            )
        }
        let names = files.map { SplitCommand.base($0) }
        // The rest of song and the stem of song_no have the same name too.
        for (index, name) in names.enumerated()
        where names[..<index].contains(name) || names.contains(name + "_no") {
            throw ValidationError(
                "Two of the files would give results with the same names (\(name)_…). Split them into different folders."
            )
        }
    }

    func run() async throws {
        let began = ContinuousClock.now
        let tools = try MediaTools()
        let separator = try Separator(
            library: Installation.library(), runtime: Installation.runtime(),
            threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
        if !quiet { for note in separator.notes { Output.error(note) } }
        let stems = try resolve(separator.stems)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)

        var reports: [Report] = []
        for file in files {
            reports.append(await split(file, stems, tools, separator))
            if Task.isCancelled { break }
        }
        if json {
            try Output.json(
                Summary(files: reports, seconds: (ContinuousClock.now - began).inSeconds))
        }
        if reports.contains(where: { $0.error != nil }) { throw ExitCode(1) }
    }

    /// `all` (but for sums of others that are there), or the stems by name, each once.
    private func resolve(_ installed: [String]) throws -> [String] {
        if stem.contains("all") {
            return installed.filter {
                PackManifest.sums[$0]?.allSatisfy(installed.contains) != true
            }
        }
        let unknown = stem.filter { !installed.contains($0) }
        if !unknown.isEmpty { throw SeparationError.notInstalled(stems: unknown) }
        return stem.enumerated().filter { !stem[..<$0.offset].contains($0.element) }.map(\.element)
    }

    /// Splits one file; a failure is told and reported, and the next file goes on.
    private func split(
        _ file: String, _ stems: [String], _ tools: MediaTools, _ separator: Separator
    ) async -> Report {
        let began = ContinuousClock.now
        let bar = ProgressBar(title: (file as NSString).lastPathComponent, isHidden: quiet)
        // Results grow in a folder of their own beside their final places, and are renamed at the end.
        let work = "\(folder)/.partita-\(UUID().uuidString.lowercased())"
        defer { try? FileManager.default.removeItem(atPath: work) }
        do {
            guard FileManager.default.fileExists(atPath: file) else {
                throw CommandError(code: "no_such_file", description: "There is no file \(file).")
            }
            let format: AudioFormat
            if let chosen = self.format {
                format = chosen
            } else {
                format = try await tools.probe(file).naturalFormat
            }
            let path = { (label: String) in
                "\(folder)/\(SplitCommand.base(file))_\(label).\(format.fileExtension)"
            }
            let layout: TrackLayout = together ? .together : .pairs
            let taken = layout.labels(stems).map { path($0.label) }
                .filter { FileManager.default.fileExists(atPath: $0) }
            if let first = taken.first, !force {
                throw CommandError(
                    code: "file_exists",
                    description: "\(first) is there already. --force overwrites it.")
            }
            try FileManager.default.createDirectory(
                atPath: work, withIntermediateDirectories: false)
            Interrupt.cleanUp(work)
            let job = SplitJob(
                input: file, stems: stems, layout: layout, clearCut: clearCut, format: format,
                folder: work)
            let result = try await job.run(tools, separator) { bar.update($0) }
            try publish(result.outputs.map { ($0.path, path($0.label)) })
            let seconds = (ContinuousClock.now - began).inSeconds
            bar.finish(
                "\(result.outputs.count) files in \(String(format: "%.1f", seconds)) s, \(String(format: "%.1f", result.duration / seconds)) × real time"
                    + (result.gain < 1
                        ? String(format: ", scaled by %.4f so that nothing clips", result.gain)
                        : "")
            )
            return Report(
                input: file, outputs: result.outputs.map { path($0.label) }, error: nil,
                duration: result.duration, gain: Double(result.gain),
                seconds: .init(total: seconds, inference: result.inferenceSeconds))
        } catch {
            let (code, text) = SplitCommand.describe(error)
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
                if !force { for path in done { unlink(path) } }
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
        if force { return rename(from, to) == 0 }
        if link(from, to) == 0 { return true }
        if errno == EEXIST { return false }
        // Some file systems, of memory sticks for one, have no links.
        if FileManager.default.fileExists(atPath: to) {
            errno = EEXIST
            return false
        }
        return rename(from, to) == 0
    }

    private static func base(_ file: String) -> String {
        ((file as NSString).lastPathComponent as NSString).deletingPathExtension
    }

    private static func describe(_ error: any Error) -> (code: String, text: String) {
        switch error {
        case let error as MediaError: (error.code, error.description)
        case let error as SeparationError: ("separation_failed", error.description)
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
    struct Seconds: Encodable {
        let total: Double
        let inference: Double
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
}

extension AudioFormat: ExpressibleByArgument {}

extension Duration {
    /// Seconds.
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
