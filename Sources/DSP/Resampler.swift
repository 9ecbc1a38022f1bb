import CResampler

/// Changes the sample rate of one channel, in a stream, by libsoxr (linear phase, its delay taken out:
/// output sample 0 belongs to input sample 0).
public final class Resampler {
    private let handle: soxr_t
    private let ratio: Double

    /// - Throws: ``ResamplerError`` where libsoxr refuses the rates.
    public init(from inputRate: Int, to outputRate: Int) throws(ResamplerError) {
        var error: soxr_error_t?
        var format = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I)
        var quality = soxr_quality_spec(UInt(SOXR_20_BITQ), 0)
        var runtime = soxr_runtime_spec(1)
        guard
            let handle = soxr_create(
                Double(inputRate), Double(outputRate), 1, &error, &format, &quality, &runtime)
        else { throw ResamplerError(from: inputRate, to: outputRate) }
        self.handle = handle
        ratio = Double(outputRate) / Double(inputRate)
    }

    deinit { soxr_delete(handle) }

    /// Takes samples in and appends what is ready to `output` (a queue of frames of length 1).
    public func process(_ input: UnsafeBufferPointer<Float>, into output: FrameQueue) {
        var remaining = input[...]
        repeat {
            let room = Int(Double(remaining.count) * ratio) + 4096
            var chunk = [Float](repeating: 0, count: room)
            var consumed = 0
            var produced = 0
            soxr_process(
                handle, UnsafeBufferPointer(rebasing: remaining).baseAddress, remaining.count,
                &consumed, &chunk, room, &produced)
            append(chunk, produced, to: output)
            remaining = remaining.dropFirst(consumed)
            // Room always exceeds what libsoxr can make of the input; no progress would be a bug there.
            if consumed == 0 && produced == 0 { break }
        } while !remaining.isEmpty
    }

    /// Appends what is left after the last input.
    public func finish(into output: FrameQueue) {
        var chunk = [Float](repeating: 0, count: 8192)
        while true {
            var produced = 0
            soxr_process(handle, nil, 0, nil, &chunk, chunk.count, &produced)
            if produced == 0 { return }
            append(chunk, produced, to: output)
        }
    }

    private func append(_ chunk: [Float], _ count: Int, to output: FrameQueue) {
        guard count > 0 else { return }
        let place = output.append(count)
        chunk.withUnsafeBufferPointer { place.update(from: $0.baseAddress!, count: count) }
    }
}

/// libsoxr refused to convert between two rates.
public struct ResamplerError: Error, CustomStringConvertible {
    public let from: Int
    public let to: Int
    public var description: String { "cannot convert from \(from) Hz to \(to) Hz" }
}
