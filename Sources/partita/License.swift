import ArgumentParser
import Foundation
import Tasks

/// `partita license`
struct License: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Manages who may use the server, and how much.",
        subcommands: [Create.self, List.self, TopUp.self, Revoke.self])

    /// `partita license create`
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates a license and prints its key, which is shown this once only.")

        @Argument(help: "A name for the license.")
        var name: String

        @Option(help: "Minutes that its tasks may use (default: no limit).")
        var minutes: Double?

        @Option(help: "Longest file, in minutes (default: no limit).")
        var maxDuration: Double?

        @Option(help: "Largest file, in bytes (default: the server's limit).")
        var maxSize: Int64?

        @Flag(help: "Refuse batches.")
        var noBatches = false

        @Option(
            name: .customLong("callback-url"),
            help: "Address that is told when a task has ended, unless the task names another.")
        var callbackURL: String?

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            guard !name.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty else {
                throw ValidationError("A license needs a name.")
            }
            let granted = try minutes.map { try milliseconds($0, "--minutes") }
            let terms = try terms()
            let folder = try DataFolder(await settings.load().data)
            let (licence, key) = try await folder.store.createLicence(name: name, terms: terms)
            if let granted, granted > 0 {
                try await folder.store.grant(granted, licence: licence.id, now: Date())
            }
            if json {
                try Output.json([
                    "id": licence.id.uuidString.lowercased(), "key": key.rawValue, "name": name,
                ])
            } else {
                Output.line(key.rawValue)
            }
        }

        private func terms() throws -> LicenceTerms {
            var terms = LicenceTerms()
            terms.metered = minutes != nil
            terms.maximumDuration = try maxDuration.map {
                Double(try milliseconds($0, "--max-duration")) / 1000
            }
            if let maxSize, maxSize < 1 {
                throw ValidationError("--max-size is \(maxSize); it must be 1 or more.")
            }
            terms.maximumSize = maxSize
            terms.batches = !noBatches
            if let callbackURL, !CallbackURL.isValid(callbackURL) {
                throw ValidationError(
                    "--callback-url is “\(callbackURL)”; it must begin with http:// or https://, "
                        + "name a host, and hold no credentials.")
            }
            terms.callbackURL = callbackURL
            return terms
        }
    }

    /// `partita license list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the licenses. Keys are not stored and cannot be shown.")

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let store = try DataFolder(await settings.load().data).store
            var rows: [LicenceReport] = []
            for licence in try await store.licences() {
                rows.append(
                    LicenceReport(licence, try await store.balance(licence: licence.id)))
            }
            if json {
                try Output.json(rows)
            } else {
                for row in rows { Output.line(row.line) }
            }
        }
    }

    /// `partita license top-up`
    struct TopUp: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "top-up", abstract: "Gives a license more minutes.")

        @Argument(help: "Its id, or its name.")
        var license: String

        @Argument(help: "How many minutes.")
        var minutes: Double

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let amount = try milliseconds(minutes, "minutes")
            guard amount > 0 else {
                throw ValidationError("minutes is \(minutes); it must be more than none.")
            }
            let store = try DataFolder(await settings.load().data).store
            let licence = try await store.licence(named: license)
            guard licence.revoked == nil else {
                throw ValidationError("The license \(licence.name) was revoked.")
            }
            guard licence.terms.metered else {
                throw ValidationError("The license \(licence.name) has no limit of minutes.")
            }
            try await store.grant(amount, licence: licence.id, now: Date())
            let report = LicenceReport(licence, try await store.balance(licence: licence.id))
            if json { try Output.json(report) } else { Output.line(report.line) }
        }
    }

    /// `partita license revoke`
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a license's key worthless and cancels its tasks. Its results stay "
                + "until they expire.")

        @Argument(help: "Its id, or its name.")
        var license: String

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let store = try DataFolder(await settings.load().data).store
            let id = try await store.licence(named: license).id
            _ = try await store.revoke(licence: id, now: Date())
            let report = LicenceReport(
                try await store.licence(named: id.uuidString),
                try await store.balance(licence: id))
            if json { try Output.json(report) } else { Output.line(report.line) }
        }
    }
}

/// A licence as the command line shows it.
private struct LicenceReport: Encodable {
    let id: String
    let name: String
    let created: Date
    let revoked: Date?
    /// `nil`: no limit.
    let minutesLeft: Double?
    let minutesReserved: Double
    let maxDurationMinutes: Double?
    let maxSize: Int64?
    let batches: Bool
    let callbackURL: String?

    init(_ licence: Licence, _ balance: Balance) {
        id = licence.id.uuidString.lowercased()
        name = licence.name
        created = licence.created
        revoked = licence.revoked
        minutesLeft = licence.terms.metered ? Double(balance.available) / 60_000 : nil
        minutesReserved = Double(balance.reserved) / 60_000
        maxDurationMinutes = licence.terms.maximumDuration.map { $0 / 60 }
        maxSize = licence.terms.maximumSize
        batches = licence.terms.batches
        callbackURL = licence.terms.callbackURL
    }

    var line: String {
        let minutes = minutesLeft.map { String(format: "%.1f minutes", $0) } ?? "no limit"
        return "\(id)  \(created.ISO8601Format())  \(revoked == nil ? minutes : "revoked")  \(name)"
    }
}

extension MetadataStore {
    /// The licence with an id, or the only one with a name.
    func licence(named text: String) async throws -> Licence {
        let all = try await licences()
        if let id = UUID(uuidString: text), let found = all.first(where: { $0.id == id }) {
            return found
        }
        let found = all.filter { $0.name == text }
        guard let licence = found.first else {
            throw ValidationError("There is no license with the id or name “\(text)”.")
        }
        guard found.count == 1 else {
            throw ValidationError(
                "\(found.count) licenses have the name “\(text)”. Use the id: license list.")
        }
        return licence
    }
}

/// Minutes of the command line, as they are counted.
private func milliseconds(_ minutes: Double, _ name: String) throws -> Int64 {
    // A thousand years.
    guard (0...526_000_000).contains(minutes) else {
        throw ValidationError("\(name) is \(minutes); it must be between 0 and 526000000.")
    }
    return Int64((minutes * 60_000).rounded())
}
