import DSP
import Foundation

/// Gives a voice that of a pack: the second pass, after ``VoiceSurvey``.
///
/// Each frame's envelope is changed by the difference between the pack's and its own. Where pitch stays, and in frames without
/// voice, the recorded waveform is filtered (``DifferentialFilter``); voiced frames whose pitch moves are made again
/// (``VoiceSynthesizer``). All channels get the same filter; what is made anew is placed among them as the voice was.
///
/// The output has the length of the input and depends neither on how it came in nor on what was converted before;
/// memory does not grow with it.
public final class VoiceConverter {
    /// Frames of the content network that a difference is smoothed over on each side, under a triangle.
    private static let smoothing = 2
    /// What no difference exceeds, in natural logarithms of power: 20 dB.
    private static let largest: Float = 4.6

    /// Where the pitch goes.
    public let pitchMap: PitchMap

    private let shape: VoiceShape
    private let weights: [Float]
    private let map: TimbreMap
    private let frames: VoiceFrames
    private let current: VoiceFrame
    private let mel: MelCepstrum
    private let loudness: Loudness
    private let placement: Placement
    private let synthesizer: VoiceSynthesizer
    private let filters: [DifferentialFilter]
    private let silent: VoiceFrame
    private let difference: AlignedBuffer
    /// What is added to all differences; `bins` values.
    private let equalizer: [Float]
    /// Values of an envelope that lie below all voices.
    private let rumble: Int

    private let mono = FrameQueue(length: 1)
    private let channels: [FrameQueue]
    private let filtered: [FrameQueue]
    private let synthesized = FrameQueue(length: 1)

    /// Frames from `firstHeld` on.
    private var held: [VoiceFrame] = []
    private var firstHeld = 0
    /// Frames to one of the content network.
    private let step: Int
    private let content: ContentStream
    /// Frames of the content network whose content is not known yet.
    private var unheard: [(cepstrum: [Float], isVoiced: Bool)] = []
    /// Differences from frame `firstDifference` of the content network on.
    private var differences: [TimbreMap.Difference] = []
    private var firstDifference = 0
    private var emitted = 0
    private var spare: [VoiceFrame] = []
    private var places: ChannelCurve

    /// - Parameters:
    ///   - source: What ``VoiceSurvey`` found.
    ///   - pitch: Of the whole recording.
    ///   - sampleRate: Hertz, from 8000 on.
    ///   - weights: The mono mix that pitch and survey were taken from (``ChannelMix/weights``), one for each channel.
    /// - Throws: ``VoiceError/transform(size:)``, `ModelError`.
    public convenience init(
        voice: Voice, settings: VoiceSettings, source: SourceVoice, pitch: PitchTrack,
        sampleRate: Int, weights: [Float] = [1]
    ) throws {
        let map = try TimbreMap(voice, source: source, accent: settings.accent)
        var equalizer: Equalizer?
        // How an excerpt sounds tells what its long-term spectrum lacks.
        if settings.accent > 0 {
            let trial = try VoiceConverter(
                voice, map, nil, settings, source, source.excerpt.pitch, sampleRate, weights: [1])
            equalizer = try trial.equalizer(for: voice, source)
        }
        try self.init(voice, map, equalizer, settings, source, pitch, sampleRate, weights: weights)
    }

