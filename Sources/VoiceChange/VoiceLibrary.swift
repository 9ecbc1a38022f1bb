import Foundation

/// The voice packs that are installed, found by their manifests.
public struct VoiceLibrary: Sendable {
    /// A pack on disk: its manifest was read and makes sense; its other files were not looked at yet.
    public struct Pack: Sendable {
        public let manifest: any VoicePackManifest
        public let directory: URL

        /// Reads and verifies the pack.
        /// - Parameter networks: What runs beside a neural voice, which shares runtime and threads, and what other voices
        ///   are looked up by.
        /// - Throws: ``VoiceError/refused(pack:reason:)``.
        public func load(beside networks: VoiceNetworks) throws(VoiceError) -> any TargetVoice {
            manifest is NeuralManifest
                ? try NeuralPack(
                    directory: directory, networks.pitch.model.runtime,
                    threads: networks.pitch.threads)
                : try Voice(directory: directory, networks.content)
        }
    }

    /// Sorted by id.
    public private(set) var packs: [Pack] = []
    /// Why packs were refused, by the names of their folders, which are their ids.
    private var refusals: [(folder: String, reason: VoiceError)] = []
    /// What was refused, a sentence each.
    public var notes: [String] { refusals.map(\.reason.description) }

    /// - Parameter directories: Folders whose subfolders are packs (`<id>/voice.json`). The first pack of an id wins;
    ///   folders without a manifest are passed over.
    public init(directories: [String]) {
        for directory in directories {
            let folder = URL(fileURLWithPath: directory, isDirectory: true)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            for name in names.sorted() where !name.hasPrefix(".") {
                let pack = folder.appendingPathComponent(name, isDirectory: true)
                let file = pack.appendingPathComponent(PackFile.manifest).path
                guard FileManager.default.fileExists(atPath: file) else { continue }
                do {
                    let manifest = try PackFile.readManifest(in: pack)
                    guard !packs.contains(where: { $0.manifest.id == manifest.id }) else {
                        continue
                    }
                    packs.append(Pack(manifest: manifest, directory: pack))
                } catch { refusals.append((name, error)) }
            }
        }
        packs.sort { $0.manifest.id < $1.manifest.id }
    }

    /// The packs that a license may use: everybody's and its own.
    /// - Parameter license: The license's id; nil: only everybody's.
    public func visible(to license: String?) -> [Pack] {
        packs.filter { $0.manifest.license == nil || $0.manifest.license == license }
    }

    /// - Throws: ``VoiceError/refused(pack:reason:)``, ``VoiceError/unknown(id:)``.
    public func pack(_ id: String) throws(VoiceError) -> Pack {
        if let pack = packs.first(where: { $0.manifest.id == id }) { return pack }
        throw refusals.first { $0.folder == id }?.reason ?? .unknown(id: id)
    }

    /// Writes a new pack below a folder, which is made where it is missing. It appears whole or not at all.
    /// - Throws: ``VoiceError/badID(_:)``, ``VoiceError/taken(id:)``, ``VoiceError/storage(reason:)``.
    public static func add(_ pack: VoicePackContent, to directory: String) throws(VoiceError) {
        try add(pack.manifest.id, to: directory) { (draft) throws(VoiceError) in
            do {
                try pack.codebook.write(to: draft.appendingPathComponent(Voice.codebookName))
                try PackFile.write(pack.manifest, to: draft)
            } catch { throw .storage(reason: "\(directory) cannot be written to") }
        }
    }

    /// Adds a pack that `write` makes in a folder.
    static func add(
        _ id: String, to directory: String, write: (URL) throws(VoiceError) -> Void
    ) throws(VoiceError) {
        guard VoiceManifest.isID(id) else { throw .badID(id) }
        let files = FileManager.default
        let folder = URL(fileURLWithPath: directory, isDirectory: true)
        let place = folder.appendingPathComponent(id, isDirectory: true)
        let draft = folder.appendingPathComponent(".new-\(UUID().uuidString)", isDirectory: true)
        guard !files.fileExists(atPath: place.path) else { throw .taken(id: id) }
        defer { try? files.removeItem(at: draft) }
        do { try files.createDirectory(at: draft, withIntermediateDirectories: true) } catch {
            throw .storage(reason: "\(directory) cannot be written to")
        }
        try write(draft)
        // Fails where another pack of the id has come in between, as that folder is not empty.
        guard rename(draft.path, place.path) == 0 else {
            throw errno == EEXIST || errno == ENOTEMPTY
                ? .taken(id: id)
                : .storage(reason: "\(place.path): \(String(cString: strerror(errno)))")
        }
    }

    /// Removes a pack below a folder. It is gone at once, before its files are deleted.
    /// - Throws: ``VoiceError/badID(_:)``, ``VoiceError/unknown(id:)``, ``VoiceError/storage(reason:)``.
    public static func remove(_ id: String, from directory: String) throws(VoiceError) {
        guard VoiceManifest.isID(id) else { throw .badID(id) }
        let files = FileManager.default
        let folder = URL(fileURLWithPath: directory, isDirectory: true)
        let place = folder.appendingPathComponent(id, isDirectory: true)
        let grave = folder.appendingPathComponent(".old-\(UUID().uuidString)", isDirectory: true)
        guard files.fileExists(atPath: place.appendingPathComponent(PackFile.manifest).path) else {
            throw .unknown(id: id)
        }
        guard rename(place.path, grave.path) == 0 else {
            throw .storage(reason: "\(place.path): \(String(cString: strerror(errno)))")
        }
        do { try files.removeItem(at: grave) } catch {
            throw .storage(reason: "\(grave.path) cannot be deleted")
        }
    }
}
