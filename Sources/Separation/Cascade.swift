import DSP
import Inference

/// The masks of a request's stems: those of the first stage, and those of networks that divide its stems further, times
/// the mask of what they divide. The masks of all undivided stems sum to one.
final class Cascade {
    private let plan: SeparationPlan
    private let order: RunOrder
    private let first: Ensemble
    private let divisions: [Division]
    private let isClearCut: Bool
    private let channels: Int
    private let bins: Int
    /// The outputs of the base that are wanted or divided, and room for their masks.
    private let outputs: [Int]
    private let rows: [AlignedBuffer]
    private let share: AlignedBuffer
    /// By channel, the rows of the frames that the divisions are at; stays empty without any.
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
        let wanted = plan.leaves.filter { $0.division == nil }.flatMap(\.outputs)
        let outputs = Set(wanted + plan.divisions.map { plan.output(dividedBy: $0) }).sorted()
        self.outputs = outputs
        rows = outputs.map { _ in AlignedBuffer(count: bins) }
        share = AlignedBuffer(count: bins)
        held = (0..<channels).map { _ in FrameRing(length: outputs.count * bins) }
    }

    /// What the networks see of the mixture.
    var planes: [PackManifest.Plane] { first.planes }
    /// Index after the last frame whose masks are there.
    var finished: Int { divisions.map(\.finished).min() ?? first.finished }
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
        for frame in held[0].end..<max(first.finished, held[0].end) where !divisions.isEmpty {
            for channel in 0..<channels { hold(frame, channel, spectra[channel][frame]) }
            let level = frames.level(frame: frame)
            for division in divisions { division.append(level: level) }
        }
        if !divisions.isEmpty { first.drop(before: first.finished) }
        let isDivided = isLast && first.finished == frames.end
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
        for queue in held { queue.drop(before: frame) }
    }

    /// The masks of a finished frame for one channel.
    /// - Parameter masks: A row of bins for each stem of the request.
    func masks(frame: Int, channel: Int, into masks: [AlignedBuffer]) {
        if divisions.isEmpty {
            first.masks(frame: frame, channel: channel, of: outputs, into: rows)
        } else {
            for (index, row) in rows.enumerated() {
                row.pointer.update(from: held[channel][frame] + index * bins, count: bins)
            }
        }
        for (leaf, mask) in zip(plan.leaves, masks) {
            mask.clear()
            if let index = leaf.division {
                for output in leaf.outputs {
                    divisions[index].share(
                        frame: frame, output: output, channel: channel, into: share)
                    add(share, to: mask)
                }
                let whole = row(of: plan.output(dividedBy: plan.divisions[index]))
                for bin in 0..<bins { mask.pointer[bin] *= whole.pointer[bin] }
            } else {
                for output in leaf.outputs { add(row(of: output), to: mask) }
            }
            if isClearCut { sharpen(mask) }
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

    /// Takes away what is not surely the stem's: `m²`, which keeps 0 and 1 and lowers all between.
    private func sharpen(_ mask: AlignedBuffer) {
        for bin in 0..<bins { mask.pointer[bin] *= mask.pointer[bin] }
    }
}
