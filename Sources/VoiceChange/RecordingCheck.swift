import Foundation

/// Whether a recording can be part of a voice pack, decided from its samples and the level of its frames.
struct RecordingCheck {
    /// Samples from here on are at full scale.
    private static let ceiling: Float = 0.985
    /// Neighbors at full scale that make a flat top.
    private static let run = 4
    /// Flat tops a second of sound that make a recording clipped: single ones happen in good recordings.
    private static let flatTopsPerSecond = 1.0
    /// Below this peak (−60 dBFS) a recording is silent.
    private static let silence: Float = 0.001
    /// Voiced frames must have this share of the energy.
    private static let voicedShare = 0.6
    /// Seconds between voiced frames that count as part of what is said.
    private static let pause = 0.3

    private let secondsPerFrame: Double
    private var peak: Float = 0
    private var atCeiling = 0
    private var flatTops = 0
    private var voicedEnergy = 0.0
    private var energy = 0.0
    private var frames = 0
    private var lastVoiced: Int?
    /// Seconds of voice, short pauses included.
    private(set) var seconds = 0.0

    init(secondsPerFrame: Double) { self.secondsPerFrame = secondsPerFrame }

    mutating func add(_ samples: UnsafeBufferPointer<Float>) {
        for sample in samples {
            let level = abs(sample)
            peak = max(peak, level)
            atCeiling = level >= Self.ceiling ? atCeiling + 1 : 0
            if atCeiling == Self.run { flatTops += 1 }
        }
    }

    /// - Parameter level: The natural logarithm of the frame's power.
    mutating func add(level: Float, voiced: Bool) {
        let power = exp(Double(level))
        energy += power
        if voiced {
            voicedEnergy += power
            let gap = lastVoiced.map { Double(frames - $0) * secondsPerFrame } ?? secondsPerFrame
            seconds += gap <= Self.pause ? gap : secondsPerFrame
            lastVoiced = frames
        }
        frames += 1
    }

    /// - Throws: ``VoiceError``: silent, clipped, not a voice.
    func judge(recording: String) throws(VoiceError) {
        if peak < Self.silence { throw .silent(recording: recording) }
        let length = Double(frames) * secondsPerFrame
        if Double(flatTops) > max(Self.flatTopsPerSecond * length, 3) {
            throw .clipped(recording: recording)
        }
        if voicedEnergy < Self.voicedShare * energy { throw .notAVoice(recording: recording) }
    }
}
