import DSP
import Separation

/// Puts a converted voice in the place of the voice that was: the source, and where the voice sounds the difference of both.
/// Where it does not, the source is not changed in any bit.
struct VoiceMixer {
    private let gate: VoiceGate
    private let gain: Float
    private let source: [FrameQueue]
    private let voice: [FrameQueue]

    /// - Parameter gain: What the sum is scaled by.
    init(gate: VoiceGate, gain: Float, channels: Int) {
        self.gate = gate
        self.gain = gain
        source = FrameQueue.samples(channels)
        voice = FrameQueue.samples(channels)
    }

    /// Takes in the next samples, `[channel][sample]`, of the recording and of the voice in it.
    func add(source: [[Float]], voice: [[Float]]) {
        self.source.append(source)
        self.voice.append(voice)
    }

    /// Takes in the next samples of the converted voice, no more than there are of the source.
    /// - Returns: As many samples of the mix.
    func mix(_ converted: [[Float]]) -> [[Float]] {
        let range = source[0].start..<source[0].start + converted[0].count
        let shares = range.map { gate[$0] }
        let voice = voice.take(until: range.upperBound)
        var mixed = source.take(until: range.upperBound)
        for channel in mixed.indices {
            for index in shares.indices {
                let change = converted[channel][index] - voice[channel][index]
                mixed[channel][index] += shares[index] * change
                mixed[channel][index] *= gain
            }
        }
        return mixed
    }
}
