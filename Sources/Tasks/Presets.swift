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

/// The work that a task stands for. One case for each kind of task that workers know.
public enum Presets: Codable, Sendable, Hashable {
    case stemSeparator(StemSeparatorPresets)
}

/// Knows which splitter names the installed models serve.
public protocol ModelCatalog: Sendable {
    /// The name that is echoed for a request: the one asked for where a pack serves it, else that of
    /// the best installed pack for the stem. `nil` where no installed model has the stem; such a
    /// task is accepted and ends in `error` with the code `not_installed`.
    func splitter(for stem: Stem, requested: Splitter) -> Splitter?
}
