import ArgumentParser

/// `partita demuser`
struct DemuserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demuser",
        abstract: "Takes music out of recordings of speech, without a server.",
        discussion: """
            Gives two files, <input>_music and <input>_no_music (the speech), which sum to the source in wav and flac. \
            Exit codes: 0 all done, 1 something failed, 2 wrong usage.
            """)

    @OptionGroup var options: FileOptions

    func run() async throws {
        try await FileSplitter(options).run(layout: .pairs) { _ in .demuser }
    }
}
