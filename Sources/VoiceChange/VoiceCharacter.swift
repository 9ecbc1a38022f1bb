import Foundation

/// How a voice is made another one while its pack is built, so that it is nobody's.
public struct VoiceCharacter: Sendable, Equatable {
    /// Factor of formants: over 1 a shorter vocal tract.
    public var tract: Double
    /// Semitones that the pitch is moved by.
    public var pitch: Double
    /// Decibels by which 8 kHz rises against 0 Hz, along the mel scale.
    public var brightness: Double
    /// Decibels of noise added to the voice (below 0: taken).
    public var breath: Double

    public init(
        tract: Double = 1, pitch: Double = 0, brightness: Double = 0, breath: Double = 0
    ) {
        self.tract = tract
        self.pitch = pitch
        self.brightness = brightness
        self.breath = breath
    }

    /// The long-term spectrum of the voice that one with this spectrum becomes.
    /// - Parameter fundamental: Hertz, the new median.
    func spectrum(_ spectrum: LongTermSpectrum, fundamental: Double) -> LongTermSpectrum {
        let moved = spectrum.moved(
            pitch: exp2(pitch / 12), formants: tract, fundamental: fundamental)
        return LongTermSpectrum(
            levels: zip(moved.levels, LongTermSpectrum.centers).map { level, center in
                level + Float(brightness * (MelCepstrum.position(ofHertz: center) - 0.5))
            })
    }

    /// The map of cepstra, and what is added to them.
    func cepstra() -> (warp: [[Float]]?, offset: [Float]) {
        var offset = [Float](repeating: 0, count: MelCepstrum.order)
        // A straight line over the scale, as cosines.
        for point in 0..<MelCepstrum.points {
            let position = MelCepstrum.position(ofPoint: point)
            let value = brightness * log(10) / 10 * (position - 0.5)
            for k in 1..<MelCepstrum.order {
                offset[k] += Float(
                    2 / Double(MelCepstrum.points) * value * cos(Double.pi * Double(k) * position))
            }
        }
        return (tract == 1 ? nil : MelCepstrum.warp(by: tract), offset)
    }
}
