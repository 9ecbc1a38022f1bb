import Foundation
import TestSupport
import Testing
import VoiceChange

/// Makes the voices that come with the program, when `PARTITA_MAKE_VOICES` names the folder:
///
///     PARTITA_MAKE_VOICES=Voices .build/release/partitaPackageTests.xctest --testing-library swift-testing --filter MakeVoices
///
/// Each is a design: speakers who gave their recordings to everybody, with another vocal tract, pitch and color, so that none
/// is simply one person.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["PARTITA_MAKE_VOICES"] != nil))
struct MakeVoices {
    struct Design: Sendable {
        let id: String
        let name: String
        let text: String
        /// Folder and names of recordings below `data/speech`.
        let recordings: [String]
        let source: VoiceManifest.Source
        let character: VoiceCharacter
    }

    static func speaker(_ name: String, _ count: Int) -> [String] {
        (0..<count).map { "\(name)/\(name)_\(String(format: "%03d", $0)).opus" }
    }

    static let designs = [
        Design(
            id: "ALEX_KAYE", name: "Alex Kaye", text: "A light, clear, high male voice.",
            recordings: speaker("flemishguy_nl_m", 8), source: flemish,
            character: VoiceCharacter(tract: 0.98, pitch: -1, brightness: 4, breath: -2)),
        Design(
            id: "STASIA_FAYE", name: "Stasia Faye", text: "A bright, clear female voice.",
            recordings: speaker("kathleen_en_f", 8), source: kathleen,
            character: VoiceCharacter(tract: 1.08, pitch: 5, brightness: 4, breath: -2)),
        Design(
            id: "NICOLAAS_HAAS", name: "Nicolaas Haas", text: "A low, dark, calm male voice.",
            recordings: speaker("flemishguy_nl_m", 8).reversed(), source: flemish,
            character: VoiceCharacter(tract: 0.87, pitch: -6, brightness: -5)),
        Design(
            id: "NIK_ZEL", name: "Nik Zel", text: "A middle male voice with an edge.",
            recordings: speaker("nathalie_nl_f", 8), source: nathalie,
            character: VoiceCharacter(tract: 0.86, pitch: -3.5, brightness: 3)),
        Design(
            id: "OLIA_CHEBO", name: "Olia Chebo", text: "A warm, rather low female voice.",
            recordings: speaker("kerstin_de_f", 8), source: kerstin,
            character: VoiceCharacter(tract: 0.97, pitch: 1, brightness: -4)),
        Design(
            id: "YVAR_DE_GROOT", name: "Yvar de Groot", text: "A very deep, big male voice.",
            recordings: ["mihai_ro_RO", "imre_hu_HU", "dimitar_bg_BG", "darkman_pl_PL"].map {
                "nabucasa_samples/\($0).opus"
            }, source: nabucasa,
            character: VoiceCharacter(tract: 0.93, pitch: -4, brightness: -2)),
        Design(
            id: "VETRANA", name: "Vetrana", text: "A high, breathy, airy female voice.",
            recordings: speaker("ljspeech_en_f", 7), source: ljspeech,
            character: VoiceCharacter(tract: 1.05, pitch: 2, brightness: 3, breath: 6)),
    ]

    static let flemish = VoiceManifest.Source(
        name: "rhasspy/dataset-voice-flemishguy", license: "CC0-1.0")
    static let kathleen = VoiceManifest.Source(
        name: "rhasspy/dataset-voice-kathleen", license: "CC0-1.0")
    static let nathalie = VoiceManifest.Source(
        name: "rhasspy/dataset-voice-nathalie", license: "CC0-1.0")
    static let kerstin = VoiceManifest.Source(
        name: "rhasspy/dataset-voice-kerstin", license: "CC0-1.0")
    static let nabucasa = VoiceManifest.Source(
        name: "NabuCasa/voice-datasets: mihai, imre, dimitar, darkman", license: "CC0-1.0",
        attribution: "https://github.com/NabuCasa/voice-datasets")
    static let ljspeech = VoiceManifest.Source(name: "LJ Speech", license: "public domain")

    @Test(arguments: designs)
    func make(_ design: Design) throws {
        let folder = try #require(ProcessInfo.processInfo.environment["PARTITA_MAKE_VOICES"])
        let builder = VoicePackBuilder(try contentNetwork.get(), character: design.character)
        for name in design.recordings {
            let recording = try Spoken("data/speech/\(name)")
            try builder.begin(
                recording: name, sampleRate: recording.rate, pitch: recording.pitch,
                statistics: try recording.survey().statistics)
            try builder.push(recording.samples)
            try builder.end()
        }
        let content = try builder.finish(
            .init(
                id: design.id, name: design.name, text: design.text,
                // 2026-11-25, when they were first listed.
                created: 1_795_564_800, sources: [design.source]))
        do { try VoiceLibrary.remove(design.id, from: folder) } catch VoiceError.unknown {}
        try VoiceLibrary.add(content, to: folder)
        let statistics = content.manifest.statistics
        print(
            design.id, Int(statistics.medianFrequency), "Hz", statistics.pitchSpread,
            "semitones, tract", statistics.tractRatio, statistics.voicedSeconds, "s")
    }
}
