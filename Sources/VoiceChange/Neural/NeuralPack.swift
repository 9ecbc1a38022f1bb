import Foundation
import Inference

/// A neural voice of a pack, verified and loaded.
///
/// On disk it is a folder with `voice.json`, a ``NeuralManifest``, `voice.onnx` and `content.onnx`, as ``NeuralVoice`` takes them.
public struct NeuralPack: TargetVoice {
    public let manifest: NeuralManifest
    let voice: NeuralVoice

    static let voiceName = "voice.onnx"
    static let contentName = "content.onnx"

    /// Reads and verifies a pack.
    /// - Throws: ``VoiceError/refused(pack:reason:)``.
    public init(
        directory: URL, _ runtime: InferenceRuntime, threads: Int
    ) throws(VoiceError) {
        guard let manifest = try PackFile.readManifest(in: directory) as? NeuralManifest else {
            throw .refused(pack: directory.lastPathComponent, reason: "it is not a neural one")
        }
        for (name, hash) in manifest.sha256.sorted(by: { $0.key < $1.key }) {
            let file = directory.appendingPathComponent(name)
            let data = PackFile.contents(of: file, size: NetworkFile.sizes, options: .alwaysMapped)
            guard let data, PackFile.hash(data) == hash else {
                throw .refused(
                    pack: manifest.id,
                    reason: "its \(name) is missing or not the file that its manifest describes")
            }
        }
        self.manifest = manifest
        voice = try NeuralVoice(
            pack: manifest.id, in: directory, runtime, threads: threads,
            speaker: manifest.speaker, seed: manifest.seed)
    }

    public func makeConversion(
        _ settings: VoiceSettings, source: SourceVoice, pitch: PitchTrack, sampleRate: Int,
        weights: [Float]
    ) throws -> any VoiceConversion {
        try NeuralVoiceConverter(
            voice, median: manifest.medianFrequency, settings: settings, source: source,
            pitch: pitch, sampleRate: sampleRate, weights: weights)
    }
}

/// A neural voice from elsewhere that is to become a pack.
public struct NeuralPackContent: Sendable {
    public var description: VoicePackBuilder.Description
    /// The ONNX file of the voice.
    public var voice: URL
    /// The ONNX file of the content encoder.
    public var content: URL
    /// The voice's own median pitch in hertz; nil: not known.
    public var medianFrequency: Double?
    public var speaker: Int
    public var seed: Int

    public init(
        _ description: VoicePackBuilder.Description, voice: URL, content: URL,
        medianFrequency: Double? = nil, speaker: Int = 0, seed: Int = 0
    ) {
        self.description = description
        self.voice = voice
        self.content = content
        self.medianFrequency = medianFrequency
        self.speaker = speaker
        self.seed = seed
    }
}

extension VoiceLibrary {
    /// Copies a neural voice into a new pack below a folder, which is made where it is missing. The copies are loaded and
    /// have to speak before they count. The pack appears whole or not at all.
    /// - Parameter begin: Gets the folder in which the pack grows, to be removed should the program be stopped.
    /// - Returns: The pack's manifest.
    /// - Throws: ``VoiceError/refused(pack:reason:)`` where the files are not what they should be;
    ///   ``VoiceError/badID(_:)``, ``VoiceError/taken(id:)``, ``VoiceError/storage(reason:)``.
    @discardableResult
    public static func add(
        _ pack: NeuralPackContent, to directory: String, _ runtime: InferenceRuntime, threads: Int,
        begin: (URL) -> Void = { _ in }
    ) throws(VoiceError) -> NeuralManifest {
        let described = pack.description
        let files = [
            (NeuralPack.voiceName, try NetworkFile(pack.voice, pack: described.name)),
            (NeuralPack.contentName, try NetworkFile(pack.content, pack: described.name)),
        ]
        var added: NeuralManifest?
        try add(described.id, to: directory) { (draft) throws(VoiceError) in
            begin(draft)
            var sha256: [String: String] = [:]
            for (name, file) in files {
                do {
                    sha256[name] = try file.copy(
                        to: draft.appendingPathComponent(name), seed: pack.seed)
                } catch { throw .storage(reason: "\(directory) cannot be written to") }
            }
            let voice = try NeuralVoice(
                pack: described.name, in: draft, runtime, threads: threads, speaker: pack.speaker,
                seed: pack.seed)
            if pack.medianFrequency != nil, !voice.hasPitch {
                throw .refused(
                    pack: described.name,
                    reason: "it is not told a pitch, so it cannot be moved to one")
            }
            let manifest = NeuralManifest(
                format: 1, kind: NeuralManifest.kind, id: described.id, name: described.name,
                description: described.text, created: described.created,
                license: described.license, sources: described.sources, sha256: sha256,
                medianFrequency: pack.medianFrequency, speaker: pack.speaker, seed: pack.seed)
            if let fault = manifest.fault() { throw .refused(pack: described.name, reason: fault) }
            do { try PackFile.write(manifest, to: draft) } catch {
                throw .storage(reason: "\(directory) cannot be written to")
            }
            added = manifest
        }
        return added!
    }
}

extension NeuralVoice {
    /// Loads the networks of a pack's folder.
    fileprivate convenience init(
        pack: String, in directory: URL, _ runtime: InferenceRuntime, threads: Int, speaker: Int,
        seed: Int
    ) throws(VoiceError) {
        do throws(ModelError) {
            try self.init(
                name: pack, voice: directory.appendingPathComponent(NeuralPack.voiceName),
                encoder: directory.appendingPathComponent(NeuralPack.contentName), runtime,
                threads: threads, speaker: speaker, seed: seed)
        } catch {
            switch error {
            case .refused(_, let reason): throw .refused(pack: pack, reason: reason)
            case .inferenceFailed(_, let reason):
                throw .refused(pack: pack, reason: "its network does not run (\(reason))")
            default: throw .refused(pack: pack, reason: "\(error)")
            }
        }
    }
}
