import Crypto
import Foundation

/// An ONNX file from elsewhere.
///
/// Exports of voices draw random numbers inside the network, and without a seed others in every run. So a copy gets seeds: ONNX's
/// `ModelProto.graph` (7) has nodes (1), each with its `op_type` (4) and attributes (5), of which `seed` is a float.
struct NetworkFile {
    /// Bytes that it can have; no message is larger.
    static let sizes = 1...Int(Int32.max)

    private static let graph = 7
    private static let node = 1
    private static let kind = 4
    private static let attribute = 5
    private static let random: Set = [
        "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
    ]

    private let model: MessageFields

    /// - Parameters:
    ///   - file: A file or a link to one.
    ///   - pack: What errors call the pack that it is for.
    /// - Throws: ``VoiceError/refused(pack:reason:)`` where it is no ONNX file.
    init(_ file: URL, pack: String) throws(VoiceError) {
        let name = file.lastPathComponent
        let real = file.resolvingSymlinksInPath()
        let attributes = try? FileManager.default.attributesOfItem(atPath: real.path)
        guard let attributes else {
            throw .refused(pack: pack, reason: "there is no file \(file.path)")
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw .refused(pack: pack, reason: "\(name) is a folder or a device, not a file")
        }
        let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
        if size > Self.sizes.upperBound {
            throw .refused(pack: pack, reason: "\(name) is larger than an ONNX file can be (2 GiB)")
        }
        guard let data = try? Data(contentsOf: real, options: .alwaysMapped) else {
            throw .refused(pack: pack, reason: "\(name) cannot be read")
        }
        guard let model = MessageFields(data), !model[Self.graph].isEmpty else {
            throw .refused(
                pack: pack,
                reason:
                    "\(name) is not an ONNX file (a checkpoint, .pth, has to be exported to one first)"
            )
        }
        self.model = model
    }

    /// Writes a copy in which all random numbers have a seed.
    /// - Returns: Its SHA-256, lower-case hex.
    /// - Throws: What `FileHandle` throws.
    func copy(to file: URL, seed: Int) throws -> String {
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var hash = SHA256()
        for piece in pieces(seed: seed) {
            hash.update(data: piece)
            try handle.write(contentsOf: piece)
        }
        try handle.close()
        return PackFile.hex(hash.finalize())
    }

    /// The file with seeds; what does not change is shared.
    private func pieces(seed: Int) -> [Data] {
        var pieces: [Data] = []
        var drawn = 0
        for field in model.fields {
            guard field.number == Self.graph, let content = field.content,
                let graph = MessageFields(content)
            else {
                pieces.append(field.whole)
                continue
            }
            var inner: [Data] = []
            for field in graph.fields {
                if field.number == Self.node, let node = field.content, Self.isUnseeded(node) {
                    drawn += 1
                    let attribute = Self.seed(seed * 1009 + drawn)
                    inner.append(
                        MessageFields.header(Self.node, count: node.count + attribute.count))
                    inner += [node, attribute]
                } else {
                    inner.append(field.whole)
                }
            }
            let count = inner.reduce(0) { $0 + $1.count }
            pieces.append(MessageFields.header(Self.graph, count: count))
            pieces += inner
        }
        return pieces
    }

    /// Whether a node draws random numbers that are others in every run.
    private static func isUnseeded(_ node: Data) -> Bool {
        guard let node = MessageFields(node), random.contains(node.text(kind) ?? "") else {
            return false
        }
        return !node[attribute].compactMap(MessageFields.init).contains { $0.text(1) == "seed" }
    }

    /// An attribute `seed` of a node: `name` (1), `f` (2), `type` (20), which is 1 for a float.
    private static func seed(_ value: Int) -> Data {
        var content = MessageFields.header(1, count: 4) + Data("seed".utf8)
        content.append(2 << 3 | 5)
        withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { content.append(contentsOf: $0) }
        content += [0xa0, 0x01, 1]
        return MessageFields.header(attribute, count: content.count) + content
    }
}
