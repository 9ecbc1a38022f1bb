import ArgumentParser
import Foundation

/// `partita`: one file for each subcommand.
@main
struct Partita: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partita",
        abstract: "Takes songs and recordings apart: a stem-separation server and command line.",
        discussion: """
            Speaks the LALAL.AI API v1 (an independent implementation, not affiliated with its owner).
            Exit codes: 0 done, 1 failed, 2 wrong usage.
            """,
        version: "0.1.0",
        subcommands: [
            Serve.self, RunWorker.self, SplitCommand.self, LeadBackCommand.self,
            VoiceCleanCommand.self,
            DemuserCommand.self, ChangeVoiceCommand.self, VoicePacks.self, PitchCommand.self,
            License.self, Models.self,
        ])

    /// Parses and runs, with the exit codes that scripts rely on.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            // Wrong usage is 64 (EX_USAGE) in the library, 2 here.
            if code == .validationFailure {
                Output.error(fullMessage(for: error))
                Output.exit(2)
            }
            if error is ExitCode || code == .success { exit(withError: error) }
            Output.error(message(for: error))
            Output.exit(1)
        }
    }
}
