/// A first-in-first-out queue of frames of equal length, addressed by their absolute index and kept in
/// one piece of memory, so that a run of frames can be read without copies.
///
/// A frame of length 1 is a sample. Long frames that are read one by one are kept in a ``FrameRing``.
public final class FrameQueue {
    /// Values in a frame.
    public let length: Int
    /// Index of the oldest frame that is held.
    public private(set) var start = 0
    /// Index after the newest frame.
    public var end: Int { start + held }

    private var buffer: AlignedBuffer
    private var offset = 0
    private var held = 0

    public init(length: Int) {
        self.length = length
        buffer = AlignedBuffer(count: length * 16)
    }

    /// The values of a frame that is held, and of those after it.
    public subscript(frame: Int) -> UnsafeMutablePointer<Float> {
        precondition(frame >= start && frame < end, "the frame is not in the queue")
        return buffer.pointer + (offset + frame - start) * length
    }

    /// Adds frames of zeros; returns the place of the first.
    @discardableResult
    public func append(_ count: Int) -> UnsafeMutablePointer<Float> {
        makeRoom(for: count)
        let place = buffer.pointer + (offset + held) * length
        place.update(repeating: 0, count: count * length)
        held += count
        return place
    }

    /// Forgets the frames before `frame`.
    public func drop(before frame: Int) {
        let count = min(max(frame - start, 0), held)
        offset += count
        held -= count
        start += count
        if held == 0 { offset = 0 }
    }

    private func makeRoom(for count: Int) {
        let capacity = buffer.count / length
        guard offset + held + count > capacity else { return }
        // Moved within the buffer only while at least a third of it is free, so that each value is moved
        // a bounded number of times.
        if held + count <= capacity * 2 / 3 {
            buffer.pointer.update(from: buffer.pointer + offset * length, count: held * length)
        } else {
            let larger = AlignedBuffer(count: max(capacity * 3 / 2, held + count) * length)
            larger.pointer.update(from: buffer.pointer + offset * length, count: held * length)
            buffer = larger
        }
        offset = 0
    }
}
