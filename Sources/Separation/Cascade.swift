import DSP
import Inference

/// The spectra of a request's stems: the mixture's times the masks of the first stage, and those times the masks of networks
/// that divide its stems further. All undivided stems sum to the mixture. With two channels a ``SpatialFilter`` makes the first
/// stage's spectra.
final class Cascade {
    private let plan: SeparationPlan
    private let order: RunOrder
    private let first: Ensemble
    private let divisions: [Division]
    private let isClearCut: Bool
    private let channels: Int
    private let bins: Int
    private let shape: ShortTimeShape
    private let filter: SpatialFilter?
    /// The outputs of the base that are looked at, and room for their masks.
    private let outputs: [Int]
    private let rows: [AlignedBuffer]
    /// Of a stem: the first stage's mask, and what a division gives it of that; and room for a part of the latter.
    private let mask: AlignedBuffer
    private let share: AlignedBuffer
    private let part: AlignedBuffer
    /// By channel, the rows of the frames that the divisions and the filter are at; stays empty without any.
    private let held: [FrameRing]

    init(_ plan: SeparationPlan, channels: Int, _ order: RunOrder) throws(ModelError) {
        self.plan = plan
        self.order = order
        first = try Ensemble(plan, channels: channels, order)
        var divisions: [Division] = []
        for network in plan.divisions {
            divisions.append(
                try Division(
                    network.load(), distinctBins: plan.distinctBins, channels: channels, order))
        }
        self.divisions = divisions
        isClearCut = plan.clearCut
        self.channels = channels
        let bins = plan.distinctBins
        self.bins = bins
        shape = plan.base.manifest.stft.shape
        let base = plan.base.manifest
        let wanted = Set(plan.leaves.flatMap { plan.undivided($0) })
        let isSpatial = channels == 2 && base.dividesMixture
        filter =
            isSpatial
            ? SpatialFilter(
                base.stft.shape, sampleRate: base.sampleRate, bins: bins,
                stems: base.stems.count, wanted: wanted) : nil
        let outputs = isSpatial ? Array(base.stems.indices) : wanted.sorted()
        self.outputs = outputs
        rows = outputs.map { _ in AlignedBuffer(count: bins) }
        mask = AlignedBuffer(count: bins)
        share = AlignedBuffer(count: bins)
        part = AlignedBuffer(count: bins)
        held = (0..<channels).map { _ in FrameRing(length: outputs.count * bins) }
    }

    /// What the networks see of the mixture.
    var planes: [PackManifest.Plane] { first.planes }
    /// Whether masks are kept until others look at them.
    private var holds: Bool { !divisions.isEmpty || filter != nil }
    /// Index after the last frame that can be divided.
    var finished: Int {
        divisions.map(\.finished).reduce(filter?.finished ?? first.finished, min)
    }
    /// The first frame of the mixture's magnitudes that is still needed.
    var needed: Int { first.needed }
    /// The first frame that the divisions have not taken in.
    var undivided: Int { divisions.isEmpty ? first.needed : held[0].end }
    /// All networks.
    var streams: [MaskStream] { first.streams + divisions.map(\.stream) }

    /// Starts at most one block of every network, so that what is finished can be used in between.
    /// - Parameters:
    ///   - frames: The mixture's magnitudes.
    ///   - spectra: Its spectra by channel, from frame `finished` on.
    ///   - isLast: No frames follow.
    /// - Returns: Whether there was anything to do, so that there may be more.
    func advance(
        _ frames: MagnitudeQueue, _ spectra: [FrameRing], isLast: Bool
    ) throws(ModelError) -> Bool {
        let isDivided = isLast && first.finished == frames.end
        if holds {
            for frame in held[0].end..<max(first.finished, held[0].end) {
                for channel in 0..<channels { hold(frame, channel, spectra[channel][frame]) }
                if divisions.isEmpty { continue }
                let level = frames.level(frame: frame)
                for division in divisions { division.append(level: level) }
            }
            first.drop(before: first.finished)
        }
        filter?.advance(held, spectra, isLast: isDivided)
        var isBusy = false
        for division in divisions { isBusy = try division.advance(isLast: isDivided) || isBusy }
        // At the end nothing else keeps the first stage from running ahead.
        if !(isLast && isBusy) { isBusy = try first.advance(frames, isLast: isLast) || isBusy }
        if !isBusy && isLast && finished < frames.end { isBusy = try order.collect() }
        return isBusy
    }

    func drop(before frame: Int) {
        first.drop(before: frame)
        for division in divisions { division.drop(before: frame) }
        filter?.drop(before: frame)
        for queue in held { queue.drop(before: frame) }
    }

    /// The stems of a finished frame of one channel.
    /// - Parameters:
    ///   - spectrum: The mixture's.
    ///   - results: Room for the spectrum of each stem of the request.
    func divide(
        frame: Int, channel: Int, _ spectrum: UnsafePointer<Float>, into results: [AlignedBuffer]
    ) {
        if !holds {
            first.masks(frame: frame, channel: channel, of: outputs, into: rows)
        } else if filter == nil || isClearCut {
            for (index, row) in rows.enumerated() {
                row.pointer.update(from: held[channel][frame] + index * bins, count: bins)
            }
        }
        for (leaf, result) in zip(plan.leaves, results) {
            let whole = plan.undivided(leaf)
            if filter == nil || isClearCut {
                mask.clear()
                for output in whole { add(row(of: output), to: mask) }
            }
            if let filter {
                filter.sum(whole, frame: frame, channel: channel, into: result)
            } else {
                scale(spectrum, by: mask, into: result)
            }
            if let index = leaf.division { sumShares(of: leaf, index, frame, channel) }
            // What is not surely the stem's is taken away by its mask once more.
            let factors =
                (leaf.division == nil ? [] : [share])
                + (!isClearCut ? [] : leaf.division == nil ? [mask] : [mask, share])
            for factor in factors { scale(result.pointer, by: factor, into: result) }
        }
    }

    /// What a stem gets of the one that it is a part of.
    private func sumShares(of leaf: SeparationPlan.Leaf, _ index: Int, _ frame: Int, _ channel: Int)
    {
        share.clear()
        for output in leaf.outputs {
            divisions[index].share(frame: frame, output: output, channel: channel, into: part)
            add(part, to: share)
        }
    }

    /// Keeps the first stage's masks of a frame, and hands each division what it divides.
    private func hold(_ frame: Int, _ channel: Int, _ spectrum: UnsafePointer<Float>) {
        first.masks(frame: frame, channel: channel, of: outputs, into: rows)
        let place = held[channel].append()
        for (index, row) in rows.enumerated() {
            (place + index * bins).update(from: row.pointer, count: bins)
        }
        for (division, network) in zip(divisions, plan.divisions) {
            let mask = row(of: plan.output(dividedBy: network))
            division.take(spectrum, mask: mask.pointer, channel: channel)
        }
    }

    private func row(of output: Int) -> AlignedBuffer { rows[outputs.firstIndex(of: output)!] }

    private func add(_ row: AlignedBuffer, to mask: AlignedBuffer) {
        for bin in 0..<bins { mask.pointer[bin] += row.pointer[bin] }
    }

    private func scale(
        _ spectrum: UnsafePointer<Float>, by row: AlignedBuffer, into result: AlignedBuffer
    ) {
        multiply(
            spectrum, by: row.pointer, distinct: bins, bins: shape.bins, into: result.pointer)
    }
}
