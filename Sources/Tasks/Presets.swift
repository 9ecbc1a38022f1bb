/// A stem that the API names in `presets.stem`.
public enum Stem: String, Codable, Sendable, CaseIterable {
    case vocals, drum, piano, bass
    case electricGuitar = "electric_guitar"
    case acousticGuitar = "acoustic_guitar"
    case synthesizer, strings, wind
    /// Both guitars; in newer documents of the service.
    case guitar
}

/// A separation quality that a client can ask for by name.
///
/// Which installed model packs serve a name is decided by ``ModelCatalog``; clients may send any of them.
public enum Splitter: String, Codable, Sendable, CaseIterable {
    case andromeda, perseus, orion, phoenix, lyra, lynx, auto
}

/// The container and codec of the results.
public enum EncoderFormat: String, Codable, Sendable, CaseIterable {
    case mp3, wav, flac, aac, ogg
}

/// How a stem is divided further.
public enum Multivocal: String, Codable, Sendable, CaseIterable {
    case leadBack = "lead_back"
}

/// Whether a stem is to hold all of its sound, or nothing but its sound.
public enum ExtractionLevel: String, Codable, Sendable, CaseIterable {
    case deepExtraction = "deep_extraction"
    case clearCut = "clear_cut"
}

/// What `split/stem_separator/` is asked to do, every default filled in.
public struct StemSeparatorPresets: Codable, Sendable, Hashable {
    /// What is taken out.
    public var stem: Stem
    /// As asked for; ``ModelCatalog`` turns it into the name that is echoed.
    public var splitter: Splitter
    /// Whether echo is removed from the voice.
    public var dereverbEnabled: Bool
    /// `nil`: the format of the source (a video's audio codec, else wav).
    public var encoderFormat: EncoderFormat?
    /// `nil`: not divided.
    public var multivocal: Multivocal?
    /// `deepExtraction` unless asked for.
    public var extractionLevel: ExtractionLevel

    /// Presets; what is left out gets the default of the API.
    public init(
        stem: Stem, splitter: Splitter = .auto, dereverbEnabled: Bool = false,
        encoderFormat: EncoderFormat? = nil, multivocal: Multivocal? = nil,
        extractionLevel: ExtractionLevel = .deepExtraction
    ) {
        self.stem = stem
        self.splitter = splitter
        self.dereverbEnabled = dereverbEnabled
        self.encoderFormat = encoderFormat
        self.multivocal = multivocal
        self.extractionLevel = extractionLevel
    }

    enum CodingKeys: String, CodingKey {
        case stem, splitter, multivocal
        case dereverbEnabled = "dereverb_enabled"
        case encoderFormat = "encoder_format"
        case extractionLevel = "extraction_level"
    }
}

/// What `split/demuser/` is asked to do: music is taken out of a recording of a voice.
public struct DemuserPresets: Codable, Sendable, Hashable {
    /// As asked for.
    public var splitter: Splitter
    /// Whether echo is removed from the voice.
    public var dereverbEnabled: Bool
    /// `nil`: the format of the source.
    public var encoderFormat: EncoderFormat?

    /// Presets; what is left out gets the default of the API.
    public init(
        splitter: Splitter = .auto, dereverbEnabled: Bool = false,
        encoderFormat: EncoderFormat? = nil
    ) {
        self.splitter = splitter
        self.dereverbEnabled = dereverbEnabled
        self.encoderFormat = encoderFormat
    }
}

/// How much noise voice cleaning may take away.
public enum NoiseCancelling: Int, Codable, Sendable, CaseIterable {
    case mild, normal, aggressive
}

/// What `split/voice_clean/` is asked to do: a voice is taken out of noise.
public struct VoiceCleanPresets: Codable, Sendable, Hashable {
    /// As asked for.
    public var splitter: Splitter
    /// Whether echo is removed from the voice.
    public var dereverbEnabled: Bool
    /// `nil`: the format of the source.
    public var encoderFormat: EncoderFormat?
    /// How much is taken away.
    public var noiseCancelling: NoiseCancelling

