import Foundation
import Subprocess
import SystemPackage

/// Sends one callback with curl, which verifies certificates with the system's authorities.
///
/// curl is told which address to connect to, whatever the name in the URL resolves to by then: a name
/// server cannot answer with a public address first and lead the request to a private one afterwards.
struct CallbackRequest: Sendable {
    let target: CallbackTarget
    let address: IPAddress
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    /// Seconds for the whole exchange.
    private static let timeout = 15

    /// - Returns: The HTTP status of the answer, `nil` where there was none.
    func send() async -> Int? {
        let result = try? await Subprocess.run(
            Configuration(
                executable: .name("curl"), arguments: ["--disable", "--config", "-"],
                environment: .custom(["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"])),
            input: .array(Array(configuration.utf8)), output: .string(limit: 64), error: .discarded)
        guard let result, result.terminationStatus.isSuccess else { return nil }
        let status = Int(result.standardOutput) ?? 0
        return status > 0 ? status : nil
    }

    /// On standard input, so that nothing of it shows in a list of processes.
    private var configuration: String {
        let options: [(String, String)] =
            [
                ("url", target.url), ("proto", "=http,https"), ("noproxy", "*"),
                ("connect-to", "::\(address.text):\(target.port)"), ("max-redirs", "0"),
                ("connect-timeout", "5"), ("max-time", "\(Self.timeout)"),
                ("max-filesize", "1048576"), ("output", "/dev/null"),
                ("write-out", "%{http_code}"), ("user-agent", "Partita"),
                ("data-binary", String(decoding: body, as: UTF8.self)),
            ] + headers.map { ("header", "\($0.name): \($0.value)") }
        return (["silent", "globoff"] + options.map { "\($0) = \(Self.quoted($1))" })
            .joined(separator: "\n")
    }

    /// As curl's configuration files want it.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(character)
            }
        }
        return quoted + "\""
    }
}
