import Crypto
import Foundation

/// A model pack on disk: its manifest was read and makes sense; its weights were not looked at yet.
public struct ModelPack<Manifest: PackDescription>: Sendable {
    public let manifest: Manifest
    /// The folder of the pack.
    public let directory: URL

    public init(manifest: Manifest, directory: URL) {
        self.manifest = manifest
        self.directory = directory
    }

    /// The file of its network.
    public var network: URL { directory.appendingPathComponent("model.onnx") }

    /// Compares the files' hashes with the manifest.
    /// - Throws: ``ModelError/refused(pack:reason:)``.
    public func verify() throws(ModelError) {
        for (file, expected) in manifest.sha256.sorted(by: { $0.key < $1.key }) {
            guard
                let data = try? Data(
                    contentsOf: directory.appendingPathComponent(file), options: .alwaysMapped)
            else {
                throw .refused(pack: manifest.name, reason: "\(file) cannot be read")
            }
            let actual = SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
            if actual != expected {
                throw .refused(
                    pack: manifest.name,
                    reason:
                        "\(file) is not the file that the manifest describes (SHA-256 \(actual))")
            }
        }
    }
}

/// What the manifest of a pack of any kind says.
public protocol PackDescription: Decodable, Sendable {
    /// The version of the manifest's format, and the one that is read.
    var format: Int { get }
    static var readFormat: Int { get }
    var name: String { get }
    var version: String { get }
    var licence: String { get }
    /// SHA-256 by file name, lower-case hex.
    var sha256: [String: String] { get }
    /// What it gives, by the names of the API, sorted.
    var offered: [String] { get }
    /// What is wrong with the manifest, as far as it can be told without the network.
    func fault() -> String?
}

extension PackDescription {
    public static var readFormat: Int { 1 }

    /// What is wrong with what manifests of all kinds say.
    public func generalFault() -> String? {
        if format != Self.readFormat {
            return "its format \(format) is not one that this version reads"
        }
        return sha256["model.onnx"] == nil ? "it names no SHA-256 of model.onnx" : nil
    }
}
