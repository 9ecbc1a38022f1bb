import Crypto
import Foundation

/// A voice pack in memory, verified.
///
/// On disk it is a folder with `voice.json`, a ``VoiceManifest``, and `codebook.bin`: for each entry 93 half-precision
/// floats, little-endian: 48 features, 40 coefficients of the mel-cepstrum, 5 bands of aperiodicity in decibels.
public struct Voice: Sendable {
    public let manifest: VoiceManifest
    let codebook: TimbreCodebook

    static let manifestName = "voice.json"
    static let codebookName = "codebook.bin"
    private static let manifestLimit = 1 << 20

    /// Reads and verifies a pack.
    /// - Throws: ``VoiceError/refused(pack:reason:)``.
    public init(directory: URL) throws(VoiceError) {
        let manifest = try Self.manifest(in: directory)
        let size = manifest.entries * TimbreCodebook.entryWidth * 2
        guard
            let data = Self.contents(
                of: directory.appendingPathComponent(Self.codebookName), size: size...size)
        else {
            throw .refused(
                pack: manifest.id,
                reason: "its codebook is missing or has not the size that its manifest says")
        }
        guard Self.hash(data) == manifest.sha256 else {
            throw .refused(
                pack: manifest.id, reason: "its codebook is not the one that its manifest describes"
            )
        }
        let entries = data.withUnsafeBytes { bytes in
            bytes.bindMemory(to: UInt16.self).map {
                Float(Float16(bitPattern: UInt16(littleEndian: $0)))
            }
        }
        guard entries.allSatisfy({ abs($0) < 1000 }) else {
            throw .refused(pack: manifest.id, reason: "its codebook holds what no voice has")
        }
        self.manifest = manifest
        codebook = TimbreCodebook(entries: entries)
    }

    /// A pack's manifest alone; the codebook is not looked at.
    static func manifest(in directory: URL) throws(VoiceError) -> VoiceManifest {
        let name = directory.lastPathComponent
        guard
            let data = contents(
                of: directory.appendingPathComponent(manifestName), size: 2...manifestLimit),
            let manifest = try? JSONDecoder().decode(VoiceManifest.self, from: data)
        else { throw .refused(pack: name, reason: "its voice.json cannot be read") }
        if let fault = manifest.fault() { throw .refused(pack: name, reason: fault) }
        if manifest.id != name {
            throw .refused(pack: name, reason: "its folder has not the name of its id")
        }
        return manifest
    }

    /// Writes a pack into a folder that exists.
    static func write(_ manifest: VoiceManifest, _ codebook: Data, to directory: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try codebook.write(to: directory.appendingPathComponent(codebookName))
        try encoder.encode(manifest).write(to: directory.appendingPathComponent(manifestName))
    }

    static func hash(_ data: Data) -> String {
        SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
    }

    /// A plain file's contents, if its size is within bounds. Links, devices and pipes are not read.
    private static func contents(of file: URL, size: ClosedRange<Int>) -> Data? {
        guard
            let attributes = try? FileManager.default.attributesOfItem(atPath: file.path),
            attributes[.type] as? FileAttributeType == .typeRegular,
            let bytes = attributes[.size] as? NSNumber, size.contains(bytes.intValue),
            let data = try? Data(contentsOf: file), size.contains(data.count)
        else { return nil }
        return data
    }
}
