import Tasks

// Presets as they are sent: read with their defaults, and echoed with every default filled in.

extension Rule where Value == StemSeparatorPresets {
    static var stemSeparatorPresets: Self {
        .object { object, faults in
            let splitter = object.optional("splitter", .oneOf, default: Splitter.auto, &faults)
            let dereverb = object.optional("dereverb_enabled", .bool, default: false, &faults)
            let format: EncoderFormat?? = object.optional(
                "encoder_format", .nullable(.oneOf), default: nil, &faults)
            let stem = object.required("stem", Rule<Stem>.literal, &faults)
            let multivocal: Multivocal?? = object.optional(
                "multivocal", .nullable(.literal), default: nil, &faults)
            let level = object.optional(
                "extraction_level", .oneOf, default: ExtractionLevel.deepExtraction, &faults)
            guard let splitter, let dereverb, let format, let stem, let multivocal, let level
            else { return nil }
            return StemSeparatorPresets(
                stem: stem, splitter: splitter, dereverbEnabled: dereverb, encoderFormat: format,
                multivocal: multivocal, extractionLevel: level)
        }
    }
}

extension SplitTask {
    /// The presets as `check` echoes them, with the splitter that serves the task.
    var echoedPresets: JSON {
        switch presets {
        case .stemSeparator(let presets):
            [
                "task_type": "split",
                "label": "stem_separator",
                "splitter": JSON(servedBy),
                "dereverb_enabled": .bool(presets.dereverbEnabled),
                "encoder_format": JSON(presets.encoderFormat),
                "stem": JSON(presets.stem),
                "multivocal": JSON(presets.multivocal),
                "extraction_level": JSON(presets.extractionLevel),
            ]
        }
    }
}
