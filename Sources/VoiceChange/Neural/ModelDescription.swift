import Foundation

/// The descriptions, by key, that an ONNX file carries beside its network.
///
/// ONNX is a protocol-buffer message `ModelProto` whose field 14, `metadata_props`, holds pairs of key (1) and value (2)
/// (onnx.proto of ONNX 1.19). All else, the network itself above all, is skipped unread.
enum ModelDescription {
    /// - Returns: An empty dictionary where the file is no ONNX file.
    static func read(_ file: URL) -> [String: String] {
        guard let data = try? Data(contentsOf: file, options: .alwaysMapped),
            let model = MessageFields(data)
        else { return [:] }
        var descriptions: [String: String] = [:]
        for pair in model[14].compactMap(MessageFields.init) {
            if let key = pair.text(1), let value = pair.text(2) { descriptions[key] = value }
        }
        return descriptions
    }
}