    private init(
        _ voice: Voice, _ map: TimbreMap, _ equalizer: Equalizer?, _ settings: VoiceSettings,
        _ source: SourceVoice, _ pitch: PitchTrack, _ sampleRate: Int, weights: [Float]
    ) throws {
        self.map = map
        shape = VoiceShape(sampleRate: sampleRate)
        self.equalizer =
            equalizer?.curve(shape) ?? [Float](repeating: 0, count: shape.bins)
        step = Int((ContentNetwork.hop / shape.hop).rounded())
        content = try ContentStream(voice.content, source.statistics)
        self.weights = weights
        pitchMap = PitchMap(
            settings, source: source.statistics,
            target: voice.manifest.statistics.medianFrequency,
            targetSpread: voice.manifest.statistics.pitchSpread)
        frames = try VoiceFrames(
            shape, pitch: pitch, measuresAperiodicity: !pitchMap.isIdentity)
        current = VoiceFrame(shape)
        silent = VoiceFrame(shape)
        mel = MelCepstrum(shape)
        loudness = Loudness(shape)
        placement = Placement(shape, weights: weights)
        places = ChannelCurve(shape)
        let shape = shape
        do {
            synthesizer = try VoiceSynthesizer(shape)
            var filters: [DifferentialFilter] = []
            for _ in weights { filters.append(try DifferentialFilter(shape)) }
            self.filters = filters
        } catch { throw VoiceError.transform(size: error.size) }
        difference = AlignedBuffer(count: VectorMath.padded(shape.bins))
        rumble =
            Int(VoiceShape.lowestFrequency * Double(shape.transformSize) / Double(sampleRate)) + 1
        channels = weights.map { _ in FrameQueue(length: 1) }
        filtered = weights.map { _ in FrameQueue(length: 1) }
    }

    /// Takes the next samples, `[channel][sample]`.
    /// - Returns: The samples that are ready, `[channel][sample]`.
    /// - Throws: `ModelError`.
    public func push(_ samples: [[Float]]) throws -> [[Float]] {
        let mix = ChannelMix.mono(samples, weights: weights)
        append(mix, to: mono)
        for (queue, samples) in zip(channels, samples) { append(samples, to: queue) }
        try mix.withUnsafeBufferPointer { try frames.push($0, frame: current) { try take($0, $1) } }
        return output(until: nil)
    }

    /// - Returns: The samples that are left.
    /// - Throws: `ModelError`.
    public func finish() throws -> [[Float]] {
        try frames.finish(frame: current) { try take($0, $1) }
        hear(try content.finish())
        while !held.isEmpty { emit() }
        if !pitchMap.isIdentity { synthesizer.finish(length: mono.end, into: synthesized) }
        for (filter, queue) in zip(filters, filtered) {
            filter.finish(length: mono.end, into: queue)
        }
        return output(until: mono.end)
    }

    /// Converts the excerpt: what it lacks of the voice's long-term spectrum.
    private func equalizer(for voice: Voice, _ source: SourceVoice) throws -> Equalizer? {
        let meter = try LongTermSpectrumMeter(shape)
        for samples in [try push([source.excerpt.samples]), try finish()] {
            samples[0].withUnsafeBufferPointer { meter.add($0) }
        }
        let target = voice.manifest
        let fundamental = Double(pitchMap(Float(source.statistics.medianFrequency)))
        let distance = 12 * log2(fundamental / target.statistics.medianFrequency)
        return LongTermSpectrum(powers: meter.energies).map { found in
            Equalizer(
                from: found,
                to: target.spectrum, seconds: source.excerpt.pitch.voicedSeconds,
                share: map.accent, fundamental: abs(distance) < 1 ? nil : fundamental)
        }
    }

