import Foundation
import Logging
import ServiceLifecycle
import Tasks

/// Runs the janitor beside the server.
struct Upkeep: Service {
    let janitor: Janitor
    let logger: Logger
    /// Seconds between looks for what has expired.
    private static let interval = 30.0
    /// Seconds between searches for what crashes left behind.
    private static let orphanInterval = 3600.0

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var nextOrphans = Date.distantPast
            while !Task.isCancelled {
                let isDue = Date() >= nextOrphans
                if isDue { nextOrphans = Date() + Self.orphanInterval }
                await work(withOrphans: isDue)
                try? await Task.sleep(for: .seconds(Self.interval))
            }
        }
    }

    private func work(withOrphans: Bool) async {
        do {
            let removed = try await janitor.removeExpired()
            if removed.files > 0 { logger.info("Removed \(removed.files) expired files.") }
            guard withOrphans else { return }
            let orphans = try await janitor.removeOrphans()
            if orphans > 0 { logger.info("Removed \(orphans) files that a crash left.") }
        } catch {
            logger.error("Expired files cannot be removed: \(error)")
        }
    }
}
