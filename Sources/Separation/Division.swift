import DSP

/// A network that divides a stem of the first stage further, on the spectra of that stem, frame by frame.
///
/// Its input is brought to the network's level like the mixture's, but how loud the stem is as a whole is not known
/// beforehand: a segment's gain differs by 12 dB at most from the gain that the mixture would get.
final class Division {
    private let stream: MaskStream
    private let frames: MagnitudeQueue
    private let bins: Int
    /// The next frame's spectra, by channel.
    private let spectra: [AlignedBuffer]

    init(_ network: CompiledNetwork, _ request: SeparationRequest) throws(SeparationError) {
        stream = try MaskStream(network, request)
        let shape = network.manifest.stft.shape
        frames = MagnitudeQueue(shape: shape, planes: network.manifest.planes)
        bins = shape.bins
        spectra = (0..<request.channels).map { _ in AlignedBuffer(count: shape.frameLength) }
    }

    var finished: Int { stream.finished }
    var inferenceSeconds: Double { stream.inferenceSeconds }

    /// Takes in the next frame of one channel: a spectrum of the mixture, and the stem's mask.
    func take(_ spectrum: UnsafePointer<Float>, mask: UnsafePointer<Float>, channel: Int) {
        multiply(spectrum, by: mask, bins: bins, into: spectra[channel].pointer)
    }

    /// Ends a frame of which all channels were taken in.
    func append() { frames.append(spectra.map { UnsafePointer($0.pointer) }) }

    func advance(isLast: Bool) throws(SeparationError) {
        try stream.advance(frames, isLast: isLast)
        frames.drop(before: stream.needed)
    }

    func drop(before frame: Int) { stream.drop(before: frame) }

    /// The share of the stem that one output gets, of all bins of a finished frame.
    func share(frame: Int, output: Int, channel: Int, into row: AlignedBuffer) {
        stream.mask(frame: frame, stem: output, channel: channel, into: row)
    }
}

/// A masked spectrum.
/// - Parameters:
///   - spectrum: `2 · bins` values, real and imaginary parts alternating.
///   - mask: A factor for each bin.
func multiply(
    _ spectrum: UnsafePointer<Float>, by mask: UnsafePointer<Float>, bins: Int,
    into result: UnsafeMutablePointer<Float>
) {
    for bin in 0..<bins {
        result[2 * bin] = spectrum[2 * bin] * mask[bin]
        result[2 * bin + 1] = spectrum[2 * bin + 1] * mask[bin]
    }
}
