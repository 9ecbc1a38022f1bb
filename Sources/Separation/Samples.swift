import DSP

package extension [FrameQueue] {
    /// Adds samples, `[channel][sample]`, each to its channel's queue.
    func append(_ samples: [[Float]]) {
        for (queue, samples) in zip(self, samples) where !samples.isEmpty {
            samples.withUnsafeBufferPointer {
                queue.append($0.count).update(from: $0.baseAddress!, count: $0.count)
            }
        }
    }

    /// The samples up to an index, `[channel][sample]`, which are then forgotten.
    func take(until end: Int) -> [[Float]] {
        map { queue in
            defer { queue.drop(before: end) }
            return [Float](
                UnsafeBufferPointer(start: queue[queue.start], count: end - queue.start))
        }
    }
}

package extension FrameQueue {
    /// A queue of samples for each channel.
    static func samples(_ channels: Int) -> [FrameQueue] {
        (0..<channels).map { _ in FrameQueue(length: 1) }
    }
}

extension [[Float]] {
    /// What is left of the samples, `[channel][sample]`, without those of a part.
    func without(_ part: [[Float]]) -> [[Float]] {
        zip(self, part).map { zip($0, $1).map { $0 - $1 } }
    }

    /// Rounded to multiples of 2⁻²³.
    var onGrid: [[Float]] {
        map { $0.map { ($0 * 0x1p23).rounded(.toNearestOrEven) * 0x1p-23 } }
    }
}
