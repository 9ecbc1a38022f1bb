import ArgumentParser
import Foundation
import Tasks

/// `partita license`
struct License: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Manages who may use the server.",
        subcommands: [Create.self, List.self])

    /// `partita license create`
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates a license and prints its key, which is shown this once only.")

        @Argument(help: "A name for the license.")
        var name: String

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let folder = try DataFolder(await settings.load().data)
            let key = LicenceKey()
            let licence = Licence(name: name, keyHash: key.hash, created: Date())
            try await folder.store.insert(licence)
            if json {
                try Output.json([
                    "id": licence.id.uuidString.lowercased(), "key": key.rawValue, "name": name,
                ])
            } else {
                Output.line(key.rawValue)
            }
        }
    }

    /// `partita license list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the licenses. Keys are not stored and cannot be shown.")

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        private struct Row: Encodable {
            let id: String
            let name: String
            let created: Date
        }

        func run() async throws {
            let folder = try DataFolder(await settings.load().data)
            let rows = try await folder.store.licences().map {
                Row(id: $0.id.uuidString.lowercased(), name: $0.name, created: $0.created)
            }
            if json {
                try Output.json(rows)
            } else {
                for row in rows {
                    Output.line("\(row.id)  \(row.created.ISO8601Format())  \(row.name)")
                }
            }
        }
    }
}
