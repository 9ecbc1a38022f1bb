import Foundation
import Inference

/// The model packs that are installed, found by their manifests.
public struct ModelLibrary: Sendable {
    /// Packs that divide by masks.
    public private(set) var packs: [ModelPack<PackManifest>] = []
    /// The pack that takes a voice out of noise.
    public private(set) var voice: ModelPack<DeepFilterManifest>?
    /// The pack that finds the pitch of a voice.
    public private(set) var pitch: ModelPack<PitchManifest>?
    /// The pack that tells what a voice says.
    public private(set) var content: ModelPack<ContentManifest>?
    /// How masks of several packs are fused, where a file says so and its packs are here.
    public private(set) var fusion: Fusion?
    /// What is missing or was refused, a sentence each.
    public private(set) var notes: [String] = []
    /// A folder for compiled networks; `nil`: compile at every start.
    public let cache: String?

    /// - Parameter directories: Folders whose subfolders are packs (`<name>/model.json`), and which may
    ///   hold a `fusion.json`. The first pack of a name wins. A pack whose weights are not there is noted.
    public init(directories: [String], cache: String?) {
        self.cache = cache
        var missing: [String: String] = [:]
        for directory in directories {
            let folder = URL(fileURLWithPath: directory, isDirectory: true)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            for name in names.sorted() {
                read(folder.appendingPathComponent(name, isDirectory: true), missing: &missing)
            }
            readFusion(folder.appendingPathComponent("fusion.json"))
        }
        for (name, note) in missing.sorted(by: { $0.key < $1.key })
        where pack(named: name) == nil && voice?.manifest.name != name
            && pitch?.manifest.name != name && content?.manifest.name != name
        {
            notes.append(note)
        }
        // What divides a stem of another pack is of no use without it.
        let manifests = packs.map(\.manifest)
        packs.removeAll { pack in
            guard let fault = pack.manifest.fault(beside: manifests) else {
                return false
            }
            notes.append("The model pack \(pack.manifest.name) was refused: \(fault).")
            return true
        }
        if let fusion, !fusion.packs.allSatisfy({ pack(named: $0) != nil }) { self.fusion = nil }
    }

    /// The stems that installed packs can separate, sorted.
    public var stems: [String] { Set(packs.flatMap(\.manifest.offered)).sorted() }

    func pack(named name: String) -> ModelPack<PackManifest>? {
        packs.first { $0.manifest.name == name }
    }

    private mutating func read(_ folder: URL, missing: inout [String: String]) {
        let file = folder.appendingPathComponent("model.json")
        guard let data = try? Data(contentsOf: file) else { return }
        struct Kind: Decodable { let kind: String }
        do {
            let decoder = JSONDecoder()
            switch try decoder.decode(Kind.self, from: data).kind {
            case "deep_filter":
                let manifest = try decoder.decode(DeepFilterManifest.self, from: data)
                if let pack = install(manifest, folder, &missing), voice == nil { voice = pack }
            case "pitch":
                let manifest = try decoder.decode(PitchManifest.self, from: data)
                if let pack = install(manifest, folder, &missing), pitch == nil { pitch = pack }
            case "content":
                let manifest = try decoder.decode(ContentManifest.self, from: data)
                if let pack = install(manifest, folder, &missing), content == nil { content = pack }
            default:
                let manifest = try decoder.decode(PackManifest.self, from: data)
                if let pack = install(manifest, folder, &missing),
                    self.pack(named: manifest.name) == nil
                {
                    packs.append(pack)
                }
            }
        } catch {
            notes.append(
                "The model pack in \(folder.path) was refused: its model.json cannot be read.")
        }
    }

    /// The pack, where it makes sense and its weights are there.
    private mutating func install<Manifest>(
        _ manifest: Manifest, _ folder: URL, _ missing: inout [String: String]
    ) -> ModelPack<Manifest>? {
        let pack = ModelPack(manifest: manifest, directory: folder)
        if let fault = manifest.fault() {
            notes.append("The model pack \(manifest.name) was refused: \(fault).")
        } else if !FileManager.default.fileExists(atPath: pack.network.path) {
            missing[manifest.name] =
                "The model pack \(manifest.name) is known, but its weights are not installed."
        } else {
            return pack
        }
        return nil
    }

    private mutating func readFusion(_ file: URL) {
        guard fusion == nil, let data = try? Data(contentsOf: file) else { return }
        do {
            let candidate = try JSONDecoder().decode(Fusion.self, from: data)
            if let fault = candidate.fault() {
                notes.append("\(file.path) was refused: \(fault).")
            } else {
                fusion = candidate
            }
        } catch {
            notes.append("\(file.path) was refused: it cannot be read.")
        }
    }
}
