import ArgumentParser
import Foundation
import Media
import VoiceChange
import Worker

/// `partita change-voice`
struct ChangeVoiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "change-voice",
        abstract: "Gives the voice in songs and recordings another voice, without a server.",
        discussion: """
            Gives one file, <input>_converted_mix, of the source's length, rate and channels. What is not the voice stays as \
            it is; where no voice is found, the file is refused. `partita voice-packs list` shows the voices. Exit codes: \
            0 all done, 1 something failed, 2 wrong usage.
            """)

    @OptionGroup var options: FileOptions

    @Option(help: "The id of the voice: `partita voice-packs list`.")
    var pack: String

    @Option(help: "How much of the voice's articulation and prosody is taken on: 0 none, 1 all.")
    var accent = 1.0

    @Option(
        help:
            "source_file keeps the melody (moved by octaves at most), voice_pack takes the voice's pitch."
    )
    var tonality = VoiceSettings.Tonality.sourceFile

    @OptionGroup var settings: SettingsOptions

    func validate() throws {
        guard (0...1).contains(accent) else {
            throw ValidationError("--accent is \(accent); it must be between 0 and 1.")
        }
    }

    func run() async throws {
        let tools = try MediaTools()
        let pack = try Installation.voices(data: await settings.load().data).library.pack(pack)
        let library = Installation.library()
        let networks = try Installation.voiceNetworks(library, threads: options.threads)
        let voice = try pack.load(beside: networks)
        let separator = try options.separator(library)
        try separator.requireInstalled(.voice, dereverb: options.dereverb)
        defer { options.tell(separator.notes) }
        try await FileRunner(options: options, labels: [VoiceChangeJob.label]) {
            file, folder, progress in
            try await VoiceChangeJob(
                input: file, voice: voice, accent: accent, tonality: tonality,
                dereverb: options.dereverb, format: options.format, folder: folder
            ).run(tools, separator, networks.pitch, progress: progress)
        }.run(tools)
    }
}

extension VoiceSettings.Tonality: ExpressibleByArgument {}
