import DSP
import Foundation

/// Makes a voice of frames: pulses and noise, each through a filter of minimum phase.
///
/// WORLD: M. Morise, F. Yokomori and K. Ozawa, *WORLD: a vocoder-based high-quality speech synthesis system for real-time
/// applications*, IEICE Transactions on Information and Systems E99-D (7), 2016, section 2.4. Unlike there, noise is
/// filtered frame by frame and not period by period, and what lies between frames is the geometric mean of their
/// envelopes, whose minimum phase costs nothing.
///
/// The noise is a function of the sample's index; the same frames always give the same samples.
public final class VoiceSynthesizer {
    /// How much quieter pulses are at 0 Hz than their envelope, as natural logarithm of the amplitude: 40 dB.
    private static let depth: Float = 4.6

    private let shape: VoiceShape
    private let minimumPhase: MinimumPhase
    private let filter: TimeVaryingFilter
    private let pulse: PulseShape
    private var excitation: Excitation
    private let noise: AlignedBuffer
    private let sum = OverlapSum()
    private var earlier: Voicing
    private var current: Voicing
    private var frame = 0

    /// A frame as filters.
    private final class Voicing {
        var frequency: Float = 0
        let periodic: MinimumPhaseResponse
        let noise: MinimumPhaseResponse
        init(_ shape: VoiceShape) {
            periodic = MinimumPhaseResponse(bins: shape.bins)
            noise = MinimumPhaseResponse(bins: shape.bins)
        }
    }

    /// - Throws: ``TransformError`` where libavutil has no transform of a size that the rate needs.
    public init(_ shape: VoiceShape) throws(TransformError) {
        self.shape = shape
        minimumPhase = try MinimumPhase(size: shape.transformSize)
        filter = try TimeVaryingFilter(shape)
        pulse = try PulseShape(size: shape.transformSize)
        excitation = Excitation(sampleRate: shape.sampleRate)
        noise = AlignedBuffer(count: filter.longest)
        earlier = Voicing(shape)
        current = Voicing(shape)
    }

    /// Adds the next frame and appends to `output` the samples that no later frame touches.
    public func add(_ voice: VoiceFrame, into output: FrameQueue) {
        precondition(voice.shape == shape, "the frame is of another shape")
        swap(&earlier, &current)
        let center = shape.center(of: frame)
        let range = filter.samples(of: frame)
        sum.reserve(until: center + shape.transformSize)

        let silent = voice.isSilent
        current.frequency = silent ? 0 : min(voice.frequency, shape.highestFrequency)
        if !silent {
            setResponses(of: voice)
            Noise.fill(noise.pointer, from: range.lowerBound, count: range.count)
            filter.add(frame: frame, of: noise.pointer, response: current.noise, into: sum)
        }
        if frame > 0 { addPulses(in: range.lowerBound..<center) }
        frame += 1
        sum.emit(until: center - pulse.lead, into: output)
    }

    /// Appends what is left, so that `output` has received `length` samples in all.
    public func finish(length: Int, into output: FrameQueue) {
        sum.emit(until: length, into: output)
    }

    private func addPulses(in range: Range<Int>) {
        excitation.pulses(in: range, from: earlier.frequency, to: current.frequency) { place in
            // At the borders of a voice its voiced frame fades.
            let both = earlier.frequency > 0 && current.frequency > 0
            let from = earlier.frequency > 0 ? earlier : current
            let to = current.frequency > 0 ? current : earlier
            let share = both ? 1 : earlier.frequency > 0 ? 1 - place.position : place.position
            let gain = (place.period * share).squareRoot()
            pulse.add(
                place, from: from.periodic, to: to.periodic, gain: gain, into: sum)
        }
    }

    /// The frame's envelope is divided into that of pulses and that of noise.
    private func setResponses(of voice: VoiceFrame) {
        let (periodic, noise) = (
            current.periodic.amplitude.pointer, current.noise.amplitude.pointer
        )
        guard current.frequency > 0 else {
            for bin in 0..<shape.bins { noise[bin] = 0.5 * voice.envelope[bin] }
            minimumPhase.complete(current.noise)
            return
        }
        setNoiseShare(voice.aperiodicity, into: noise)
        for block in 0..<VectorMath.padded(shape.bins) / 8 {
            let share = noise.vectors[block].atMost(SIMD8(repeating: -1e-4))
            let envelope = voice.envelope.vectors[block]
            periodic.vectors[block] = 0.5 * (envelope + VectorMath.log(1 - VectorMath.exp(share)))
            noise.vectors[block] = 0.5 * (envelope + share)
        }
        quietBelow(current.frequency, in: periodic)
        minimumPhase.complete(current.periodic)
        minimumPhase.complete(current.noise)
    }

    /// Below its first harmonic a voice has nothing, but envelopes go on. What pulses would sound there follows their
    /// loudness, a rumble of up to 20 Hz.
    private func quietBelow(_ frequency: Float, in amplitude: UnsafeMutablePointer<Float>) {
        let spacing = Float(shape.sampleRate) / Float(shape.transformSize)
        for bin in 0...Int(frequency / spacing) {
            amplitude[bin] -= Self.depth * (1 - Float(bin) * spacing / frequency)
        }
    }

    /// The noise's share of the power as natural logarithm: linear in decibels from −60 dB at 0 Hz through the bands
    /// to 0 dB at half the sample rate (Morise 2016, section 3.3).
    private func setNoiseShare(_ bands: [Float], into share: UnsafeMutablePointer<Float>) {
        let scale = Float(log(10.0) / 10)
        let spacing = Double(shape.sampleRate) / Double(shape.transformSize)
        var (low, lowValue): (Double, Float) = (0, -60)
        for band in 0...bands.count {
            let isLast = band == bands.count
            let high =
                isLast
                ? Double(shape.sampleRate) / 2 : VoiceShape.bandSpacing * Double(band + 1)
            let highValue = isLast ? 0 : bands[band]
            let slope = (highValue - lowValue) / Float(high - low)
            let first = Int((low / spacing).rounded(.up))
            for bin in first...max(first, Int(high / spacing)) {
                share[bin] = scale * (lowValue + slope * Float(Double(bin) * spacing - low))
            }
            (low, lowValue) = (high, highValue)
        }
    }
}
