import ArgumentParser
import Foundation
import Media

/// What every command takes that divides files into files.
struct FileOptions: ParsableArguments {
    @Argument(help: "Audio or video files.")
    var files: [String]

    @Option(
        name: .customLong("out"),
        help: "The folder for the results; created where it is not there.",
        transform: { $0.count > 1 && $0.hasSuffix("/") ? String($0.dropLast()) : $0 })
    var folder: String

    @Option(
        help:
            "mp3, wav, flac, aac or ogg; default: the format of the source, which for video is video."
    )
    var format: AudioFormat?

    @Flag(help: "Take reverberation out of voices; it goes to what is left.")
    var dereverb = false

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
        let names = files.map { FileOptions.base($0) }
        // The rest of song and the stem of song_no have the same name too.
        for (index, name) in names.enumerated()
        where names[..<index].contains(name) || names.contains(name + "_no") {
            throw ValidationError(
                "Two of the files would give results with the same names (\(name)_…). Split them into different folders."
            )
        }
    }

    /// What the names of a file's results begin with.
    static func base(_ file: String) -> String {
        ((file as NSString).lastPathComponent as NSString).deletingPathExtension
    }
}

extension AudioFormat: ExpressibleByArgument {}
