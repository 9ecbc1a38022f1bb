import DSP
import Inference

/// Divides spectra from which late reverberation was taken before by ``WeightedPrediction``.
final class PredictionDivider: SpectrumDivider {
    private let prediction: WeightedPrediction
    private let divider: any SpectrumDivider

    init(_ divider: any SpectrumDivider, channels: Int) {
        self.divider = divider
        prediction = WeightedPrediction(
            divider.shape, sampleRate: divider.sampleRate, channels: channels)
    }

    var sampleRate: Int { divider.sampleRate }
    var shape: ShortTimeShape { divider.shape }
    var stems: Int { divider.stems }
    var networkSeconds: [String: Double] { divider.networkSeconds }
    var waitingSeconds: Double { divider.waitingSeconds }
    var finished: Int { divider.finished }
    var reach: Int { prediction.reach }

    func advance(_ spectra: [FrameRing], isLast: Bool) throws(ModelError) -> Bool {
        if prediction.advance(spectra, isLast: isLast) { return true }
        return try divider.advance(prediction.results, isLast: prediction.isComplete)
    }

    func divide(
        frame: Int, channel: Int, of spectra: [FrameRing], into results: [AlignedBuffer]
    ) {
        divider.divide(frame: frame, channel: channel, of: prediction.results, into: results)
    }

    func drop(before frame: Int) {
        divider.drop(before: frame)
        for ring in prediction.results { ring.drop(before: frame - divider.reach) }
    }
}
