/// Where a separated voice sounds. Elsewhere a recording stays as it is, sample for sample: what a network leaves in a
/// voice between its phrases is not the voice.
struct VoiceGate: Sendable {
    /// Seconds.
    private static let step = 0.05
    /// Of the loudest step's energy (−33 dB): what is weaker does not sound.
    private static let depth: Float = 5e-4
    /// Of the recording's energy (−15 dB): a step with less of a voice has one only if a step with more is near.
    private static let share: Float = 0.03
    /// Steps that are near.
    private static let phrase = 10
    /// Steps that are open before and after the voice sounds.
    private static let before = 2
    private static let after = 4

    private let length: Int
    /// Of each step that is complete, and of the one at hand, the energy.
    private var energies: [Float] = []
    private var filled = 0
    private var energy: Float = 0
    private var whole: Float = 0
    /// Of each step that is complete, whether the voice is a good part of the recording.
    private var isClear: [Bool] = []
    /// Whether each step is open; known at the end.
    private var open: [Bool] = []

    init(sampleRate: Int) { length = Int(Double(sampleRate) * Self.step) }

    /// Takes in the next samples of the voice, `[channel][sample]`, and of the recording that it is in.
    mutating func add(_ voice: [[Float]], of source: [[Float]]) {
        for index in voice[0].indices {
            for channel in voice { energy += channel[index] * channel[index] }
            for channel in source { whole += channel[index] * channel[index] }
            filled += 1
            if filled == length { close() }
        }
    }

    /// Ends the voice.
    mutating func finish() {
        if filled > 0 { close() }
        let threshold = (energies.max() ?? 0) * Self.depth
        open = Array(repeating: false, count: energies.count)
        for (step, energy) in energies.enumerated()
        where energy > threshold && isClear(near: step) {
            for near in max(0, step - Self.before)...min(open.count - 1, step + Self.after) {
                open[near] = true
            }
        }
        energies = []
        isClear = []
    }

    private func isClear(near step: Int) -> Bool {
        isClear[max(0, step - Self.phrase)...min(isClear.count - 1, step + Self.phrase)]
            .contains(true)
    }

    /// How much of the new voice is heard at a sample: 0…1, straight over one step where it changes.
    subscript(sample: Int) -> Float {
        let step = sample / length
        let (from, to) = (edge(step), edge(step + 1))
        return from + (to - from) * Float(sample % length) / Float(length)
    }

    /// At the border between two steps.
    private func edge(_ step: Int) -> Float {
        isOpen(step - 1) && isOpen(step) ? 1 : 0
    }

    /// What lies beyond the ends is as what is at them.
    private func isOpen(_ step: Int) -> Bool {
        open.isEmpty ? false : open[min(max(step, 0), open.count - 1)]
    }

    private mutating func close() {
        energies.append(energy)
        isClear.append(energy > Self.share * whole)
        energy = 0
        whole = 0
        filled = 0
    }
}
