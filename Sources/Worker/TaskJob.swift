import Media
import Separation
import Tasks
import VoiceChange

/// The job that a task's presets ask for.
enum TaskJob {
    case split(SplitJob)
    case voiceChange(VoiceChangePresets)

    init(_ presets: Presets, input: String, folder: String) {
        func split(
            _ kind: SplitKind, _ dereverb: Bool, _ format: EncoderFormat?,
            layout: TrackLayout = .pairs
        ) -> TaskJob {
            .split(
                SplitJob(
                    input: input, kind: kind, dereverb: dereverb, layout: layout,
                    format: AudioFormat(format), folder: folder))
        }
        switch presets {
        case .stemSeparator(let presets):
            let divides = presets.stem == .vocals && presets.multivocal == .leadBack
            self = split(
                .stems(
                    divides ? ["lead", "backing"] : [presets.stem.rawValue],
                    clearCut: presets.extractionLevel == .clearCut,
                    quality: SplitQuality(presets.splitter)), presets.dereverbEnabled,
                presets.encoderFormat, layout: divides ? .leadBack : .pairs)
        case .multistem(let presets):
            self = split(
                .stems(
                    presets.stems.map(\.rawValue), clearCut: presets.extractionLevel == .clearCut,
                    quality: SplitQuality(presets.splitter)), presets.dereverbEnabled,
                presets.encoderFormat, layout: .together)
        case .demuser(let presets):
            self = split(.demuser, presets.dereverbEnabled, presets.encoderFormat)
        case .voiceClean(let presets):
            self = split(
                .voiceClean(NoiseReduction(presets.noiseCancelling)), presets.dereverbEnabled,
                presets.encoderFormat)
        case .voiceChange(let presets): self = .voiceChange(presets)
        }
    }
}

extension VoiceChangeJob {
    init(_ presets: VoiceChangePresets, voice: any TargetVoice, input: String, folder: String) {
        self.init(
            input: input, voice: voice, accent: presets.accent,
            tonality: VoiceSettings.Tonality(presets.tonalityReference),
            dereverb: presets.dereverbEnabled, format: AudioFormat(presets.encoderFormat),
            folder: folder)
    }
}

extension VoiceSettings.Tonality {
    fileprivate init(_ asked: TonalityReference) {
        switch asked {
        case .sourceFile: self = .sourceFile
        case .voicePack: self = .voicePack
        }
    }
}

extension AudioFormat {
    /// What a client asked for; `nil`: the format of the source.
    fileprivate init?(_ asked: EncoderFormat?) {
        guard let asked else { return nil }
        self.init(rawValue: asked.rawValue)
    }
}

extension NoiseReduction {
    fileprivate init(_ asked: NoiseCancelling) {
        switch asked {
        case .mild: self = .mild
        case .normal: self = .normal
        case .aggressive: self = .aggressive
        }
    }
}

extension SplitQuality {
    /// `lynx` is the fastest; every other name gets the best.
    public init(_ splitter: Splitter) { self = splitter == .lynx ? .fast : .best }
}
