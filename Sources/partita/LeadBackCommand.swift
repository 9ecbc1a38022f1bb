import ArgumentParser

/// `partita lead-back`
struct LeadBackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lead-back",
        abstract: "Divides the vocals of songs into lead and backing, without a server.",
        discussion: """
            Gives four files: <input>_vocals@0 (the lead), <input>_vocals@1 (the backing), <input>_no_vocals, and \
            <input>_mix_no_lead (all but the lead). Where there is no backing, its file is left out. In wav and flac, \
            lead, backing and no_vocals sum to the source, and so do lead and mix_no_lead. Exit codes: 0 all done, \
            1 something failed, 2 wrong usage.
            """)

    @OptionGroup var options: FileOptions

    @Flag(help: "Prefer less bleed of the rest over more of the voice.")
    var clearCut = false

    @OptionGroup var splitter: SplitterOption

    func run() async throws {
        try await FileSplitter(options).run(layout: .leadBack) { _ in
            .stems(["lead", "backing"], clearCut: clearCut, quality: splitter.quality)
        }
    }
}
