import Foundation
import Logging

/// What the program says: results on standard output, everything else on standard error.
enum Output {
    static func line(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    static func error(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    static func exit(_ code: Int32) -> Never { Foundation.exit(code) }

    /// Logs of the long-running commands go to standard error.
    static func startLogging() {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    }
}
