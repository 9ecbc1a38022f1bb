import DSP

/// Samples that are still being added up, as overlapping pieces come in.
final class OverlapSum {
    private let sum = FrameQueue(length: 1)

    /// The first sample that has not been given out.
    var start: Int { sum.start }

    /// The memory from a sample that is held on.
    subscript(sample: Int) -> UnsafeMutablePointer<Float> { sum[sample] }

    /// Makes room for the samples before `end`.
    func reserve(until end: Int) {
        if sum.end < end { sum.append(end - sum.end) }
    }

    /// Appends to `output` the samples before `end` that have not been given out.
    func emit(until end: Int, into output: FrameQueue) {
        let count = end - sum.start
        guard count > 0 else { return }
        reserve(until: end)
        output.append(count).update(from: sum[sum.start], count: count)
        sum.drop(before: end)
    }
}
