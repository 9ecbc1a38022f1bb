import ArgumentParser
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

    @OptionGroup var options: FileOptions

    @Option(
        help: "A stem that `partita models list` shows; more than once. “all”: each sound once.")
    var stem: [String]

    @Flag(help: "One file of the source without any of the stems, instead of one for each stem.")
    var together = false

    @Flag(help: "Prefer less bleed of the rest over more of the stem.")
    var clearCut = false

    @OptionGroup var splitter: SplitterOption

    func validate() throws {
        for (sum, parts) in PackManifest.sums
        where together && stem.contains(sum) && parts.contains(where: stem.contains) {
            throw ValidationError(
                "With --together a sound can be in one file only: \(sum) is \(parts.joined(separator: " and "))."
            )
        }
    }

    func run() async throws {
        try await FileSplitter(options).run(layout: together ? .together : .pairs) { installed in
            .stems(try resolve(installed), clearCut: clearCut, quality: splitter.quality)
        }
    }

    /// Everything that is installed, each sound once (both guitars rather than their sum, vocals rather than lead and
    /// backing), or the stems by name, each once.
    private func resolve(_ installed: [String]) throws -> [String] {
        if stem.contains("all") {
            let voices = PackManifest.sums["vocals"] ?? []
            return installed.filter { name in
                let parts = PackManifest.sums[name] ?? []
                let isDivided = !parts.isEmpty && parts.allSatisfy(installed.contains)
                return name == "vocals" || !(isDivided || voices.contains(name))
            }
        }
        return stem.enumerated().filter { !stem[..<$0.offset].contains($0.element) }.map(\.element)
    }
}
