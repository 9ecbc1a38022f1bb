import ArgumentParser
import Foundation
import Inference
import VoiceChange

extension VoicePacks {
    /// `partita voice-packs add`
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a neural voice from elsewhere, and prints its id.",
            discussion: """
                Takes a voice of the RVC family, exported to ONNX by the RVC WebUI or the VC client, and the content encoder that \
                it was trained with (ContentVec), as ONNX, too. Both are copied, loaded and have to speak before they count. \
                Take only voices whose owners agree. A running server offers the voice at once. docs/voice-change.md tells more.
                """)

        @Option(help: "What people call the voice.")
        var name: String

        @Option(help: "The ONNX file of the voice.")
        var voice: String

        @Option(help: "The ONNX file of the content encoder.")
        var content: String

        @Option(
            help: """
                The voice's own median pitch in hertz, which `--tonality` goes by (default: not known, so that recordings keep \
                their pitch).
                """)
        var pitch: Double?

        @Option(help: "The number of the speaker, where the voice's file has several.")
        var speaker = 0

        @Option(help: "Another number gives other noise in breath and consonants.")
        var seed = 0

        @Option(
            help: "The id or name of the license that alone may use it (default: every license).")
        var license: String?

        @Option(help: "Processor cores to use (default: all).")
        var threads: Int?

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            try VoicePacks.validate(name: name)
            if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
            let (medians, numbers) = (NeuralManifest.medians, NeuralManifest.numbers)
            if let pitch, !medians.contains(pitch) {
                throw ValidationError(
                    "--pitch must be between \(Int(medians.lowerBound)) and \(Int(medians.upperBound)) Hz."
                )
            }
            for (option, value) in [("speaker", speaker), ("seed", seed)]
            where !numbers.contains(value) {
                throw ValidationError(
                    "--\(option) must be between \(numbers.lowerBound) and \(numbers.upperBound).")
            }
        }

        func run() async throws {
            let data = try await settings.load().data
            let owner = try await VoicePacks.owner(license, data: data)
            let files = [voice, content].map { URL(fileURLWithPath: $0) }
            // As all of the folder, for nobody else.
            umask(0o077)
            let manifest = try VoiceLibrary.add(
                NeuralPackContent(
                    .init(
                        id: UUID().uuidString.lowercased(), name: name,
                        created: Int(Date().timeIntervalSince1970), license: owner,
                        sources: files.map { .init(name: $0.lastPathComponent) }),
                    voice: files[0], content: files[1], medianFrequency: pitch, speaker: speaker,
                    seed: seed),
                to: Installation.voiceFolder(data: data),
                InferenceRuntime(library: Installation.runtime()),
                threads: threads ?? ProcessInfo.processInfo.activeProcessorCount
            ) { Interrupt.cleanUp($0.path) }
            let report = VoicePackReport(manifest)
            if json { try Output.json(report) } else { Output.line(report.id) }
        }
    }
}
