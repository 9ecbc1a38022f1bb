import DSP

/// Takes late reverberation out of spectra by weighted prediction error (T. Nakatani, T. Yoshioka, K. Kinoshita, M. Miyoshi,
/// B.-H. Juang: “Speech dereverberation based on variance-normalized delayed linear prediction”, IEEE Transactions on Audio,
/// Speech, and Language Processing 18 (7), 2010): what of a frame follows from frames 70 ms and longer ago is an echo of
/// them; speech itself does not foretell so much. One step of the iteration is made, from the recording's own power.
///
/// Weights are found anew every four seconds, from twelve, of which loud seconds count more. Above 11 kHz nothing is taken
/// away. Two channels foretell each other, which tells far more than one alone; of more, each is by itself.
package final class WeightedPrediction {
    /// Where echoes begin, and how long they are, in seconds; the treble's die away sooner.
    private static let onset = 0.07
    private static let lengths = [
        (below: 2_500.0, seconds: 0.7), (below: 5_000.0, seconds: 0.46),
        (below: 11_000.0, seconds: 0.23),
    ]
    /// Seconds that get weights of their own; those around them are looked at, too.
    private static let chunk = 4.0

    /// Eight bins of some channels.
    private struct Group {
        let bin: Int
        let channels: [Int]
        let prediction: LatePrediction
        /// Where its values are in those of a chunk.
        let place: Int
    }

    /// The spectra without echoes, by channel: as far as they are known.
    package let results: [FrameRing]
    /// How many frames before the end of ``results`` are still needed of the spectra.
    package let reach: Int
    /// No frames follow those in ``results``.
    package private(set) var isComplete = false

    private let groups: [Group]
    private let chunkFrames: Int
    /// Correlations of the chunks around the next one.
    private var measured: [AlignedBuffer] = []
    private var firstMeasured = 0
    private var spare: [AlignedBuffer] = []
    private let values: Int
    private let system: AlignedBuffer
    /// By channel the frames of one group, with those before them.
    private let series: [AlignedBuffer]
    private let scratch: AlignedBuffer

    /// - Parameter sampleRate: Of the signals that spectra are taken of, Hz.
    package init(_ shape: ShortTimeShape, sampleRate: Int, channels: Int) {
        let rate = Double(sampleRate) / Double(shape.hop)
        let delay = Int((Self.onset * rate).rounded())
        let together = channels <= 2 ? [Array(0..<channels)] : (0..<channels).map { [$0] }
        var groups: [Group] = []
        var (bin, place) = (0, 0)
        for length in Self.lengths {
            let last = Int(length.below * Double(shape.size) / Double(sampleRate))
            while bin + ComplexVector.width <= min(last, shape.bins) {
                for channels in together {
                    let prediction = LatePrediction(
                        channels: channels.count, taps: Int((length.seconds * rate).rounded()),
                        delay: delay)
                    groups.append(
                        Group(bin: bin, channels: channels, prediction: prediction, place: place))
                    place += prediction.values
                }
                bin += ComplexVector.width
            }
        }
        self.groups = groups
        values = place
        let past = groups.map { $0.prediction.delay + $0.prediction.taps - 1 }.max() ?? 0
        reach = past
        chunkFrames = Int((Self.chunk * rate).rounded())
        let vectors = { (count: Int) in AlignedBuffer(count: count * 2 * ComplexVector.width) }
        system = vectors(groups.map(\.prediction.values).max() ?? 0)
        let frames = past + chunkFrames
        series = (0..<(together.first?.count ?? 0)).map { _ in vectors(frames) }
        scratch = vectors(2 * chunkFrames)
        results = (0..<channels).map { _ in FrameRing(length: shape.frameLength) }
    }

    /// Does the next step, if the frames for it are there.
    /// - Parameters:
    ///   - spectra: By channel, real and imaginary parts alternating.
    ///   - isLast: No frames follow.
    /// - Returns: Whether there was anything to do.
    package func advance(_ spectra: [FrameRing], isLast: Bool) -> Bool {
        let end = spectra[0].end
        let first = results[0].end
        let next = (firstMeasured + measured.count) * chunkFrames
        let isMeasured = first + 2 * chunkFrames <= next || isLast && end <= next
        if first < end, isMeasured {
            // By the chunk itself, the one before it and the one after it.
            predict(first..<min(first + chunkFrames, end), of: spectra)
            while (firstMeasured + 1) * chunkFrames < results[0].end {
                spare.append(measured.removeFirst())
                firstMeasured += 1
            }
            return true
        }
        if next + chunkFrames <= end || isLast && next < end {
            measure(next..<min(next + chunkFrames, end), of: spectra)
            return true
        }
        isComplete = isLast
        return false
    }

    private func measure(_ frames: Range<Int>, of spectra: [FrameRing]) {
        let result =
            spare.popLast() ?? AlignedBuffer(count: values * 2 * ComplexVector.width)
        for group in groups {
            group.prediction.measure(
                present(group, frames, of: spectra), count: frames.count,
                scratch: scratch.complex, into: result.complex + group.place)
        }
        measured.append(result)
    }

    private func predict(_ frames: Range<Int>, of spectra: [FrameRing]) {
        for (result, spectrum) in zip(results, spectra) {
            for frame in frames {
                result.append().update(from: spectrum[frame], count: spectrum.length)
            }
        }
        for group in groups {
            let weights = solve(group)
            let present = present(group, frames, of: spectra)
            for (place, channel) in group.channels.enumerated() {
                for (index, frame) in frames.enumerated() {
                    group.prediction.rest(present, frame: index, channel: place, weights)
                        .store(to: results[channel][frame] + 2 * group.bin)
                }
            }
        }
    }

    /// The weights by all that was measured.
    private func solve(_ group: Group) -> UnsafePointer<ComplexVector> {
        let sum = system.complex
        for value in 0..<group.prediction.values { sum[value] = .zero }
        for chunk in measured {
            let part = chunk.complex + group.place
            for value in 0..<group.prediction.values { sum[value] += part[value] }
        }
        return UnsafePointer(group.prediction.solve(sum))
    }

    /// Gathers the frames of a group: by channel those of a range, before which the past ones lie.
    private func present(_ group: Group, _ frames: Range<Int>, of spectra: [FrameRing])
        -> [LatePrediction.Frames]
    {
        group.channels.enumerated().map { place, channel in
            let room = series[place].complex
            let past = reach
            for index in -past..<frames.count {
                let frame = frames.lowerBound + index
                room[past + index] =
                    frame < 0 ? .zero : ComplexVector(spectra[channel][frame] + 2 * group.bin)
            }
            return UnsafePointer(room + past)
        }
    }
}

private extension AlignedBuffer {
    var complex: UnsafeMutablePointer<ComplexVector> {
        UnsafeMutableRawPointer(pointer).bindMemory(
            to: ComplexVector.self, capacity: count / (2 * ComplexVector.width))
    }
}
