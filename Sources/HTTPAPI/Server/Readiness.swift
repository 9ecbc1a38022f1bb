import HTTPTypes
import Hummingbird
import Synchronization
import Tasks

/// One of the things without which the server cannot work.
public struct ReadinessCheck: Sendable {
    let name: String
    let fault: @Sendable () async -> String?

    /// - Parameters:
    ///   - name: The thing's name in the answer.
    ///   - fault: What the matter is, as a sentence that everybody may read; `nil` where all is well.
    public init(_ name: String, fault: @escaping @Sendable () async -> String?) {
        self.name = name
        self.fault = fault
    }
}

/// Looks at everything, once a second at most, however many ask.
final class Readiness: Sendable {
    struct Report: Sendable {
        let faults: [(name: String, fault: String?)]
        var isReady: Bool { faults.allSatisfy { $0.fault == nil } }
    }

    private let checks: [ReadinessCheck]
    private let latest = Mutex<(time: ContinuousClock.Instant, report: Report)?>(nil)

    init(_ checks: [ReadinessCheck]) { self.checks = checks }

    func report() async -> Report {
        let known = latest.withLock { $0 }
        if let known, known.time.duration(to: .now) < .seconds(1) { return known.report }
        var faults: [(String, String?)] = []
        for check in checks { faults.append((check.name, await check.fault())) }
        let report = Report(faults: faults)
        latest.withLock { $0 = (.now, report) }
        return report
    }
}

extension ReadinessCheck {
    /// A trivial question to the database.
    static func database(_ tasks: TaskService) -> ReadinessCheck {
        ReadinessCheck("database") {
            do {
                _ = try await tasks.licence(for: LicenceKey(rawValue: ""))
                return nil
            } catch {
                return "The database cannot be read."
            }
        }
    }

    /// A file that is written and removed again.
    static func files(_ blobs: any BlobStore) -> ReadinessCheck {
        ReadinessCheck("files") {
            let isWritten: Void? = try? await {
                let writer = try await blobs.makeWriter()
                // A writer that is dropped leaves nothing.
                try await writer.write([0])
                _ = try await writer.localFile()
                await writer.discard()
            }()
            return isWritten == nil ? "The data folder cannot be written." : nil
        }
    }
}

extension API {
    /// `GET` and `HEAD /readyz`: whether the server can work, and if not, why. Needs no key.
    func ready(_ request: Request, _ context: APIContext) async throws -> Response {
        let report = await readiness.report()
        let faults = report.faults.compactMap(\.fault)
        return .json(
            [
                "status": .string(report.isReady ? "ok" : faults.joined(separator: " ")),
                "checks": .object(
                    report.faults.map { .init($0.name, .string($0.fault ?? "ok")) }),
            ], status: report.isReady ? .ok : .serviceUnavailable,
            headers: [.cacheControl: "no-store"])
    }
}
