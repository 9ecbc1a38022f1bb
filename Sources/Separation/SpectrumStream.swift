import DSP

/// Separates one recording by dividing its short-time spectra.
///
/// Spectra are divided at the divider's sample rate; stems are brought back to the source's. What the source holds
/// above half the divider's rate belongs to no stem.
final class SpectrumStream: StemStream {
    var inferenceSeconds: Double { divider.inferenceSeconds }

    private let divider: any SpectrumDivider
    private let shape: ShortTimeShape
    /// The spectra by channel, until they are divided.
    private let spectra: [FrameQueue]
    private let analyzers: [Analyzer]
    private let channels: Int
    private let stems: Int
    /// Samples by channel: as pushed, and at the divider's rate (the same queue where rates are equal).
    private let source: [FrameQueue]
    private let signal: [FrameQueue]
    private let toDivider: [Resampler]
    /// `[stem][channel]`: what was synthesized, and that at the source's rate.
    private let synthesizers: [[Synthesizer]]
    private let synthesized: [[FrameQueue]]
    private let results: [[FrameQueue]]
    private let fromDivider: [[Resampler]]
    private var emitted = 0
    private let divided: [AlignedBuffer]

    /// - Parameter sampleRate: The source's, Hz.
    init(_ divider: any SpectrumDivider, sampleRate: Int, channels: Int) throws {
        self.divider = divider
        shape = divider.shape
        self.channels = channels
        stems = divider.stems
        let samples = { FrameQueue(length: 1) }
        source = (0..<channels).map { _ in samples() }
        let resamples = sampleRate != divider.sampleRate
        signal = resamples ? (0..<channels).map { _ in samples() } : source
        toDivider =
            resamples
            ? try (0..<channels).map { _ in
                try Resampler(from: sampleRate, to: divider.sampleRate)
            } : []
        let shape = shape
        spectra = (0..<channels).map { _ in FrameQueue(length: shape.frameLength) }
        analyzers = try (0..<channels).map { _ in try Analyzer(shape) }
        let grid = { (make: () throws -> FrameQueue) in
            try (0..<divider.stems).map { _ in try (0..<channels).map { _ in try make() } }
        }
        synthesizers = try (0..<stems).map { _ in
            try (0..<channels).map { _ in try Synthesizer(shape) }
        }
        synthesized = try grid(samples)
        results = resamples ? try grid(samples) : synthesized
        fromDivider =
            resamples
            ? try (0..<stems).map { _ in
                try (0..<channels).map { _ in
                    try Resampler(from: divider.sampleRate, to: sampleRate)
                }
            } : []
        divided = (0..<stems).map { _ in AlignedBuffer(count: shape.frameLength) }
    }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] {
        precondition(block.count == channels, "a block has as many channels as the request")
        for (channel, samples) in block.enumerated() where !samples.isEmpty {
            samples.withUnsafeBufferPointer { samples in
                source[channel].append(samples.count)
                    .update(from: samples.baseAddress!, count: samples.count)
                if !toDivider.isEmpty {
                    toDivider[channel].process(samples, into: signal[channel])
                }
            }
        }
        // A frame can be analyzed once its window's last sample is there.
        while spectra[0].end * shape.hop + shape.size / 2 <= signal[0].end { analyze() }
        try separate(isLast: false)
        return take()
    }

    func finish() throws -> [SeparatedBlock] {
        for (channel, resampler) in toDivider.enumerated() {
            resampler.finish(into: signal[channel])
        }
        let length = signal[0].end
        while spectra[0].end < shape.frames(samples: length) { analyze() }
        try separate(isLast: true)
        for stem in 0..<stems {
            for channel in 0..<channels {
                let output = synthesized[stem][channel]
                synthesizers[stem][channel].finish(length: length, into: output)
                resample(stem, channel)
                if !fromDivider.isEmpty {
                    fromDivider[stem][channel].finish(into: results[stem][channel])
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
        let frame = spectra[0].end
        for channel in 0..<channels {
            analyzers[channel].analyze(
                frame: frame, of: signal[channel], into: spectra[channel].append(1))
        }
    }

    private func separate(isLast: Bool) throws {
        try divider.advance(spectra, isLast: isLast)
        let finished = max(divider.finished, emitted)
        for frame in emitted..<finished {
            for channel in 0..<channels {
                divider.divide(frame: frame, channel: channel, of: spectra, into: divided)
                for stem in 0..<stems {
                    synthesizers[stem][channel].add(
                        divided[stem].pointer, into: synthesized[stem][channel])
                }
            }
        }
        emitted = finished
        divider.drop(before: emitted)
        // Samples that later frames still cover; the source's own queue is also read by `take`.
        if !toDivider.isEmpty {
            let covered = spectra[0].end * shape.hop - shape.size / 2
            for queue in signal { queue.drop(before: covered) }
            for stem in 0..<stems { for channel in 0..<channels { resample(stem, channel) } }
        }
        for queue in spectra { queue.drop(before: emitted - divider.reach) }
    }

    private func resample(_ stem: Int, _ channel: Int) {
        let queue = synthesized[stem][channel]
        guard !fromDivider.isEmpty, queue.end > queue.start else { return }
        fromDivider[stem][channel].process(
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
        let covered = toDivider.isEmpty ? spectra[0].end * shape.hop - shape.size / 2 : end
        for queue in source { queue.drop(before: min(end, max(covered, 0))) }
        return [SeparatedBlock(source: original, stems: separated)]
    }
}
