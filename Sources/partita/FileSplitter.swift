import Foundation
import Media
import Separation
import Worker

/// Divides the files of a command.
struct FileSplitter {
    private let options: FileOptions

    init(_ options: FileOptions) { self.options = options }

    /// - Parameter kind: What to do, once it is known which stems the installed packs separate.
    /// - Throws: What keeps all files from being begun; `ExitCode(1)` where one or more failed.
    func run(layout: TrackLayout, kind: ([String]) throws -> SplitKind) async throws {
        let tools = try MediaTools()
        let library = Installation.library()
        let kind = try kind(library.stems)
        let separator = try options.separator(library)
        try separator.requireInstalled(kind, dereverb: options.dereverb)
        defer { options.tell(separator.notes) }
        try await FileRunner(
            options: options, labels: layout.labels(kind.stems).map(\.label)
        ) { file, folder, progress in
            try await SplitJob(
                input: file, kind: kind, dereverb: options.dereverb, layout: layout,
                format: options.format, folder: folder
            ).run(tools, separator, progress: progress)
        }.run(tools)
    }
}

extension FileOptions {
    /// The engine, without any network in memory yet.
    /// - Throws: ``ModelError`` where the runtime is missing.
    func separator(_ library: ModelLibrary) throws -> Separator {
        try Separator(
            library: library, runtime: Installation.runtime(),
            threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    }

    /// Tells of packs that cannot be used.
    func tell(_ notes: [String]) {
        if !quiet { for note in notes { Output.error(note) } }
    }
}
