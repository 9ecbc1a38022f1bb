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
        let separator = try options.separator(library, loadedFor: kind)
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
    /// The engine, with the networks that such recordings need; packs that were refused are told.
    /// - Throws: ``ModelError`` where a model is missing.
    func separator(_ library: ModelLibrary, loadedFor kind: SplitKind) throws -> Separator {
        let separator = try Separator(
            library: library, runtime: Installation.runtime(),
            threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
        let loading = Result { try separator.load(kind, dereverb: dereverb) }
        if !quiet { for note in separator.notes { Output.error(note) } }
        try loading.get()
        return separator
    }
}
