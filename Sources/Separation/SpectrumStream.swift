import DSP

/// Separates one recording by dividing its short-time spectra.
///
/// Spectra are divided at the divider's sample rate; stems are brought back to the source's. What the source holds
/// above half the divider's rate belongs to no stem.
final class SpectrumStream: StemStream {
    var seconds: StageSeconds {
        var seconds = stages
        seconds.networks = divider.networkSeconds
        seconds.waiting = divider.waitingSeconds
        // The divider waits while it is asked to go on.
        seconds.masks -= seconds.waiting
        return seconds
    }

    private let divider: any SpectrumDivider
    private let shape: ShortTimeShape
    /// The spectra by channel, until they are divided.
    private let spectra: [FrameRing]
    private let analyzers: [Analyzer]
    private let channels: Int
    private let stems: Int
    /// Samples by channel: as pushed, and at the divider's rate (the same queue where rates are equal).
    private let source: [FrameQueue]
    private let signal: [FrameQueue]
    private let toDivider: [Resampler]
    /// By stem.
    private let synthesizers: [Synthesizer]
    /// `[stem][channel]`: what was synthesized, and that at the source's rate.
    private let synthesized: [[FrameQueue]]
    private let results: [[FrameQueue]]
    private let fromDivider: [[Resampler]]
    private var emitted = 0
    /// All samples are there, and all of them were given back but the last.
    private var isComplete = false
    private var isFinished = false
    private var stages = StageSeconds()
    /// The stems' spectra of a frame, `[channel][stem]`, and where they are, `[stem][channel]`.
    private let divided: [[AlignedBuffer]]
    private let places: [[UnsafePointer<Float>]]

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
        spectra = (0..<channels).map { _ in FrameRing(length: shape.frameLength) }
        analyzers = try (0..<channels).map { _ in try Analyzer(shape) }
        let grid = { (make: () throws -> FrameQueue) in
            try (0..<divider.stems).map { _ in try (0..<channels).map { _ in try make() } }
        }
        synthesizers = try (0..<stems).map { _ in try Synthesizer(shape, channels: channels) }
        synthesized = try grid(samples)
        results = resamples ? try grid(samples) : synthesized
        fromDivider =
            resamples
            ? try (0..<stems).map { _ in
                try (0..<channels).map { _ in
                    try Resampler(from: divider.sampleRate, to: sampleRate)
                }
            } : []
        let divided = (0..<channels).map { _ in
            (0..<divider.stems).map { _ in AlignedBuffer(count: shape.frameLength) }
        }
        self.divided = divided
        places = (0..<stems).map { stem in divided.map { UnsafePointer($0[stem].pointer) } }
    }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] {
        precondition(block.count == channels, "a block has as many channels as the request")
        var moment = ContinuousClock.now
        for (channel, samples) in block.enumerated() where !samples.isEmpty {
            samples.withUnsafeBufferPointer { samples in
                source[channel].append(samples.count)
                    .update(from: samples.baseAddress!, count: samples.count)
                if !toDivider.isEmpty {
                    toDivider[channel].process(samples, into: signal[channel])
                }
            }
        }
        stages.add(\.resampling, since: &moment)
        // A frame can be analyzed once its window's last sample is there.
        analyze { spectra[0].end * shape.hop + shape.size / 2 <= signal[0].end }
        var blocks: [SeparatedBlock] = []
        while try separate() { blocks += take() }
        return blocks
    }

    func finish() throws -> [SeparatedBlock] {
        if !isComplete {
            for (channel, resampler) in toDivider.enumerated() {
                resampler.finish(into: signal[channel])
            }
            analyze { spectra[0].end < shape.frames(samples: signal[0].end) }
            isComplete = true
        }
        while try separate() {
            let blocks = take()
            if !blocks.isEmpty { return blocks }
        }
        if !isFinished { finishStems() }
        isFinished = true
        return take()
    }

    private func finishStems() {
        for stem in 0..<stems {
            synthesizers[stem].finish(length: signal[0].end, into: synthesized[stem])
            for channel in 0..<channels {
                resample(stem, channel)
                if !fromDivider.isEmpty {
                    fromDivider[stem][channel].finish(into: results[stem][channel])
                }
                // Two conversions of the rate can lose or add a sample at the very end.
                let missing = source[channel].end - results[stem][channel].end
                if missing > 0 { results[stem][channel].append(missing) }
            }
        }
    }

    /// Takes in frames while they are there.
    private func analyze(while isThere: () -> Bool) {
        var moment = ContinuousClock.now
        while isThere() {
            let frame = spectra[0].end
            for channel in 0..<channels {
                analyzers[channel].analyze(
                    frame: frame, of: signal[channel], into: spectra[channel].append())
            }
        }
        stages.add(\.analysis, since: &moment)
    }

    /// Makes samples of some of the frames that can be divided, or goes on to the next ones where there are none left.
    /// - Returns: Whether there was anything to do.
    private func separate() throws -> Bool {
        var moment = ContinuousClock.now
        var isBusy = divider.finished > emitted
        if !isBusy { isBusy = try divider.advance(spectra, isLast: isComplete) }
        stages.add(\.masks, since: &moment)
        let end = min(max(divider.finished, emitted), emitted + SpectrumStream.framesAtOnce)
        for frame in emitted..<end {
            for channel in 0..<channels {
                divider.divide(
                    frame: frame, channel: channel, of: spectra, into: divided[channel])
            }
            stages.add(\.masks, since: &moment)
            for stem in 0..<stems {
                synthesizers[stem].add(places[stem], into: synthesized[stem])
            }
            stages.add(\.synthesis, since: &moment)
        }
        isBusy = isBusy || end > emitted
        emitted = end
        divider.drop(before: emitted)
        // Samples that later frames still cover; the source's own queue is also read by `take`.
        if !toDivider.isEmpty {
            let covered = spectra[0].end * shape.hop - shape.size / 2
            for queue in signal { queue.drop(before: covered) }
            for stem in 0..<stems { for channel in 0..<channels { resample(stem, channel) } }
            stages.add(\.resampling, since: &moment)
        }
        for queue in spectra { queue.drop(before: emitted - divider.reach) }
        return isBusy
    }

    /// Frames that are brought back to samples in a step, so that what waits to be taken is never much.
    private static let framesAtOnce = 32

    private func resample(_ stem: Int, _ channel: Int) {
        let queue = synthesized[stem][channel]
        guard !fromDivider.isEmpty, queue.end > queue.start else { return }
        fromDivider[stem][channel].process(
            UnsafeBufferPointer(start: queue[queue.start], count: queue.end - queue.start),
            into: results[stem][channel])
        queue.drop(before: queue.end)
    }

    /// The samples that all stems have, at most those that were pushed, in blocks of a bounded size.
    private func take() -> [SeparatedBlock] {
        let start = results[0][0].start
        let end = max(min(results[0][0].end, source[0].end), start)
        var from = start
        let blocks = SeparatedBlock.ends(from: start, to: end).map { end in
            defer { from = end }
            let count = end - from
            return SeparatedBlock(
                source: source.map { Array(UnsafeBufferPointer(start: $0[from], count: count)) },
                stems: results.map { $0.map { onGrid($0[from], count: count) } })
        }
        for queue in results.joined() { queue.drop(before: end) }
        // Coming frames are analyzed from the source's queue where the rates are equal.
        let covered = toDivider.isEmpty ? spectra[0].end * shape.hop - shape.size / 2 : end
        for queue in source { queue.drop(before: min(end, max(covered, 0))) }
        return blocks
    }
}

/// Samples rounded to multiples of 2⁻²³, to the even one of two that are equally near.
private func onGrid(_ samples: UnsafePointer<Float>, count: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { result, initialized in
        for index in 0..<count {
            let magnitude = abs(samples[index]) * 0x1p23
            // Floats from 2²³ to 2²⁴ are the integers, and above all are.
            let rounded = magnitude < 0x1p23 ? (magnitude + 0x1p23) - 0x1p23 : magnitude
            result[index] = Float(signOf: samples[index], magnitudeOf: rounded * 0x1p-23)
        }
        initialized = count
    }
}
