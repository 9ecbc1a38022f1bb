import DSP

/// The factor over time that makes one signal as strong as another: the ratio of their powers, each over a tenth of a second on
/// both sides.
final class LevelMatch {
    /// Frames on each side.
    static let reach = Placement.reach
    /// What a signal is raised by at most: 20 dB.
    private static let largest: Float = 10
    /// A power that is nothing: −120 dB.
    private static let floor: Float = 1e-12

    private let shape: VoiceShape
    /// For each frame, both signals' energies.
    private var sums: [(wanted: Float, given: Float)] = []
    /// The frame that `sums` begins with.
    private var first = 0

    init(_ shape: VoiceShape) { self.shape = shape }

    /// Measures the samples from a frame's center to the next one's; frames come in order.
    func measure(frame t: Int, wanted: FrameQueue, given: FrameQueue) {
        func energy(_ queue: FrameQueue) -> Float {
            let start = min(max(shape.center(of: t), queue.start), queue.end)
            let end = min(shape.center(of: t + 1), queue.end)
            guard end > start else { return 0 }
            return UnsafeBufferPointer(start: queue[start], count: end - start)
                .reduce(0) { $0 + $1 * $1 }
        }
        sums.append((energy(wanted), energy(given)))
    }

    /// The factor at a frame's center; frames come in order.
    func gain(ofFrame t: Int) -> Float {
        let from = max(t - Self.reach, first)
        let to = min(t + Self.reach, first + sums.count - 1)
        var (wanted, given) = (Float(0), Self.floor)
        for frame in stride(from: from, through: to, by: 1) {
            wanted += sums[frame - first].wanted
            given += sums[frame - first].given
        }
        let done = min(max(0, t - Self.reach - first), sums.count)
        sums.removeFirst(done)
        first += done
        return min((wanted / given).squareRoot(), Self.largest)
    }
}
