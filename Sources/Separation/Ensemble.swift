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
    private let fusion: Fusion?
    /// The base's output that the fusion replaces, and for each opinion the output that speaks of it.
    private let fusedStem: Int?
    private let opinions: [(stream: MaskStream, stem: Int)]
    private let whole: [AlignedBuffer]
    private let fused: AlignedBuffer
    private let before: AlignedBuffer

    init(_ plan: SeparationPlan, _ request: SeparationRequest, _ order: RunOrder)
        throws(ModelError)
    {
        base = try MaskStream(plan.base.load(), request, order)
        var streams = [base]
        for network in plan.others {
            streams.append(try MaskStream(network.load(), request, order))
        }
        self.streams = streams
        bins = plan.distinctBins
        fusion = plan.fusion
        if let fusion {
            fusedStem = Ensemble.output(fusion.stem, of: plan.base.manifest)
            opinions = fusion.packs.map { name in
                let stream = streams.first { $0.manifest.name == name }!
                return (stream, Ensemble.output(fusion.stem, of: stream.manifest))
            }
        } else {
            fusedStem = nil
            opinions = []
        }
        let bins = bins
        whole = opinions.map { _ in AlignedBuffer(count: bins) }
        fused = AlignedBuffer(count: bins)
        before = AlignedBuffer(count: bins)
    }

    var planes: [PackManifest.Plane] { streams.flatMap { $0.manifest.planes } }
    var finished: Int { streams.map(\.finished).min() ?? 0 }
    var needed: Int { streams.map(\.needed).min() ?? 0 }

    /// Starts the next segment of every network; see ``MaskStream/advance(_:isLast:)``.
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
            for bin in 0..<bins {
                let rest = max(1 - before.pointer[bin], 1e-6)
                mask.pointer[bin] *= (1 - fused.pointer[bin]) / rest
            }
        }
    }

    private func fuse(_ fusion: Fusion, _ frame: Int, _ channel: Int, _ stem: Int) {
        for ((stream, output), row) in zip(opinions, whole) {
            stream.mask(frame: frame, stem: output, channel: channel, into: row)
        }
        fusion.fuse(whole.map { UnsafePointer($0.pointer) }, into: fused.pointer, bins: bins)
        base.mask(frame: frame, stem: stem, channel: channel, into: before)
    }

    private static func output(_ stem: String, of manifest: PackManifest) -> Int {
        manifest.stems.firstIndex(of: manifest.serves[stem]!)!
    }
}
