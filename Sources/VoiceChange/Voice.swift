import Foundation

/// A voice pack in memory, verified.
///
/// On disk it is a folder with `voice.json`, a ``VoiceManifest``, and `codebook.bin`, half-precision floats, little-endian: for
/// each entry 48 features of its content, 40 coefficients of the mel-cepstrum, 5 bands of aperiodicity in decibels; then the
/// ``TimbreRegression``.
public struct Voice: Sendable {
    public let manifest: VoiceManifest
    let codebook: TimbreCodebook
    let regression: TimbreRegression
    /// What its features come from.
    let content: ContentNetwork

    static let codebookName = "codebook.bin"

    /// Reads and verifies a pack.
    /// - Parameter content: The network that it was made with.
    /// - Throws: ``VoiceError/refused(pack:reason:)``.
    public init(directory: URL, _ content: ContentNetwork) throws(VoiceError) {
        guard let manifest = try PackFile.readManifest(in: directory) as? VoiceManifest else {
            throw .refused(
                pack: directory.lastPathComponent, reason: "it is not one with a codebook")
        }
        guard manifest.content == content.sha256 else {
            throw .refused(
                pack: manifest.id,
                reason: "it was made with another content network; make it again")
        }
        let numbers = manifest.entries * TimbreCodebook.entryWidth
        let size = (numbers + TimbreRegression.count) * 2
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
        let values = data.withUnsafeBytes { bytes in
            bytes.bindMemory(to: UInt16.self).map {
                Float(Float16(bitPattern: UInt16(littleEndian: $0)))
            }
        }
        guard values.allSatisfy({ abs($0) < 1000 }) else {
            throw .refused(pack: manifest.id, reason: "its codebook holds what no voice has")
        }
        self.manifest = manifest
        self.content = content
        codebook = TimbreCodebook(entries: Array(values[..<numbers]))
        regression = TimbreRegression(weights: Array(values[numbers...]))
    }

    static func hash(_ data: Data) -> String { PackFile.hash(data) }
}