    private func append(_ samples: [Float], to queue: FrameQueue) {
        samples.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            queue.append($0.count).update(from: base, count: $0.count)
        }
    }

    /// Takes an analyzed frame in, and does what it makes possible.
    private func take(_ t: Int, _ frame: VoiceFrame) throws {
        let copy = spare.popLast() ?? VoiceFrame(shape)
        copy.copy(frame)
        if frame.isSilent { copy.frequency = 0 }
        held.append(copy)
        placement.measure(frame: t, mono: mono, channels: channels)
        if t % step == 0 {
            let cepstrum = mel.analyze(frame.envelope)
            unheard.append((cepstrum, copy.frequency > 0))
            hear(try content.push(cepstrum: cepstrum, isVoiced: copy.frequency > 0))
        }
        let known = step * (firstDifference + differences.count - Self.smoothing)
        while emitted < known, emitted + Placement.reach <= t { emit() }
    }

    /// Takes in what is said in the next frames.
    private func hear(_ contents: [Content]) {
        for (content, frame) in zip(contents, unheard) {
            differences.append(
                map.difference(of: frame.cepstrum, content, isVoiced: frame.isVoiced))
        }
        unheard.removeFirst(contents.count)
    }

    /// Makes the next frame's samples.
    private func emit() {
        let t = emitted
        let frame = held[t - firstHeld]
        let change = smoothedDifference(t)
        mel.envelope(of: change.cepstrum, into: difference.pointer)
        let limit = SIMD8<Float>(repeating: Self.largest)
        for block in 0..<VectorMath.padded(shape.bins) / 8 {
            difference.pointer.vectors[block] = difference.pointer.vectors[block]
                .atLeast(-limit).atMost(limit)
        }
        loudness.match(difference.pointer, of: frame.envelope)
        for bin in 0..<shape.bins { difference.pointer[bin] += equalizer[bin] }
        // What rumbles below all voices is not raised.
        for bin in 0..<rumble { difference.pointer[bin] = min(difference.pointer[bin], 0) }

        let isMade = frame.frequency > 0 && !pitchMap.isIdentity
        for (channel, filter) in filters.enumerated() {
            if isMade {
                filter.skip(into: filtered[channel])
            } else {
                filter.add(
                    difference: UnsafePointer(difference.pointer), of: channels[channel],
                    into: filtered[channel])
            }
            channels[channel].drop(before: shape.center(of: t))
        }
        if isMade {
            for bin in 0..<shape.bins { frame.envelope[bin] += difference.pointer[bin] }
            frame.frequency = pitchMap(frame.frequency)
            if let aperiodicity = change.aperiodicity {
                for band in frame.aperiodicity.indices {
                    frame.aperiodicity[band] +=
                        map.accent
                        * (aperiodicity[min(band, aperiodicity.count - 1)]
                            - frame.aperiodicity[band])
                }
            }
        }
        if !pitchMap.isIdentity {
            synthesizer.add(isMade ? frame : silent, into: synthesized)
            places.append(placement.gains(ofFrame: t))
        }
        mono.drop(before: shape.center(of: t))
        emitted += 1
        spare.append(held.removeFirst())
        firstHeld += 1
    }

    /// The mean of the differences around a frame under a triangle, so that they do not jump.
    private func smoothedDifference(_ t: Int) -> TimbreMap.Difference {
        var sum = TimbreMap.Difference(
            cepstrum: [Float](repeating: 0, count: MelCepstrum.order), aperiodicity: nil)
        var (total, bandTotal): (Float, Float) = (0, 0)
        var bands = [Float](repeating: 0, count: VoiceStatistics.bands)
        let place = Float(t) / Float(step)
        let last = firstDifference + differences.count - 1
        // After the last one there may be one more frame of ours.
        let nearest = min(t / step, last)
        for frame in max(nearest - Self.smoothing, 0)...min(nearest + Self.smoothing, last) {
            let weight = 1 - abs(Float(frame) - place) / Float(Self.smoothing)
            guard weight > 0 else { continue }
            let difference = differences[frame - firstDifference]
            for k in sum.cepstrum.indices {
                sum.cepstrum[k] += weight * difference.cepstrum[k]
            }
            total += weight
            if let aperiodicity = difference.aperiodicity {
                for band in bands.indices { bands[band] += weight * aperiodicity[band] }
                bandTotal += weight
            }
        }
        for k in sum.cepstrum.indices { sum.cepstrum[k] /= total }
        if bandTotal > 0 { sum.aperiodicity = bands.map { $0 / bandTotal } }
        let done = max(0, nearest - Self.smoothing - firstDifference)
        differences.removeFirst(done)
        firstDifference += done
        return sum
    }

    /// Filtered and made samples together, as far as both are there.
    private func output(until length: Int?) -> [[Float]] {
        let start = filtered[0].start
        var end = length ?? filtered.map(\.end).min()!
        if length == nil, !pitchMap.isIdentity { end = min(end, synthesized.end) }
        guard end > start else { return weights.map { _ in [] } }
        var result = filtered.map { queue in
            [Float](UnsafeBufferPointer(start: queue[start], count: end - start))
        }
        if !pitchMap.isIdentity {
            places.add(synthesized, from: start, to: end, into: &result)
            synthesized.drop(before: end)
        }
        for queue in filtered { queue.drop(before: end) }
        return result
    }
}
