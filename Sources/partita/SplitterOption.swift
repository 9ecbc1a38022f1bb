import ArgumentParser
import Separation
import Tasks
import Worker

/// Which models work.
struct SplitterOption: ParsableArguments {
    @Option(help: "lynx: our own networks only, the fastest; andromeda: every opinion, the best.")
    var splitter = Splitter.auto

    var quality: SplitQuality { SplitQuality(splitter) }
}

extension Splitter: ExpressibleByArgument {}
