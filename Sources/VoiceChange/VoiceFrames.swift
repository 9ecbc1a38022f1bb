import DSP
import Foundation

/// Analyzes a stream of samples frame by frame, as soon as each frame's surroundings are there.
final class VoiceFrames {
    let shape: VoiceShape
    private let analyzer: VoiceAnalyzer
    private let pitch: PitchTrack
    private let signal = FrameQueue(length: 1)
    /// Only every so many frames are analyzed.
    private let step: Int
    private var next = 0

    /// - Parameters:
    ///   - step: 1 analyzes every frame, 4 every fourth one.
    ///   - measuresAperiodicity: See ``VoiceAnalyzer``.
    init(
        _ shape: VoiceShape, pitch: PitchTrack, step: Int = 1, measuresAperiodicity: Bool = true
    ) throws(VoiceError) {
        self.shape = shape
        self.pitch = pitch
        self.step = step
        do {
            analyzer = try VoiceAnalyzer(shape, measuresAperiodicity: measuresAperiodicity)
        } catch { throw .transform(size: error.size) }
    }

    /// Takes samples in; `body` gets each frame that they complete, as memory that it may keep only by copying.
    func push(
        _ samples: UnsafeBufferPointer<Float>, frame: VoiceFrame,
        body: (Int, VoiceFrame) throws -> Void
    ) rethrows {
        if let base = samples.baseAddress {
            signal.append(samples.count).update(from: base, count: samples.count)
        }
        while shape.center(of: next) + analyzer.reach < signal.end {
            try analyze(into: frame, body)
        }
    }

    /// Analyzes what is left after the last sample.
    func finish(frame: VoiceFrame, body: (Int, VoiceFrame) throws -> Void) rethrows {
        while next < shape.frames(samples: signal.end) { try analyze(into: frame, body) }
    }

    private func analyze(
        into frame: VoiceFrame, _ body: (Int, VoiceFrame) throws -> Void
    ) rethrows {
        let frequency = pitch.frequency(at: Double(next) * shape.hop)
        analyzer.analyze(frame: next, frequency: frequency, of: signal, into: frame)
        let done = next
        next += step
        signal.drop(before: shape.center(of: next) - analyzer.reach)
        try body(done, frame)
    }
}

extension PitchTrack {
    /// The frequency at a time in seconds: between two voiced frames, their geometric mean by distance, else that of the
    /// nearest frame.
    func frequency(at time: Double) -> Float {
        let position = time / hop
        let first = Int(position + 1e-6)
        guard first >= 0, first < frequencies.count else { return 0 }
        let share = Float(max(position - Double(first), 0))
        let low = frequencies[first]
        guard share > 1e-3, first + 1 < frequencies.count else { return low }
        let high = frequencies[first + 1]
        guard low > 0, high > 0 else { return share < 0.5 ? low : high }
        return low * pow(high / low, share)
    }
}
