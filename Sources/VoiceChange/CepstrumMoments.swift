/// Where mel-cepstra lie, and how much they vary, coefficient by coefficient.
struct CepstrumSpread: Codable, Sendable, Equatable {
    /// The first one, the level, is 0.
    let mean: [Float]
    /// Standard deviations, above 0.
    let deviation: [Float]

    /// Whether it can be that of a voice.
    var isSane: Bool {
        mean.count == MelCepstrum.order && deviation.count == MelCepstrum.order
            && mean.allSatisfy { abs($0) < 100 }
            && deviation.allSatisfy { $0 > 0 && $0 < 100 }
    }
}

/// Mean and standard deviation of mel-cepstra, coefficient by coefficient, in one pass.
///
/// B. P. Welford, *Note on a method for calculating corrected sums of squares and products*, Technometrics 4 (3), 1962.
struct CepstrumMoments {
    private(set) var count = 0
    private(set) var mean = [Double](repeating: 0, count: MelCepstrum.order)
    private var squares = [Double](repeating: 0, count: MelCepstrum.order)

    mutating func add(_ cepstrum: [Float]) {
        count += 1
        let share = 1 / Double(count)
        for k in mean.indices {
            let value = Double(cepstrum[k])
            let difference = value - mean[k]
            mean[k] += difference * share
            squares[k] += difference * (value - mean[k])
        }
    }

    /// Never less than 0.001, as it is divided by.
    var deviation: [Float] {
        squares.map { Float(max($0 / Double(max(count, 1)), 1e-6).squareRoot()) }
    }

    /// Both, the mean freed of its level.
    var spread: CepstrumSpread {
        CepstrumSpread(mean: [0] + mean.dropFirst().map { Float($0) }, deviation: deviation)
    }
}
