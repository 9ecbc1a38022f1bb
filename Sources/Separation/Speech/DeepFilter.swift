import DSP
import Foundation
import Inference

/// Takes a voice out of noise by DeepFilterNet (Schröter, Rosenkranz, Escalante-B., Maier: “DeepFilterNet:
/// Perceptually Motivated Real-Time Speech Enhancement”, Interspeech 2023): gains of bands for the whole spectrum,
/// and for the lowest bins complex filters over five frames, which also mend the phase.
///
/// The network sees one signal that stands for all channels (``PrincipalChannel``), and all get the same gains and
/// filters, so that the voice stays in its place.
final class DeepFilter: SpectrumDivider {
    let sampleRate: Int
    let shape: ShortTimeShape
    let stems = 1
    let reach: Int

    var networkSeconds: [String: Double] { [manifest.name: run.seconds] }
    private(set) var waitingSeconds = 0.0

    private let manifest: DeepFilterManifest
    private let run: DeepFilterNetwork.Run
    /// How much of the source stays in the voice at least.
    private let floor: Float
    private var features: SpeechFeatures
    private var principal: PrincipalChannel
    private let reference: AlignedBuffer
    /// Frames taken in, and how many of them are in the network's next block.
    private var seen = 0
    private var filled = 0
    private var isComplete = false
    /// What the network said, by the frame at which it said so: `lookAhead` after the one that it is for.
    private let gains: FrameQueue
    private let filters: FrameQueue

    /// - Parameter attenuation: By how many dB noise is lowered at most; `nil`: as far as the network can.
    init(_ network: DeepFilterNetwork, channels: Int, attenuation: Float?) throws(ModelError) {
        manifest = network.manifest
        sampleRate = manifest.sampleRate
        shape = manifest.stft.shape
        reach = manifest.lookAhead
        run = try DeepFilterNetwork.Run(network)
        floor = attenuation.map { pow(10, -$0 / 20) } ?? 0
        features = SpeechFeatures(manifest)
        principal = PrincipalChannel(channels: channels, bins: 2..<manifest.filterBins)
        reference = AlignedBuffer(count: shape.frameLength)
        gains = FrameQueue(length: manifest.erbBands.count)
        filters = FrameQueue(length: manifest.filterBins * 2 * manifest.filterOrder)
    }

    var finished: Int { max(gains.end - manifest.lookAhead, 0) }

    func advance(_ spectra: [FrameRing], isLast: Bool) throws(ModelError) -> Bool {
        while seen < spectra[0].end {
            principal.mix(
                spectra.map { UnsafePointer($0[seen]) }, length: 2 * shape.bins, into: reference)
            try take()
            seen += 1
        }
        guard isLast, seen > 0, !isComplete else { return false }
        isComplete = true
        reference.clear()
        for _ in 0..<manifest.lookAhead { try take() }
        if filled > 0 { try infer() }
        return true
    }

    /// Takes in the frame of the reference.
    private func take() throws(ModelError) {
        let bins = manifest.filterBins
        let real = run.spectrum.pointer + filled * bins
        features.take(
            reference.pointer, erb: run.erb.pointer + filled * manifest.erbBands.count, real: real,
            imaginary: real + manifest.blockFrames * bins)
        filled += 1
        if filled == manifest.blockFrames { try infer() }
    }

    /// Runs the network on the frames that are filled in.
    private func infer() throws(ModelError) {
        let begin = ContinuousClock.now
        try run.advance()
        waitingSeconds += (ContinuousClock.now - begin).seconds
        for (queue, values) in [(gains, run.gains), (filters, run.filters)] {
            queue.append(filled).update(from: values.pointer, count: filled * queue.length)
        }
        filled = 0
    }

    func divide(
        frame: Int, channel: Int, of spectra: [FrameRing], into results: [AlignedBuffer]
    ) {
        let spectrum = spectra[channel]
        let source = spectrum[frame]
        let result = results[0].pointer
        let gain = gains[frame + manifest.lookAhead]
        var bin = 0
        for (band, width) in manifest.erbBands.enumerated() {
            let factor = gain[band] * (1 - floor) + floor
            for index in 2 * bin..<2 * (bin + width) { result[index] = source[index] * factor }
            bin += width
        }
        let low = 2 * manifest.filterBins
        for index in 0..<low { result[index] = source[index] * floor }
        let taps = filters[frame + manifest.lookAhead]
        for tap in 0..<manifest.filterOrder {
            let moment = frame - manifest.lookAhead + tap
            guard moment >= 0, moment < spectrum.end else { continue }
            let past = spectrum[moment]
            for bin in 0..<manifest.filterBins {
                let weight = taps + 2 * (bin * manifest.filterOrder + tap)
                let (re, im) = (past[2 * bin], past[2 * bin + 1])
                result[2 * bin] += (1 - floor) * (re * weight[0] - im * weight[1])
                result[2 * bin + 1] += (1 - floor) * (re * weight[1] + im * weight[0])
            }
        }
    }

    func drop(before frame: Int) {
        gains.drop(before: frame + manifest.lookAhead)
        filters.drop(before: frame + manifest.lookAhead)
    }
}
