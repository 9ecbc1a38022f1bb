import ArgumentParser
import Foundation
import Inference
import Media
import Separation
import VoiceChange
import Worker

/// `partita voice-packs`
struct VoicePacks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "voice-packs",
        abstract: "Manages the voices that recordings can be given.",
        subcommands: [Create.self, Add.self, List.self, Remove.self])

    /// `partita voice-packs create`
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a voice of recordings of one speaker or singer, and prints its id.",
            discussion: """
                Half a minute of a voice is enough, five minutes are better; without music and noise (`partita split`, \
                `partita voice-clean`). Take only voices whose owners agree. A running server offers the voice at once.
                """)

        @Argument(help: "Audio or video files.")
        var recordings: [String]

        @Option(help: "What people call the voice.")
        var name: String

        @Option(
            help: "The id or name of the license that alone may use it (default: every license).")
        var license: String?

        @Option(help: "Processor cores to use (default: all).")
        var threads: Int?

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        @Flag(help: "No progress.")
        var quiet = false

        func validate() throws {
            try VoicePacks.validate(name: name)
            if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
        }

        func run() async throws {
            let data = try await settings.load().data
            let owner = try await VoicePacks.owner(license, data: data)
            let library = Installation.library()
            let separator = try Separator(
                library: library, runtime: Installation.runtime(),
                threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
            try separator.load(.voice)
            let maker = VoicePackMaker(
                try MediaTools(), separator,
                try Installation.voiceNetworks(library, threads: threads))
            for file in recordings {
                let name = (file as NSString).lastPathComponent
                let bar = ProgressBar(title: name, isHidden: quiet)
                defer { bar.finish(nil) }
                do {
                    try await maker.add(recording: file) { bar.update($0) }
                } catch let error as MediaError {
                    throw VoicePackRefused(description: "\(file): \(error)")
                }
            }
            let pack = try await maker.finish(
                .init(
                    id: UUID().uuidString.lowercased(), name: name,
                    created: Int(Date().timeIntervalSince1970), license: owner,
                    sources: recordings.map {
                        VoiceManifest.Source(name: ($0 as NSString).lastPathComponent)
                    }))
            // As all of the folder, for nobody else.
            umask(0o077)
            try VoiceLibrary.add(pack, to: Installation.voiceFolder(data: data))
            let report = VoicePackReport(pack.manifest)
            if json { try Output.json(report) } else { Output.line(report.id) }
        }
    }

    /// `partita voice-packs list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Lists the voices: those that come with the program, and those of a data folder.")

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let library = Installation.voices(data: try await settings.load().data).library
            for note in library.notes { Output.error(note) }
            let rows = library.packs.map { VoicePackReport($0.manifest) }
            if json { return try Output.json(rows) }
            for row in rows { Output.line(row.line) }
        }
    }

    /// `partita voice-packs remove`
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes a voice of a data folder. Those that come with the program stay.")

        @Argument(help: "Its id.")
        var id: String

        @OptionGroup var settings: SettingsOptions

        func run() async throws {
            try VoiceLibrary.remove(
                id, from: Installation.voiceFolder(data: await settings.load().data))
        }
    }
}

extension VoicePacks {
    static func validate(name: String) throws {
        if name.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty || name.count > 200 {
            throw ValidationError("--name must have between 1 and 200 characters.")
        }
    }

    /// How packs name the license of this id or name; `nil`: every license.
    static func owner(_ license: String?, data: URL) async throws -> String? {
        guard let license else { return nil }
        return InstalledVoices.owner(
            try await DataFolder(data).store.licence(named: license).id)
    }
}

/// A recording that no voice can be made of.
private struct VoicePackRefused: Error, CustomStringConvertible {
    let description: String
}

/// A voice as the command line shows it.
struct VoicePackReport: Encodable {
    let id: String
    let name: String
    let description: String
    let created: Date
    /// `nil`: every license may use it.
    let license: String?
    /// How it is kept: `codebook` or `rvc`.
    let kind: String
    /// `nil`: not known.
    let medianHertz: Double?
    /// Seconds of voiced sound that it was made of; `nil`: it was made elsewhere.
    let voicedSeconds: Double?

    init(_ manifest: any VoicePackManifest) {
        id = manifest.id
        name = manifest.name
        description = manifest.description
        created = Date(timeIntervalSince1970: Double(manifest.created))
        license = manifest.license
        kind = manifest.kind
        medianHertz = manifest.medianFrequency
        voicedSeconds = (manifest as? VoiceManifest)?.statistics.voicedSeconds
    }

    enum CodingKeys: String, CodingKey {
        case id, name, description, created, license, kind
        case medianHertz = "median_hz"
        case voicedSeconds = "voiced_seconds"
    }

    var line: String {
        let pitch = medianHertz.map { String(format: "%.0f Hz", $0) } ?? "– Hz"
        let owner = license.map { "license \($0)" } ?? "every license"
        return "\(id)  \(created.ISO8601Format())  \(pitch)  \(owner)  \(name)"
    }
}
