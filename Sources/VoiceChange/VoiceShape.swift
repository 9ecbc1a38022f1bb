import DSP
import Foundation

/// The sizes that analysis and synthesis of voices at one sample rate share.
public struct VoiceShape: Hashable, Sendable {
    /// Hertz.
    public let sampleRate: Int
    /// Seconds between frames.
    public let hop: Double
    /// Samples of the transform whose spectrum an envelope is: three periods of the lowest voice fit in
    /// (Morise 2015, section 3.1; 2048 at 44.1 and 48 kHz).
    public let transformSize: Int

    /// The lowest frequency, in hertz, whose periods the transform must hold.
    static let lowestFrequency = 71.0
    /// Hertz between the centers of the bands of aperiodicity (Morise 2016, section 3.3).
    static let bandSpacing = 3000.0

    public init(sampleRate: Int, hop: Double = 0.005) {
        precondition(sampleRate >= 8000 && hop > 0, "no voice can be analyzed at this rate")
        self.sampleRate = sampleRate
        self.hop = hop
        transformSize = Self.powerOfTwo(
            above: 3 * Double(sampleRate) / Self.lowestFrequency + 1)
    }

    /// Values of an envelope, from 0 Hz to half the sample rate.
    public var bins: Int { transformSize / 2 + 1 }

    /// Bands of aperiodicity: at 3000 Hz and its multiples, up to 15 kHz and to 3 kHz below half the rate.
    public var bands: Int {
        max(0, Int(min(15_000, Double(sampleRate) / 2 - Self.bandSpacing) / Self.bandSpacing))
    }

    /// The sample at which a frame is centered.
    public func center(of frame: Int) -> Int {
        Int((Double(frame) * hop * Double(sampleRate)).rounded())
    }

    /// Frames that a signal of `samples` has: the last is centered at its end or after it.
    public func frames(samples: Int) -> Int {
        samples == 0 ? 0 : Int((Double(samples) / (hop * Double(sampleRate))).rounded(.up)) + 1
    }

    /// Hertz; a higher pitch is taken for this one.
    var highestFrequency: Float { Float(sampleRate) / 4 }

    static func powerOfTwo(above value: Double) -> Int { 1 << (1 + Int(log2(value))) }
}

/// What one frame of a voice is made of. Memory to be used again for the next.
public final class VoiceFrame {
    public let shape: VoiceShape
    /// Hertz; 0 = unvoiced.
    public var frequency: Float = 0
    /// Natural logarithm of the power spectrum's envelope, `bins` values. White noise of variance 1 has 0.
    public var envelope: UnsafeMutablePointer<Float> { memory.pointer }
    /// The power of what is not periodic in decibels below all power (0 = noise), one value for each band.
    public var aperiodicity: [Float]

    private let memory: AlignedBuffer

    /// A silent, unvoiced frame.
    public init(_ shape: VoiceShape) {
        self.shape = shape
        memory = AlignedBuffer(count: VectorMath.padded(shape.bins))
        memory.pointer.update(repeating: Self.silence, count: memory.count)
        aperiodicity = [Float](repeating: 0, count: shape.bands)
    }

    /// The envelope of nothing: −160 dB.
    static let silence: Float = -36.841

    /// Whether there is nothing to hear in the frame.
    var isSilent: Bool {
        for bin in 0..<shape.bins where envelope[bin] > Self.silence + 0.01 { return false }
        return true
    }

    /// The natural logarithm of the frame's mean power.
    var level: Float {
        var sum: Float = 0
        for bin in 0..<shape.bins { sum += Foundation.exp(envelope[bin]) }
        return Foundation.log(sum / Float(shape.bins))
    }

    /// Takes over what another frame of the same shape holds.
    func copy(_ other: VoiceFrame) {
        frequency = other.frequency
        aperiodicity = other.aperiodicity
        envelope.update(from: other.envelope, count: memory.count)
    }
}
