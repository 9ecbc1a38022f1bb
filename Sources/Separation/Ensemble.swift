import DSP

/// The networks that answer a request together, and how their masks become one mask a stem.
///
/// The base gives every stem a mask; where a fusion is there, its stem's mask is made from all opinions,
/// and the base's other stems are scaled so that all still sum to one.
final class Ensemble {
    struct Plan {
        let base: CompiledNetwork
        /// Networks besides the base, for the fusion.
        let others: [CompiledNetwork]
        let fusion: Fusion?
    }

    private let plan: Plan
    private let base: MaskStream
    private let streams: [MaskStream]
    private let bins: Int
    private let channels: Int
    private let isClearCut: Bool
    /// Stems of the base, in the order of the request.
    private let wanted: [Int]
    /// The base's output that the fusion replaces, and for each opinion the output that speaks of it.
    private let fusedStem: Int?
    private let opinions: [(stream: MaskStream, stem: Int)]
    private let whole: [AlignedBuffer]
    private let fused: AlignedBuffer
    private let before: AlignedBuffer

    init(_ plan: Plan, _ request: SeparationRequest) throws(SeparationError) {
        self.plan = plan
        base = try MaskStream(plan.base, meanSquare: request.meanSquare)
        var streams = [base]
        for network in plan.others {
            streams.append(try MaskStream(network, meanSquare: request.meanSquare))
        }
        self.streams = streams
        bins = plan.base.manifest.stft.shape.bins
        channels = request.channels
        isClearCut = request.clearCut
        wanted = request.stems.map { Ensemble.output($0, of: plan.base.manifest) }
        if let fusion = plan.fusion {
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

    var planes: Set<PackManifest.Plane> { Set(streams.flatMap { $0.manifest.planes }) }
    var finished: Int { streams.map(\.finished).min() ?? 0 }
    var needed: Int { streams.map(\.needed).min() ?? 0 }
    var inferenceSeconds: Double { streams.reduce(0) { $0 + $1.inferenceSeconds } }

    func advance(_ frames: MagnitudeQueue, isLast: Bool) throws(SeparationError) {
        for stream in streams { try stream.advance(frames, isLast: isLast) }
    }

    func drop(before frame: Int) { for stream in streams { stream.drop(before: frame) } }

    /// The masks of all bins of a finished frame for one channel.
    /// - Parameter masks: Room for a row of bins for each stem of the request.
    func masks(frame: Int, channel: Int, into masks: [AlignedBuffer]) {
        if let fusedStem { fuse(frame, channel, fusedStem) }
        for (stem, mask) in zip(wanted, masks) {
            if stem == fusedStem {
                mask.pointer.update(from: fused.pointer, count: bins)
            } else {
                read(base, stem: stem, frame, channel, into: mask)
                if fusedStem != nil {
                    for bin in 0..<bins {
                        let rest = max(1 - before.pointer[bin], 1e-6)
                        mask.pointer[bin] *= (1 - fused.pointer[bin]) / rest
                    }
                }
            }
            if isClearCut { sharpen(mask) }
        }
    }

    private func fuse(_ frame: Int, _ channel: Int, _ stem: Int) {
        for ((stream, output), row) in zip(opinions, whole) {
            read(stream, stem: output, frame, channel, into: row)
        }
        let distinct = streams.map { $0.manifest.stft.bins }.max()!
        plan.fusion!.fuse(
            whole.map { UnsafePointer($0.pointer) }, into: fused.pointer,
            distinct: min(distinct + 1, bins))
        read(base, stem: stem, frame, channel, into: before)
    }

    /// Takes away what is not surely the stem's: `m²`, which keeps 0 and 1 and lowers all between.
    private func sharpen(_ mask: AlignedBuffer) {
        for bin in 0..<bins { mask.pointer[bin] *= mask.pointer[bin] }
    }

    /// A stream's mask of one channel, continued above the highest bin that its network sees.
    private func read(
        _ stream: MaskStream, stem: Int, _ frame: Int, _ channel: Int, into row: AlignedBuffer
    ) {
        let manifest = stream.manifest
        let seen = manifest.stft.bins
        let mask = stream.mask(frame: frame, stem: stem)
        if stream.maskChannels == 1 {
            row.pointer.update(from: mask, count: seen)
        } else if channels == 2 {
            row.pointer.update(from: mask + channel * seen, count: seen)
        } else {
            for bin in 0..<seen { row.pointer[bin] = 0.5 * (mask[bin] + mask[seen + bin]) }
        }
        var mean: Float = 0
        for bin in manifest.aboveBins.from..<manifest.aboveBins.to { mean += row.pointer[bin] }
        mean /= Float(manifest.aboveBins.to - manifest.aboveBins.from)
        for bin in seen..<max(bins, seen) { row.pointer[bin] = mean }
    }

    private static func output(_ stem: String, of manifest: PackManifest) -> Int {
        manifest.stems.firstIndex(of: manifest.serves[stem]!)!
    }
}
