import DSP
import Inference

/// The networks that divide the mixture together, and how their masks become one mask a stem.
///
/// The base gives every stem a mask; where a fusion is there, its stem's mask is made from all opinions,
/// and the base's other stems are scaled so that all still sum to one.
final class Ensemble {
    private let base: MaskStream
    let streams: [MaskStream]
    private let bins: Int
    private let fusion: MaskFusion?
    /// The base's output that the fusion replaces, and for each opinion the output that speaks of it.
    private let fusedStem: Int?
    private let opinions: [(stream: MaskStream, stem: Int)]
    private let whole: [AlignedBuffer]
    private let fused: AlignedBuffer
    /// What the base's other stems are multiplied by.
    private let rest: AlignedBuffer

    init(_ plan: SeparationPlan, channels: Int, _ order: RunOrder) throws(ModelError) {
        base = try MaskStream(plan.base.load(), channels: channels, order)
        var streams = [base]
        for network in plan.others {
            streams.append(try MaskStream(network.load(), channels: channels, order))
        }
        self.streams = streams
        bins = plan.distinctBins
        let room = VectorMath.padded(bins)
        if let fusion = plan.fusion {
            self.fusion = MaskFusion(fusion, bins: bins)
            fusedStem = Ensemble.output(fusion.stem, of: plan.base.manifest)
            opinions = fusion.packs.map { name in
                let stream = streams.first { $0.manifest.name == name }!
                return (stream, Ensemble.output(fusion.stem, of: stream.manifest))
            }
        } else {
            fusion = nil
            fusedStem = nil
            opinions = []
        }
        whole = opinions.map { _ in AlignedBuffer(count: room) }
        fused = AlignedBuffer(count: room)
        rest = AlignedBuffer(count: room)
    }

    var planes: [PackManifest.Plane] { streams.flatMap { $0.manifest.planes } }
    var finished: Int { streams.map(\.finished).min() ?? 0 }
    var needed: Int { streams.map(\.needed).min() ?? 0 }

    /// Starts the next block of every network; see ``MaskStream/advance(_:isLast:)``.
    func advance(_ frames: MagnitudeQueue, isLast: Bool) throws(ModelError) -> Bool {
        var isBusy = false
        // None runs ahead of the one that needs the most frames at once: its masks would only wait.
        let covered = streams.map(\.covered).min() ?? 0
        for stream in streams where stream.covered <= covered {
            isBusy = try stream.advance(frames, isLast: isLast) || isBusy
        }
        return isBusy
    }

    func drop(before frame: Int) { for stream in streams { stream.drop(before: frame) } }

    /// The masks of a finished frame for one channel.
    /// - Parameters:
    ///   - outputs: Stems of the base.
    ///   - masks: A row of bins for each of them.
    func masks(frame: Int, channel: Int, of outputs: [Int], into masks: [AlignedBuffer]) {
        if let fusion, let fusedStem { fuse(fusion, frame, channel, fusedStem) }
        for (stem, mask) in zip(outputs, masks) {
            if stem == fusedStem {
                mask.pointer.update(from: fused.pointer, count: bins)
                continue
            }
            base.mask(frame: frame, stem: stem, channel: channel, into: mask)
            guard fusedStem != nil else { continue }
            for bin in 0..<bins { mask.pointer[bin] *= rest.pointer[bin] }
        }
    }

    private func fuse(_ fusion: MaskFusion, _ frame: Int, _ channel: Int, _ stem: Int) {
        for ((stream, output), row) in zip(opinions, whole) {
            stream.mask(frame: frame, stem: output, channel: channel, into: row)
        }
        fusion.fuse(whole, into: fused)
        base.mask(frame: frame, stem: stem, channel: channel, into: rest)
        for bin in 0..<bins {
            rest.pointer[bin] = (1 - fused.pointer[bin]) / max(1 - rest.pointer[bin], 1e-6)
        }
    }

    private static func output(_ stem: String, of manifest: PackManifest) -> Int {
        manifest.stems.firstIndex(of: manifest.serves[stem]!)!
    }
}
