import Tasks

// Presets as they are sent: read with their defaults, and echoed with every default filled in.

/// What all splits can be told.
private struct SplitOptions {
    let splitter: Splitter
    let dereverbEnabled: Bool
    let encoderFormat: EncoderFormat?

    init?(_ object: ObjectReader, _ faults: inout Faults) {
        let splitter = object.optional("splitter", .oneOf, default: Splitter.auto, &faults)
        let dereverb = object.dereverbEnabled(&faults)
        let format = object.encoderFormat(&faults)
        guard let splitter, let dereverb, let format else { return nil }
        self.splitter = splitter
        dereverbEnabled = dereverb
        encoderFormat = format
    }
}

extension ObjectReader {
    fileprivate func dereverbEnabled(_ faults: inout Faults) -> Bool? {
        optional("dereverb_enabled", .bool, default: false, &faults)
    }

    fileprivate func encoderFormat(_ faults: inout Faults) -> EncoderFormat?? {
        optional("encoder_format", .nullable(.oneOf), default: nil, &faults)
    }

    fileprivate func extractionLevel(_ faults: inout Faults) -> ExtractionLevel? {
        optional("extraction_level", .oneOf, default: .deepExtraction, &faults)
    }
}

extension Rule where Value == Presets {
    static var stemSeparator: Self {
        .object { object, faults in
            let options = SplitOptions(object, &faults)
            let stem = object.required("stem", Rule<Stem>.literal, &faults)
            let multivocal: Multivocal?? = object.optional(
                "multivocal", .nullable(.literal), default: nil, &faults)
            let level = object.extractionLevel(&faults)
            guard let options, let stem, let multivocal, let level else { return nil }
            return .stemSeparator(
                StemSeparatorPresets(
                    stem: stem, splitter: options.splitter,
                    dereverbEnabled: options.dereverbEnabled,
                    encoderFormat: options.encoderFormat, multivocal: multivocal,
                    extractionLevel: level))
        }
    }

    static var demuser: Self {
        .object { object, faults in
            let options = SplitOptions(object, &faults)
            guard object.required("stem", .literal(of: ["music"]), &faults) != nil, let options
            else { return nil }
            return .demuser(
                DemuserPresets(
                    splitter: options.splitter, dereverbEnabled: options.dereverbEnabled,
                    encoderFormat: options.encoderFormat))
        }
    }

    static var voiceClean: Self {
        .object { object, faults in
            let options = SplitOptions(object, &faults)
            let stem = object.required("stem", .literal(of: ["voice"]), &faults)
            let level = object.optional(
                "noise_cancelling_level", .number, default: NoiseCancelling.mild, &faults)
            guard stem != nil, let options, let level else { return nil }
            return .voiceClean(
                VoiceCleanPresets(
                    splitter: options.splitter, dereverbEnabled: options.dereverbEnabled,
                    encoderFormat: options.encoderFormat, noiseCancelling: level))
        }
    }

    static var multistem: Self {
        .object { object, faults in
            let options = SplitOptions(object, &faults)
            let names = MultistemPresets.offered.map(\.rawValue)
            let stems = object.required(
                "stem_list",
                .list(of: .literal(of: names), minimum: 1, maximum: names.count), &faults)
            let level = object.extractionLevel(&faults)
            guard let options, let stems, let level else { return nil }
            return .multistem(
                MultistemPresets(
                    stems: stems.compactMap(Stem.init(rawValue:)), splitter: options.splitter,
                    dereverbEnabled: options.dereverbEnabled,
                    encoderFormat: options.encoderFormat, extractionLevel: level))
        }
    }

    static var voiceChange: Self {
        .object { object, faults in
            let pack = object.required("voice_pack_id", .string, &faults)
            let accent = object.optional("accent", .number(in: 0...1), default: 1, &faults)
            let tonality = object.optional(
                "tonality_reference", .oneOf, default: TonalityReference.sourceFile, &faults)
            let dereverb = object.dereverbEnabled(&faults)
            let format = object.encoderFormat(&faults)
            guard let pack, let accent, let tonality, let dereverb, let format
            else { return nil }
            return .voiceChange(
                VoiceChangePresets(
                    voicePack: pack, accent: accent, tonalityReference: tonality,
                    dereverbEnabled: dereverb, encoderFormat: format))
        }
    }
}

extension SplitTask {
    /// The presets as `check` echoes them, with the splitter that serves the task.
    var echoedPresets: JSON {
        switch presets {
        case .stemSeparator(let presets):
            split(
                "stem_separator", presets.dereverbEnabled, presets.encoderFormat,
                [
                    "stem": JSON(presets.stem), "multivocal": JSON(presets.multivocal),
                    "extraction_level": JSON(presets.extractionLevel),
                ])
        case .demuser(let presets):
            split(
                "demuser", presets.dereverbEnabled, presets.encoderFormat, ["stem": "music"])
        case .voiceClean(let presets):
            split(
                "voice_clean", presets.dereverbEnabled, presets.encoderFormat,
                [
                    "stem": "voice",
                    "noise_cancelling_level": .integer(Int64(presets.noiseCancelling.rawValue)),
                ])
        case .multistem(let presets):
            split(
                "multistem", presets.dereverbEnabled, presets.encoderFormat,
                [
                    "stem_list": .array(presets.stems.map { JSON($0) }),
                    "extraction_level": JSON(presets.extractionLevel),
                ])
        case .voiceChange(let presets):
            [
                "task_type": "voice_convert",
                "voice_pack_id": .string(presets.voicePack),
                "accent": .number(presets.accent),
                "tonality_reference": JSON(presets.tonalityReference),
                "dereverb_enabled": .bool(presets.dereverbEnabled),
                "encoder_format": JSON(presets.encoderFormat),
            ]
        }
    }

    private func split(
        _ label: String, _ dereverb: Bool, _ format: EncoderFormat?, _ more: JSON
    ) -> JSON {
        JSON(
            [
                "task_type": "split", "label": .string(label), "splitter": JSON(servedBy),
                "dereverb_enabled": .bool(dereverb), "encoder_format": JSON(format),
            ], more)
    }
}
