import Foundation

/// A voice pack in memory, verified.
///
/// On disk it is a folder with `voice.json`, a ``VoiceManifest``, and `codebook.bin`, half-precision floats, little-endian: the
/// entries of voiced frames, 48 features of its content, 40 coefficients of the mel-cepstrum and 5 bands of aperiodicity in
/// decibels for each, and their ``TimbreRegression``; then both of unvoiced frames, if there were enough.
public struct Voice: Sendable {
    public let manifest: VoiceManifest
    let voiced: TimbreModel
    /// Nil: the speaker's unvoiced frames are not known.
    let unvoiced: TimbreModel?
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
        let size = manifest.numbers * 2
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
        let split = TimbreModel.count(entries: manifest.entries)
        voiced = TimbreModel(values[..<split], spread: manifest.statistics.spread)
        unvoiced = manifest.unvoiced.map { TimbreModel(values[split...], spread: $0.spread) }
    }

    static func hash(_ data: Data) -> String { PackFile.hash(data) }
}
