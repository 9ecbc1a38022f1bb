import ArgumentParser
import Configuration
import Foundation
import SystemPackage

/// The settings that `serve`, `worker` and `license` share. Precedence: flag, environment, file, default.
struct SettingsOptions: ParsableArguments {
    @Option(help: "Folder for the database and files (PARTITA_DATA; default ./partita-data).")
    var data: String?

    @Option(help: "A YAML file with settings (PARTITA_CONFIG).")
    var config: String?

    func load() async throws -> Settings { try await Settings(config: config, data: data) }
}

/// What `serve` and `worker` are told about playlists.
struct PlaylistOption: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: """
            Make tracks ready for players of HLS, which takes as much room again \
            (PARTITA_PLAYLISTS; default true).
            """)
    var playlists: Bool?

    func load(_ settings: Settings) throws -> Bool {
        try settings.bool(playlists, "playlists", default: true)
    }
}

/// Reads settings by name. A value that makes no sense is refused with a sentence.
struct Settings: Sendable {
    /// An absolute path.
    let data: URL
    private let environment: ConfigReader
    private let file: ConfigReader?

    init(config: String?, data: String?) async throws {
        environment = ConfigReader(provider: EnvironmentVariablesProvider()).scoped(to: "partita")
        if let path = config ?? environment.string(forKey: "config") {
            do {
                file = ConfigReader(
                    provider: try await FileProvider<YAMLSnapshot>(filePath: FilePath(path)))
            } catch {
                throw ValidationError("The settings file \(path) cannot be read: \(error)")
            }
        } else {
            file = nil
        }
        let folder =
            data ?? environment.string(forKey: "data").flatMap { $0.isEmpty ? nil : $0 } ?? file?
            .string(forKey: "data")
            ?? "partita-data"
        self.data = URL(fileURLWithPath: folder, isDirectory: true)
    }

    func string(_ flag: String?, _ key: ConfigKey) -> String? {
        flag ?? environment.string(forKey: key) ?? file?.string(forKey: key)
    }

    func bool(_ flag: Bool?, _ key: ConfigKey, default fallback: Bool) throws -> Bool {
        if let flag { return flag }
        guard let text = environment.string(forKey: key) ?? file?.string(forKey: key) else {
            return file?.bool(forKey: key) ?? fallback
        }
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw ValidationError("\(key) is “\(text)”; it must be true or false.")
        }
    }

    func int(_ flag: Int?, _ key: ConfigKey, default fallback: Int, in range: ClosedRange<Int>)
        throws
        -> Int
    {
        let value: Int
        if let flag {
            value = flag
        } else if let text = environment.string(forKey: key) ?? file?.string(forKey: key) {
            guard let number = Int(text) else {
                throw ValidationError("\(key) is “\(text)”, which is not a whole number.")
            }
            value = number
        } else if let number = file?.int(forKey: key) {
            value = number
        } else {
            value = fallback
        }
        guard range.contains(value) else {
            throw ValidationError(
                "\(key) is \(value); it must be between \(range.lowerBound) and \(range.upperBound)."
            )
        }
        return value
    }
}
