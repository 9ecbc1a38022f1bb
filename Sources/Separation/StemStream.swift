import Inference

/// A piece of a result: source and stems of the same samples.
public struct SeparatedBlock: Sendable {
    /// `[channel][sample]`, as it was pushed.
    public let source: [[Float]]
    /// `[stem in the order of the request][channel][sample]`, on the 24-bit grid (multiples of 2⁻²³), so
    /// that a file of 24-bit integers holds exactly these values.
    public let stems: [[[Float]]]

    public init(source: [[Float]], stems: [[[Float]]]) {
        self.source = source
        self.stems = stems
    }

    /// Samples of a block that a stream gives, at most.
    static let length = 32_768

    /// Where blocks of a bounded length end that cover a range of samples.
    static func ends(from start: Int, to end: Int) -> [Int] {
        stride(from: start, to: end, by: length).map { min($0 + length, end) }
    }
}

/// Divides one recording, in a stream: samples go in at the source's own rate, and source and stems come
/// out later, aligned. Memory does not depend on the length, nor the result on the size of the blocks.
/// Synchronous and processor-bound.
public protocol StemStream: AnyObject {
    /// Where the time went so far.
    var seconds: StageSeconds { get }

    /// Takes samples in, and gives back what is finished.
    /// - Parameter block: `[channel][sample]`, full scale ±1, all channels of the same length.
    /// - Throws: ``ModelError/inferenceFailed(pack:reason:)``.
    func push(_ block: [[Float]]) throws -> [SeparatedBlock]

    /// Gives back the rest, piece by piece: is called until nothing comes. Nothing may be pushed afterwards.
    /// - Throws: ``ModelError/inferenceFailed(pack:reason:)``.
    func finish() throws -> [SeparatedBlock]
}

extension StemStream {
    /// The next piece of the rest, or `nil` where nothing is left.
    func rest() throws -> [SeparatedBlock]? {
        let blocks = try finish()
        return blocks.isEmpty ? nil : blocks
    }
}
