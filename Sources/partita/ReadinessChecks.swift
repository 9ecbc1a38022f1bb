import FileBlobs
import Foundation
import HTTPAPI

/// What `/readyz` looks at beyond what the API knows by itself.
extension ReadinessCheck {
    /// Room for uploads and results.
    static func disk(_ blobs: FileBlobs) -> ReadinessCheck {
        ReadinessCheck("disk") {
            guard let free = try? await blobs.freeSpace() else {
                return "The data folder is not there."
            }
            return free >= 1 << 30 ? nil : "Less than 1 GiB of disk space is left."
        }
    }

    /// The inference runtime, and one model at least.
    static let models = ReadinessCheck("models") {
        guard FileManager.default.fileExists(atPath: Installation.runtime()) else {
            return "The inference runtime is not installed."
        }
        return Installation.library().packs.isEmpty ? "No model is installed." : nil
    }
}
