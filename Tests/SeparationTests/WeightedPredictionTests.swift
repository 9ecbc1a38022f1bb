import DSP
import Separation
import TestSupport
import Testing

/// What linear prediction takes out of spectra.
@Suite struct WeightedPredictionTests {
    private static let shape = ShortTimeShape(size: 4096, hop: 1024)
    /// Frames of four seconds, and the frames after which echoes are looked for.
    private static let (chunk, onset) = (172, 3)

    /// Noise by channel, frame and value, each channel with an echo of its own and of the channel before it.
    private func echoes(channels: Int, frames: Int, gain: Float) -> (
        dry: [[[Float]]], wet: [[[Float]]]
    ) {
        var generator = SystemRandomNumberGenerator()
        let length = Self.shape.frameLength
        let dry = (0..<channels).map { _ in
            (0..<frames).map { _ in
                (0..<length).map { _ in Float.random(in: -1...1, using: &generator) }
            }
        }
        var wet = dry
        for t in 0..<frames {
            for channel in 0..<channels where t >= Self.onset {
                for bin in 0..<length / 2 {
                    let (re, im) = (2 * bin, 2 * bin + 1)
                    let own = wet[channel][t - Self.onset]
                    let other = wet[(channel + 1) % min(channels, 2)][t - Self.onset]
                    // Its own turned by a quarter, the other's by half a turn.
                    wet[channel][t][re] -= gain * own[im]
                    wet[channel][t][im] += gain * own[re]
                    guard channels == 2 else { continue }
                    wet[channel][t][re] -= gain * other[re]
                    wet[channel][t][im] -= gain * other[im]
                }
            }
        }
        return (dry, wet)
    }

    /// Hands frames over, so many at once.
    private func predicted(_ frames: [[[Float]]], atOnce: Int) -> [[[Float]]] {
        let prediction = WeightedPrediction(
            Self.shape, sampleRate: 44_100, channels: frames.count)
        let rings = frames.map { _ in FrameRing(length: Self.shape.frameLength) }
        var results: [[[Float]]] = frames.map { _ in [] }
        let count = frames[0].count
        func take(isLast: Bool) {
            while prediction.advance(rings, isLast: isLast) {
                for (channel, ring) in prediction.results.enumerated() {
                    for frame in results[channel].count..<ring.end {
                        results[channel].append(
                            Array(UnsafeBufferPointer(start: ring[frame], count: ring.length)))
                    }
                    ring.drop(before: ring.end)
                    // As a stream does.
                    rings[channel].drop(before: ring.end - prediction.reach)
                }
            }
        }
        for start in stride(from: 0, to: count, by: atOnce) {
            for (ring, channel) in zip(rings, frames) {
                for frame in channel[start..<min(start + atOnce, count)] {
                    ring.append().update(from: frame, count: frame.count)
                }
            }
            take(isLast: false)
        }
        take(isLast: true)
        #expect(prediction.isComplete)
        return results
    }

    /// How much weaker the difference is than what it should be, in the bins below 11 kHz, decibels.
    private func distance(_ found: [[[Float]]], _ truth: [[[Float]]]) -> Double {
        difference(
            zip(found, truth).flatMap { $0.0.map { Array($0.prefix(2000)) } },
            truth.flatMap { $0.map { Array($0.prefix(2000)) } })
    }

    @Test(arguments: [1, 2, 3]) func anEchoIsTakenAway(channels: Int) {
        let (dry, wet) = echoes(
            channels: channels, frames: 3 * Self.chunk, gain: channels == 2 ? 0.6 : 0.8)
        let before = distance(wet, dry)
        let after = distance(predicted(wet, atOnce: 50), dry)
        print("\(channels) channels: \(before) dB before, \(after) after")
        // Chance foretells some of noise, and weights from the echoing power itself find less than all of it.
        #expect(after < before - 3)
    }

    /// However many chunks come at once, each is predicted by the same ones.
    @Test func whatComesAtOnceChangesNothing() {
        let (_, wet) = echoes(channels: 1, frames: 4 * Self.chunk + 40, gain: 0.5)
        let results = [1, 50, 1000].map { predicted(wet, atOnce: $0) }
        let isSame = results[1] == results[0] && results[2] == results[0]
        #expect(isSame)
    }

    @Test(arguments: [0, 1, 20, 171, 172, 173, 344, 345]) func everyFrameComesOut(frames: Int) {
        let (_, wet) = echoes(channels: 2, frames: frames, gain: 0.3)
        let found = predicted(wet, atOnce: 64)
        #expect(found.map(\.count) == [frames, frames])
        let isFinite = found.joined().joined().allSatisfy(\.isFinite)
        #expect(isFinite)
    }

    /// Three chunks of silence before a sound.
    @Test func silenceStaysSilence() {
        var (_, wet) = echoes(channels: 1, frames: 4 * Self.chunk, gain: 0.3)
        for frame in 0..<3 * Self.chunk { wet[0][frame] = wet[0][frame].map { _ in 0 } }
        let found = predicted(wet, atOnce: 64)
        let isSilent = found[0].prefix(3 * Self.chunk).allSatisfy { $0.allSatisfy { $0 == 0 } }
        #expect(isSilent)
        let isFinite = found[0].joined().allSatisfy(\.isFinite)
        #expect(isFinite)
    }
}
