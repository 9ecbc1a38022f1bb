/// A first-in-first-out queue of frames of equal length, addressed by their absolute index. A frame stays where it is
/// while it is held, unless the queue grows.
///
/// A frame can be a spectrum, or the masks of a moment. What is read as a run of samples is kept in a ``FrameQueue``.
public final class FrameRing {
    /// Values in a frame.
    public let length: Int
    /// Index of the oldest frame that is held.
    public private(set) var start = 0
    /// Index after the newest frame.
    public private(set) var end = 0

    private var buffer: AlignedBuffer
    private var capacity = 16

    public init(length: Int) {
        self.length = length
        buffer = AlignedBuffer(count: length * capacity)
    }

    /// The values of a frame that is held.
    public subscript(frame: Int) -> UnsafeMutablePointer<Float> {
        precondition(frame >= start && frame < end, "the frame is not in the queue")
        return buffer.pointer + frame % capacity * length
    }

    /// Adds a frame, whose values are whatever was there before.
    public func append() -> UnsafeMutablePointer<Float> {
        if end - start == capacity { grow() }
        end += 1
        return self[end - 1]
    }

    /// Forgets the frames before `frame`.
    public func drop(before frame: Int) { start = min(max(frame, start), end) }

    private func grow() {
        let larger = capacity * 5 / 4
        let grown = AlignedBuffer(count: length * larger)
        for frame in start..<end {
            (grown.pointer + frame % larger * length).update(from: self[frame], count: length)
        }
        buffer = grown
        capacity = larger
    }
}
