import DSP
import Inference

/// A network that divides a stem of the first stage further, on the spectra of that stem, frame by frame.
final class Division {
    /// What is weaker than the mixture around it by more than this is raised no further, as power: −12 dB. It is
    /// what the first stage took for the stem by mistake.
    private static let weakest: Float = 0.0625
    let stream: MaskStream
    private let frames: MagnitudeQueue
    private let bins: Int
    private let distinctBins: Int
    /// The next frame's spectra, by channel.
    private let spectra: [AlignedBuffer]

    init(
        _ network: CompiledNetwork, distinctBins: Int, channels: Int, _ order: RunOrder
    ) throws(ModelError) {
        self.distinctBins = distinctBins
        stream = try MaskStream(network, channels: channels, order)
        let shape = network.manifest.stft.shape
        frames = MagnitudeQueue(
            shape: shape, bins: network.manifest.stft.bins, planes: network.manifest.planes)
        bins = shape.bins
        spectra = (0..<channels).map { _ in AlignedBuffer(count: shape.frameLength) }
    }

    var finished: Int { stream.finished }

    /// Takes in the next frame of one channel: a spectrum of the mixture, and the stem's mask.
    func take(_ spectrum: UnsafePointer<Float>, mask: UnsafePointer<Float>, channel: Int) {
        multiply(
            spectrum, by: mask, distinct: distinctBins, bins: bins, into: spectra[channel].pointer)
    }

    /// Ends a frame of which all channels were taken in.
    /// - Parameter level: The mixture's.
    func append(level: Float) {
        frames.append(
            spectra.map { UnsafePointer($0.pointer) }, floor: level * Division.weakest)
    }

    /// Starts the next block; see ``MaskStream/advance(_:isLast:)``.
    func advance(isLast: Bool) throws(ModelError) -> Bool {
        defer { frames.drop(before: stream.needed, level: stream.needed) }
        return try stream.advance(frames, isLast: isLast)
    }

    func drop(before frame: Int) { stream.drop(before: frame) }

    /// The share of the stem that one output gets, of a finished frame.
    func share(frame: Int, output: Int, channel: Int, into row: AlignedBuffer) {
        stream.mask(frame: frame, stem: output, channel: channel, into: row)
    }
}

/// A masked spectrum.
/// - Parameters:
///   - spectrum: `2 · bins` values, real and imaginary parts alternating.
///   - mask: A factor for each of the `distinct` lowest bins; all above have that of the last.
func multiply(
    _ spectrum: UnsafePointer<Float>, by mask: UnsafePointer<Float>, distinct: Int, bins: Int,
    into result: UnsafeMutablePointer<Float>
) {
    for bin in 0..<distinct {
        result[2 * bin] = spectrum[2 * bin] * mask[bin]
        result[2 * bin + 1] = spectrum[2 * bin + 1] * mask[bin]
    }
    let last = mask[distinct - 1]
    for index in 2 * distinct..<2 * bins { result[index] = spectrum[index] * last }
}
