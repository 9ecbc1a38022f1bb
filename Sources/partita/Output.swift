import Foundation
import Logging

/// What the program says: results on standard output, everything else on standard error.
enum Output {
    /// Ends the program, with code 1, where standard output is closed or full.
    static func line(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
        } catch {
            exit(1)
        }
    }

    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    static func error(_ text: String) { note(text + "\n") }

    /// Without a new line. Where nobody listens, nothing is said.
    static func note(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    static func exit(_ code: Int32) -> Never { Foundation.exit(code) }

    /// Logs of the long-running commands go to standard error.
    static func startLogging() {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    }
}
