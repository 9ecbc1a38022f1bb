import ArgumentParser
import Foundation
import Inference
import Separation
import VoiceChange

/// `partita models`
struct Models: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the model packs.", subcommands: [List.self, Verify.self])

    /// `partita models list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the installed packs and the stems that they serve.")

        @Flag(help: "Print JSON.")
        var json = false

        private struct Report: Encodable {
            struct Pack: Encodable {
                let name: String
                let version: String
                let licence: String
                let stems: [String]
                let directory: String
            }
            let packs: [Pack]
            let notes: [String]
        }

        func run() async throws {
            let library = Installation.library()
            let packs =
                library.packs.map { report($0) } + (library.voice.map { [report($0)] } ?? [])
                + (library.pitch.map { [report($0)] } ?? [])
                + (library.content.map { [report($0)] } ?? [])
            if json { return try Output.json(Report(packs: packs, notes: library.notes)) }
            for pack in packs {
                Output.line(
                    "\(pack.name) \(pack.version) (\(pack.licence)): \(pack.stems.joined(separator: ", "))"
                )
            }
            for note in library.notes { Output.error(note) }
        }

        private func report(_ pack: ModelPack<some PackDescription>) -> Report.Pack {
            Report.Pack(
                name: pack.manifest.name, version: pack.manifest.version,
                licence: pack.manifest.licence, stems: pack.manifest.offered,
                directory: pack.directory.path)
        }
    }

    /// `partita models verify`
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks every pack: hashes, shapes and a test inference.")

        func run() async throws {
            let library = Installation.library()
            let separator = try Separator(
                library: library, runtime: Installation.runtime(), threads: 1)
            separator.check()
            var notes = separator.notes
            let runtime = try InferenceRuntime(library: Installation.runtime())
            if let pitch = library.pitch {
                do throws(ModelError) {
                    _ = try PitchNetwork(pitch, runtime, threads: 1, cache: library.cache)
                } catch { notes.append(error.description) }
            }
            if let content = library.content {
                do throws(ModelError) {
                    _ = try ContentNetwork(content, runtime, threads: 1, cache: library.cache)
                } catch { notes.append(error.description) }
            }
            for note in notes { Output.error(note) }
            guard notes.isEmpty else { throw ExitCode(1) }
            let stems = separator.stems + (separator.cleansVoices ? ["voice"] : [])
            Output.line("All packs are sound. Stems: \(stems.joined(separator: ", "))")
        }
    }
}
