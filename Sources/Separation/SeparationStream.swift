import DSP

/// Separates one recording into stems by the masks of networks.
///
/// Masks are found and applied at the networks' rate; stems are brought back to the source's rate. What the
/// source holds above half the networks' rate belongs to no stem.
final class SeparationStream: StemStream {
    var inferenceSeconds: Double { cascade.inferenceSeconds }

    private let cascade: Cascade
    private let shape: ShortTimeShape
    /// The spectra by channel, until they are masked, and what networks see of them.
    private let spectra: [FrameQueue]
    private let frames: MagnitudeQueue
    private let analyzers: [Analyzer]
    private let channels: Int
    private let stems: Int
    /// Samples by channel: as pushed, and at the networks' rate (the same queue where rates are equal).
    private let source: [FrameQueue]
    private let signal: [FrameQueue]
    private let toNetwork: [Resampler]
    /// `[stem][channel]`: what was synthesized, and that at the source's rate.
    private let synthesizers: [[Synthesizer]]
    private let synthesized: [[FrameQueue]]
    private let results: [[FrameQueue]]
    private let fromNetwork: [[Resampler]]
    private var emitted = 0
    private let masks: [AlignedBuffer]
    private let masked: AlignedBuffer

    init(_ plan: SeparationPlan, _ request: SeparationRequest) throws {
        let manifest = plan.base.manifest
        cascade = try Cascade(plan, request)
        shape = manifest.stft.shape
        channels = request.channels
        stems = plan.leaves.count
        let samples = { FrameQueue(length: 1) }
        source = (0..<request.channels).map { _ in samples() }
        let resamples = request.sampleRate != manifest.sampleRate
        signal = resamples ? (0..<request.channels).map { _ in samples() } : source
        toNetwork =
            resamples
            ? try (0..<channels).map { _ in
                try Resampler(from: request.sampleRate, to: manifest.sampleRate)
            } : []
        let shape = shape
        spectra = (0..<channels).map { _ in FrameQueue(length: shape.frameLength) }
        frames = MagnitudeQueue(shape: shape, planes: cascade.planes)
        analyzers = try (0..<channels).map { _ in try Analyzer(shape) }
        let grid = { (make: () throws -> FrameQueue) in
            try (0..<plan.leaves.count).map { _ in
                try (0..<request.channels).map { _ in try make() }
            }
        }
        synthesizers = try (0..<stems).map { _ in
            try (0..<request.channels).map { _ in try Synthesizer(shape) }
        }
        synthesized = try grid(samples)
        results = resamples ? try grid(samples) : synthesized
        fromNetwork =
            resamples
            ? try (0..<stems).map { _ in
                try (0..<request.channels).map { _ in
                    try Resampler(from: manifest.sampleRate, to: request.sampleRate)
                }
            } : []
        masks = (0..<stems).map { _ in AlignedBuffer(count: shape.bins) }
        masked = AlignedBuffer(count: shape.frameLength)
    }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] {
        precondition(block.count == channels, "a block has as many channels as the request")
        for (channel, samples) in block.enumerated() where !samples.isEmpty {
            samples.withUnsafeBufferPointer { samples in
                source[channel].append(samples.count)
                    .update(from: samples.baseAddress!, count: samples.count)
                if !toNetwork.isEmpty { toNetwork[channel].process(samples, into: signal[channel]) }
            }
        }
        // A frame can be analyzed once its window's last sample is there.
        while frames.end * shape.hop + shape.size / 2 <= signal[0].end { analyze() }
        try separate(isLast: false)
        return take()
    }

    func finish() throws -> [SeparatedBlock] {
        for (channel, resampler) in toNetwork.enumerated() {
            resampler.finish(into: signal[channel])
        }
        let length = signal[0].end
        while frames.end < shape.frames(samples: length) { analyze() }
        try separate(isLast: true)
        for stem in 0..<stems {
            for channel in 0..<channels {
                let output = synthesized[stem][channel]
                synthesizers[stem][channel].finish(length: length, into: output)
                resample(stem, channel)
                if !fromNetwork.isEmpty {
                    fromNetwork[stem][channel].finish(into: results[stem][channel])
                }
                // Two conversions of the rate can lose or add a sample at the very end.
                let missing = source[channel].end - results[stem][channel].end
                if missing > 0 { results[stem][channel].append(missing) }
            }
        }
        return take()
    }

    /// Takes in the next frame.
    private func analyze() {
        let frame = frames.end
        for channel in 0..<channels {
            analyzers[channel].analyze(
                frame: frame, of: signal[channel], into: spectra[channel].append(1))
        }
        frames.append(spectra.map { UnsafePointer($0[frame]) })
    }

    private func separate(isLast: Bool) throws {
        try cascade.advance(frames, spectra, isLast: isLast)
        let finished = max(cascade.finished, emitted)
        for frame in emitted..<finished {
            for channel in 0..<channels {
                cascade.masks(frame: frame, channel: channel, into: masks)
                for stem in 0..<stems {
                    multiply(
                        spectra[channel][frame], by: masks[stem].pointer, bins: shape.bins,
                        into: masked.pointer)
                    synthesizers[stem][channel].add(
                        masked.pointer, into: synthesized[stem][channel])
                }
            }
        }
        emitted = finished
        cascade.drop(before: emitted)
        frames.drop(before: cascade.needed)
        for queue in spectra { queue.drop(before: emitted) }
        // Samples that later frames still cover; the source's own queue is also read by `take`.
        if !toNetwork.isEmpty {
            for queue in signal { queue.drop(before: frames.end * shape.hop - shape.size / 2) }
            for stem in 0..<stems { for channel in 0..<channels { resample(stem, channel) } }
        }
    }

    private func resample(_ stem: Int, _ channel: Int) {
        let queue = synthesized[stem][channel]
        guard !fromNetwork.isEmpty, queue.end > queue.start else { return }
        fromNetwork[stem][channel].process(
            UnsafeBufferPointer(start: queue[queue.start], count: queue.end - queue.start),
            into: results[stem][channel])
        queue.drop(before: queue.end)
    }

    /// The samples that all stems have, at most those that were pushed.
    private func take() -> [SeparatedBlock] {
        let start = results[0][0].start
        let end = min(results[0][0].end, source[0].end)
        guard end > start else { return [] }
        let original = source.map { queue in
            Array(UnsafeBufferPointer(start: queue[start], count: end - start))
        }
        let separated = results.map { stem in
            stem.map { queue in
                let samples = queue[start]
                let grid = (0..<end - start).map { index in
                    (samples[index] * 0x1p23).rounded(.toNearestOrEven) * 0x1p-23
                }
                queue.drop(before: end)
                return grid
            }
        }
        // Coming frames are analyzed from the source's queue where the rates are equal.
        let covered = toNetwork.isEmpty ? frames.end * shape.hop - shape.size / 2 : end
        for queue in source { queue.drop(before: min(end, max(covered, 0))) }
        return [SeparatedBlock(source: original, stems: separated)]
    }
}
