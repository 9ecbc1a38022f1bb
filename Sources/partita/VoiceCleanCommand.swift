import ArgumentParser
import Separation

/// `partita voice-clean`
struct VoiceCleanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "voice-clean",
        abstract: "Takes noise out of recordings of a voice, without a server.",
        discussion: """
            Gives two files, <input>_voice and <input>_no_voice, which sum to the source in wav and flac. Exit codes: \
            0 all done, 1 something failed, 2 wrong usage.
            """)

    @OptionGroup var options: FileOptions

    @Option(
        help:
            "How much of the noise is taken away: mild (12 dB at most), normal (24 dB at most) or aggressive (all)."
    )
    var level = NoiseReduction.mild

    func run() async throws {
        try await FileSplitter(options).run(layout: .pairs) { _ in .voiceClean(level) }
    }
}

extension NoiseReduction: ExpressibleByArgument {}
