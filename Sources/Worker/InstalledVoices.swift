import Foundation
import Tasks
import VoiceChange

/// The voice packs below some folders. They are looked up anew each time, so that all servers and workers of the folders see
/// what is made or removed while they run.
public struct InstalledVoices: VoiceCatalog {
    private let directories: [String]

    /// - Parameter directories: The first pack of an id wins.
    public init(directories: [String]) { self.directories = directories }

    public var library: VoiceLibrary { VoiceLibrary(directories: directories) }

    public func voicePacks(visibleTo licence: UUID) -> [VoicePack] {
        packs(visibleTo: licence).map(\.manifest).sorted { $0.created < $1.created }.map {
            VoicePack(
                id: $0.id, name: $0.name,
                created: Date(timeIntervalSince1970: Double($0.created)), isReady: true)
        }
    }

    /// Loads a voice that a licence may use.
    /// - Throws: ``VoiceError/unknown(id:)``, ``VoiceError/refused(pack:reason:)``.
    func voice(
        _ id: String, for licence: UUID, beside networks: VoiceNetworks
    ) throws(VoiceError) -> any TargetVoice {
        guard let pack = packs(visibleTo: licence).first(where: { $0.manifest.id == id }) else {
            throw .unknown(id: id)
        }
        return try pack.load(beside: networks)
    }

    private func packs(visibleTo licence: UUID) -> [VoiceLibrary.Pack] {
        library.visible(to: InstalledVoices.owner(licence))
    }

    /// How packs name the licence that owns them.
    public static func owner(_ licence: UUID) -> String { licence.uuidString.lowercased() }
}
