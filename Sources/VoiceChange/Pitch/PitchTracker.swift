import DSP
import Foundation
import Inference

/// Finds the pitch of a voice, in a stream: the network's opinion of blocks that overlap by what a frame depends on, smoothed over
/// time (``PitchSmoother``) and brought to the frames of a ``VoiceShape``.
///
/// A frame depends on the samples within 0.4 s around it alone, so the result does not depend on how they came in.
public final class PitchTracker {
    private let run: PitchNetwork.Run
    private let manifest: PitchManifest
    private let sampleRate: Int
    private let hop: Double
    private let resampler: Resampler
    /// At the network's rate; sample 0 of the recording is at `lookBack · hop`.
    private let samples = FrameQueue(length: 1)
    private var smoother = PitchSmoother()
    /// The first frame of the network that the next block is to tell.
    private var next = 0
    /// Smoothed frames of the network from `firstKept` on.
    private var kept: [Float] = []
    private var firstKept = 0
    private var received = 0
    private var given = 0

    /// - Parameters:
    ///   - sampleRate: Of the samples, in hertz.
    ///   - hop: Seconds between frames of the result.
    public init(_ network: PitchNetwork, sampleRate: Int, hop: Double = 0.005) throws {
        run = try PitchNetwork.Run(network)
        manifest = network.manifest
        self.sampleRate = sampleRate
        self.hop = hop
        resampler = try Resampler(from: sampleRate, to: manifest.sampleRate)
        samples.append(manifest.lookBack * manifest.hop)
    }

    /// Takes samples of one channel in.
    /// - Returns: The frequencies of the frames that are certain by now, in hertz, in order; 0 = no voice with a pitch.
    public func push(_ input: UnsafeBufferPointer<Float>) throws(ModelError) -> [Float] {
        received += input.count
        resampler.process(input, into: samples)
        while samples.end >= (next + manifest.blockFrames) * manifest.hop { try advance() }
        return take(until: nil)
    }

    /// - Returns: The rest, so that there are as many frames in all as ``VoiceShape/frames(samples:)`` says.
    public func finish() throws(ModelError) -> [Float] {
        resampler.finish(into: samples)
        let total =
            received == 0
            ? 0 : Int((Double(received) / (hop * Double(sampleRate))).rounded(.up)) + 1
        let ratio = hop * Double(manifest.sampleRate) / Double(manifest.hop)
        let needed = Int((Double(max(total - 1, 0)) * ratio).rounded(.up)) + 2
        let end = max(needed + PitchSmoother.reach, 1)
        while next < end {
            let missing = (next + manifest.blockFrames) * manifest.hop - samples.end
            if missing > 0 { samples.append(missing) }
            try advance()
        }
        return take(until: total)
    }

    /// Runs the network on the next block, whose middle it takes.
    private func advance() throws(ModelError) {
        run.audio.update(
            from: samples[next * manifest.hop], count: manifest.blockFrames * manifest.hop)
        try run.advance()
        let told = manifest.blockFrames - manifest.lookBack - manifest.lookAhead
        for frame in manifest.lookBack..<manifest.lookBack + told {
            smoother.add(frequency: run.pitch[frame], confidence: run.confidence[frame], to: &kept)
        }
        next += told
        samples.drop(before: next * manifest.hop)
    }

    /// The frames of the result whose neighbors among the network's are known; with `total` all.
    private func take(until total: Int?) -> [Float] {
        let ratio = hop * Double(manifest.sampleRate) / Double(manifest.hop)
        var frames: [Float] = []
        while true {
            if let total, given >= total { break }
            let place = Double(given) * ratio
            let before = Int(place)
            guard before + 1 < firstKept + kept.count else { break }
            frames.append(
                Self.between(
                    kept[before - firstKept], kept[before + 1 - firstKept],
                    Float(place - Double(before))))
            given += 1
        }
        let unused = max(0, min(Int(Double(given) * ratio) - firstKept, kept.count))
        kept.removeFirst(unused)
        firstKept += unused
        return frames
    }

    /// A straight line in pitch; where only one side is voiced, the nearer decides.
    private static func between(_ a: Float, _ b: Float, _ share: Float) -> Float {
        if a > 0, b > 0 { return a == b ? a : a * pow(b / a, share) }
        return share < 0.5 ? a : b
    }
}
