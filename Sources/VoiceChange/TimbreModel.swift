import Foundation

/// How a speaker's envelopes follow from what is said, in frames of one kind: voiced or unvoiced ones.
///
/// Two opinions: nearest neighbors are like the speaker, but restless; a regression is calm.
struct TimbreModel: Sendable, Equatable {
    let codebook: TimbreCodebook
    let regression: TimbreRegression
    /// Of all the frames.
    let spread: CepstrumSpread

    /// Numbers that a model has on disk: its entries, then the regression.
    static func count(entries: Int) -> Int {
        entries * TimbreCodebook.entryWidth + TimbreRegression.count
    }

    /// - Parameter numbers: ``count(entries:)`` of them.
    init(_ numbers: ArraySlice<Float>, spread: CepstrumSpread) {
        codebook = TimbreCodebook(entries: Array(numbers.dropLast(TimbreRegression.count)))
        regression = TimbreRegression(weights: Array(numbers.suffix(TimbreRegression.count)))
        self.spread = spread
    }
}

/// Learns a ``TimbreModel`` from frames, in constant memory: of all frames, it keeps a sample of fixed size that is spread
/// evenly over them.
struct TimbreModelCollector {
    private struct Entry {
        /// Features of the frame itself.
        let features: [Float]
        let cepstrum: [Float]
        let aperiodicity: [Float]
    }

    private var regression = TimbreRegressionCollector()
    private var entries: Reservoir<Entry>
    private var moments = CepstrumMoments()

    /// - Parameter limit: Entries that the codebook gets at most.
    init(limit: Int) { entries = Reservoir(limit: limit) }

    var spread: CepstrumSpread { moments.spread }
    var entryCount: Int { entries.elements.count }

    mutating func add(_ content: Content, cepstrum: [Float], aperiodicity: [Float]) {
        regression.add(content, cepstrum: cepstrum)
        moments.add(cepstrum)
        entries.add(
            Entry(
                features: Array(content.own), cepstrum: cepstrum, aperiodicity: aperiodicity))
    }

    /// Entries and regression as ``TimbreModel/init(_:spread:)`` takes them.
    func numbers() -> [Float] {
        var numbers: [Float] = []
        numbers.reserveCapacity(TimbreModel.count(entries: entryCount))
        for entry in entries.elements {
            numbers += entry.features
            numbers.append(0)
            numbers += entry.cepstrum.dropFirst()
            let bands = entry.aperiodicity
            for band in 0..<VoiceStatistics.bands {
                numbers.append(bands.isEmpty ? 0 : bands[min(band, bands.count - 1)])
            }
        }
        return numbers + regression.weights()
    }
}