    /// Presets; what is left out gets the default of the API.
    public init(
        splitter: Splitter = .auto, dereverbEnabled: Bool = false,
        encoderFormat: EncoderFormat? = nil, noiseCancelling: NoiseCancelling = .mild
    ) {
        self.splitter = splitter
        self.dereverbEnabled = dereverbEnabled
        self.encoderFormat = encoderFormat
        self.noiseCancelling = noiseCancelling
    }
}

/// What `split/multistem/` is asked to do: several stems are taken out at once.
public struct MultistemPresets: Codable, Sendable, Hashable {
    /// The stems that the operation offers.
    public static let offered: [Stem] = [
        .vocals, .drum, .piano, .bass, .electricGuitar, .acousticGuitar,
    ]

    /// What is taken out, each stem once, in the order of the request.
    public var stems: [Stem]
    /// As asked for.
    public var splitter: Splitter
    /// Whether echo is removed from the voice.
    public var dereverbEnabled: Bool
    /// `nil`: the format of the source.
    public var encoderFormat: EncoderFormat?
    /// `deepExtraction` unless asked for.
    public var extractionLevel: ExtractionLevel

    /// Presets; what is left out gets the default of the API. A stem that is named twice is taken out once.
    public init(
        stems: [Stem], splitter: Splitter = .auto, dereverbEnabled: Bool = false,
        encoderFormat: EncoderFormat? = nil, extractionLevel: ExtractionLevel = .deepExtraction
    ) {
        var seen: Set<Stem> = []
        self.stems = stems.filter { seen.insert($0).inserted }
        self.splitter = splitter
        self.dereverbEnabled = dereverbEnabled
        self.encoderFormat = encoderFormat
        self.extractionLevel = extractionLevel
    }
}

/// Whose pitch a converted voice has.
public enum TonalityReference: String, Codable, Sendable, CaseIterable {
    case sourceFile = "source_file"
    case voicePack = "voice_pack"
}

/// What `change_voice/` is asked to do.
public struct VoiceChangePresets: Codable, Sendable, Hashable {
    /// The voice: a name of ``VoicePack/named`` or the id of one that was made from recordings.
    public var voicePack: String
    /// 0 keeps the source's articulation, 1 takes the pack's.
    public var accent: Double
    /// `sourceFile` unless asked for.
    public var tonalityReference: TonalityReference
    /// Whether echo is removed from the voice.
    public var dereverbEnabled: Bool
    /// `nil`: the format of the source.
    public var encoderFormat: EncoderFormat?

    /// Presets; what is left out gets the default of the API.
    public init(
        voicePack: String, accent: Double = 1, tonalityReference: TonalityReference = .sourceFile,
        dereverbEnabled: Bool = false, encoderFormat: EncoderFormat? = nil
    ) {
        self.voicePack = voicePack
        self.accent = accent
        self.tonalityReference = tonalityReference
        self.dereverbEnabled = dereverbEnabled
        self.encoderFormat = encoderFormat
    }
}

/// The work that a task stands for. One case for each kind of task.
public enum Presets: Codable, Sendable, Hashable {
    case stemSeparator(StemSeparatorPresets)
    case demuser(DemuserPresets)
    case voiceClean(VoiceCleanPresets)
    case multistem(MultistemPresets)
    case voiceChange(VoiceChangePresets)

    /// How many times the length of the source is charged: once for each stem. Lead and backing vocals
    /// are one.
    public var chargedStems: Int {
        if case .multistem(let presets) = self { presets.stems.count } else { 1 }
    }
}

/// Knows which splitter names the installed models serve.
public protocol ModelCatalog: Sendable {
    /// The name that is echoed for a request: the one asked for where a pack serves it, else that of
    /// the best installed pack for the stem. `nil` where no installed model has the stem; such a
    /// task is accepted and ends in `error` with the code `not_installed`.
    func splitter(for stem: Stem, requested: Splitter) -> Splitter?
}
