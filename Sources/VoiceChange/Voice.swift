import Foundation

/// A voice pack in memory, verified.
///
/// On disk it is a folder with `voice.json`, a ``VoiceManifest``, and `codebook.bin`: for each entry 93 half-precision
/// floats, little-endian: 48 features, 40 coefficients of the mel-cepstrum, 5 bands of aperiodicity in decibels.
public struct Voice: Sendable {
    public let manifest: VoiceManifest
    let codebook: TimbreCodebook

    static let codebookName = "codebook.bin"

    /// Reads and verifies a pack.
    /// - Throws: ``VoiceError/refused(pack:reason:)``.
    public init(directory: URL) throws(VoiceError) {
        guard let manifest = try PackFile.readManifest(in: directory) as? VoiceManifest else {
            throw .refused(
                pack: directory.lastPathComponent, reason: "it is not one with a codebook")
        }
        let size = manifest.entries * TimbreCodebook.entryWidth * 2
        guard
            let data = PackFile.contents(
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

    static func hash(_ data: Data) -> String { PackFile.hash(data) }
}
