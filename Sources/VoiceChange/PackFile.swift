import Crypto
import Foundation

/// The files of a pack's folder.
enum PackFile {
    static let manifest = "voice.json"
    private static let manifestLimit = 1 << 20

    /// A pack's manifest alone; nothing else is looked at.
    /// - Throws: ``VoiceError/refused(pack:reason:)``.
    static func readManifest(in directory: URL) throws(VoiceError) -> any VoicePackManifest {
        struct Header: Decodable {
            let kind: String
            let format: Int
        }
        let name = directory.lastPathComponent
        let file = directory.appendingPathComponent(manifest)
        let decoder = JSONDecoder()
        guard let data = contents(of: file, size: 2...manifestLimit),
            let header = try? decoder.decode(Header.self, from: data)
        else { throw .refused(pack: name, reason: "its voice.json cannot be read") }
        let types: [any VoicePackManifest.Type] = [VoiceManifest.self, NeuralManifest.self]
        // What is of no known kind is refused in the words of the first.
        let type = types.first { $0.kind == header.kind } ?? VoiceManifest.self
        if header.format != type.format {
            throw .refused(pack: name, reason: type.formatFault(header.format))
        }
        guard let manifest = try? decoder.decode(type, from: data) else {
            throw .refused(pack: name, reason: "its voice.json cannot be read")
        }
        if let fault = manifest.fault() { throw .refused(pack: name, reason: fault) }
        if manifest.id != name {
            throw .refused(pack: name, reason: "its folder has not the name of its id")
        }
        return manifest
    }

    static func write(_ manifest: some VoicePackManifest, to directory: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(manifest).write(to: directory.appendingPathComponent(Self.manifest))
    }

    /// A plain file's contents, if its size is within bounds. Links, devices and pipes are not read.
    static func contents(
        of file: URL, size: ClosedRange<Int>, options: Data.ReadingOptions = []
    ) -> Data? {
        guard
            let attributes = try? FileManager.default.attributesOfItem(atPath: file.path),
            attributes[.type] as? FileAttributeType == .typeRegular,
            let bytes = attributes[.size] as? NSNumber, size.contains(bytes.intValue),
            let data = try? Data(contentsOf: file, options: options), size.contains(data.count)
        else { return nil }
        return data
    }

    /// SHA-256, lower-case hex.
    static func hash(_ data: Data) -> String { hex(SHA256.hash(data: data)) }

    static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { String(format: "%02x", $0) }.joined()
    }
}
