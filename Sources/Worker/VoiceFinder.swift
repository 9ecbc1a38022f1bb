import DSP
import Foundation
import Separation

/// Finds out whether there is a voice in a recording, and which of the opinions of it to take.
///
/// Looks at windows of half a second. A voice is where the vocals are not weaker than the recording by more than 12 dB
/// and the network of speech, which knows no instruments, hears one too, at most 20 dB weaker. In speech both then find
/// the same, and their mean is better than either (`docs/voice-change.md` has the figures); of singing, the network of
/// speech loses a part. Where next to nothing is left besides the voice, all of the recording is the voice: what networks
/// leave of a low voice, most of it its lowest harmonics, would be heard below the new one.
struct VoiceFinder {
    /// What to take for the voice.
    enum Choice: CaseIterable, Sendable {
        /// Vocals: there is music.
        case vocals
        /// The mean of both opinions.
        case mean
        /// All of it: there is nothing else.
        case recording

        /// The voice in a block of ``SplitKind/voice``, `[channel][sample]`.
        func voice(of block: SeparatedBlock) -> [[Float]] {
            switch self {
            case .vocals: block.stems[0]
            case .mean: block.meanStem
            case .recording: block.source
            }
        }
    }

    /// Decibels; see above.
    private static let weakestVocals = -12.0
    private static let weakestSpeech = -20.0
    /// Windows without sound, this far below the mean of the recording, say nothing.
    private static let silence = -40.0
    /// By how much speech is weaker than vocals at most where both are the same voice.
    private static let speechLoss = -1.5
    /// Windows with a voice that a recording must have; a shorter one in all of its windows.
    private static let needed = 2

    /// Where all of the recording is taken: what may be left besides the voice above ``lowest`` in decibels, of the
    /// recording, and how loud pauses may be, of what is not one.
    private static let mostBesides = -27.0
    private static let loudestPause = -25.0
    /// Hertz. Above it, voices are separated well.
    private static let lowest = 200.0

    private let windowLength: Int
    /// For each channel: of the recording, and of what is left besides the voice.
    private var filters: [(source: HighPass, besides: HighPass)] = []
    private let filter: HighPass
    private var window = Energies()
    private var filled = 0
    /// All windows that were filled: 40 bytes for each half second.
    private var windows: [Energies] = []

    private struct Energies {
        var source = 0.0
        var vocals = 0.0
        var speech = 0.0
        /// Above ``VoiceFinder/lowest``: of the recording, and of what the mean of both opinions leaves.
        var (upper, besides) = (0.0, 0.0)
    }

    init(sampleRate: Int) {
        windowLength = sampleRate / 2
        filter = HighPass(cutoff: Self.lowest, sampleRate: sampleRate)
    }

    /// Takes in the next samples of ``SplitKind/voice``.
    mutating func add(_ block: SeparatedBlock) {
        let count = block.source[0].count
        let voice = block.meanStem
        if filters.isEmpty { filters = block.source.map { _ in (filter, filter) } }
        var start = 0
        while start < count {
            let end = min(count, start + windowLength - filled)
            window.source += Self.energy(block.source, start..<end)
            window.vocals += Self.energy(block.stems[0], start..<end)
            window.speech += Self.energy(block.stems[1], start..<end)
            filled += end - start
            for channel in voice.indices {
                for index in start..<end {
                    let sample = block.source[channel][index]
                    let upper = filters[channel].source(sample)
                    let besides = filters[channel].besides(sample - voice[channel][index])
                    window.upper += Double(upper * upper)
                    window.besides += Double(besides * besides)
                }
            }
            start = end
            if filled == windowLength {
                windows.append(window)
                window = Energies()
                filled = 0
            }
        }
    }

    /// What to take for the voice; `nil` where there is none.
    func finish() -> Choice? {
        let length = Double(windows.count) + Double(filled) / Double(windowLength)
        guard length > 0 else { return nil }
        let mean = windows.reduce(window.source) { $0 + $1.source } / length
        var loud = windows.filter { $0.source > mean * pow(10, Self.silence / 10) }
        if loud.isEmpty { loud = [window] }
        let voices = loud.filter(Self.isVoice)
        guard !voices.isEmpty, voices.count >= min(Self.needed, loud.count) else { return nil }
        if isAlone(voices) { return .recording }
        let (vocals, speech) = voices.reduce((0, 0)) { ($0.0 + $1.vocals, $0.1 + $1.speech) }
        return Self.decibels(speech, over: vocals) > Self.speechLoss ? .mean : .vocals
    }

    private static func isVoice(_ window: Energies) -> Bool {
        decibels(window.vocals, over: window.source) > weakestVocals
            && decibels(window.speech, over: window.source) > weakestSpeech
    }

    /// Whether there is nothing besides the voice in these windows, and next to nothing where it pauses.
    private func isAlone(_ voices: [Energies]) -> Bool {
        let all = voices.reduce(into: Energies()) {
            $0.source += $1.source
            $0.upper += $1.upper
            $0.besides += $1.besides
        }
        let loudest = all.source / Double(voices.count) * pow(10, Self.loudestPause / 10)
        return Self.decibels(all.besides, over: all.upper) < Self.mostBesides
            && windows.allSatisfy { $0.source < loudest || Self.isVoice($0) }
    }

    private static func energy(_ samples: [[Float]], _ range: Range<Int>) -> Double {
        samples.reduce(0) { sum, channel in
            channel[range].reduce(sum) { $0 + Double($1 * $1) }
        }
    }

    private static func decibels(_ a: Double, over b: Double) -> Double {
        a > 0 && b > 0 ? 10 * log10(a / b) : -.infinity
    }
}
