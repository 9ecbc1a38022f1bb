import Foundation
import Subprocess

/// A picture that belongs to a recording.
public struct Cover: Sendable, Hashable {
    /// Which of the source's streams it is.
    let stream: Int
    /// What all containers for tracks have.
    enum Kind: String { case jpeg = "mjpeg", png }
    let kind: Kind
    /// Pixels.
    let width: Int
    let height: Int
}

/// A cover in a file of its own.
struct CoverFile: Sendable {
    let cover: Cover
    let path: String
    /// The same as a vorbis comment, in ffmpeg's format for tags.
    let comment: String
}

extension MediaTools {
    /// Bytes of a cover; a larger one is left out.
    private static let coverBytes = 16 << 20

    /// Takes the cover out of a recording.
    /// - Parameter folder: Where the files are made.
    /// - Returns: `nil` where it is damaged or too large: sound without a picture is a result, too.
    func cover(
        _ cover: Cover, of file: String, folder: String
    ) async -> CoverFile? {
        let arguments =
            ["-nostdin", "-hide_banner", "-v", "quiet"] + MediaTools.input(file) + [
                "-map", "0:\(cover.stream)", "-c", "copy", "-frames:v", "1", "-f", "image2pipe",
                "pipe:1",
            ]
        let configuration = configuration(ffmpeg, arguments)
        let bytes = try? await within(seconds: limits.probeTime) {
            try await run(
                configuration, input: .none, output: .bytes(limit: MediaTools.coverBytes),
                error: .discarded
            ).standardOutput
        }
        guard let bytes, !bytes.isEmpty else { return nil }
        let path = "\(folder)/cover.\(cover.kind == .jpeg ? "jpg" : "png")"
        let comment = "\(folder)/cover.txt"
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            // Base64 has one character that the format gives a meaning.
            let block = cover.block(bytes).base64EncodedString()
                .replacingOccurrences(of: "=", with: "\\=")
            try Data(";FFMETADATA1\nMETADATA_BLOCK_PICTURE=\(block)\n".utf8)
                .write(to: URL(fileURLWithPath: comment))
        } catch {
            return nil
        }
        return CoverFile(cover: cover, path: path, comment: comment)
    }
}

extension Cover {
    /// The picture as FLAC and, in base64, Ogg have it (RFC 9639, section 8.8).
    fileprivate func block(_ picture: [UInt8]) -> Data {
        var block = Data()
        func append(_ number: Int) {
            withUnsafeBytes(of: UInt32(clamping: number).bigEndian) { block.append(contentsOf: $0) }
        }
        let type = kind == .jpeg ? "image/jpeg" : "image/png"
        append(3)  // The front cover.
        append(type.utf8.count)
        block.append(contentsOf: type.utf8)
        append(0)  // No description.
        append(width)
        append(height)
        append(24)  // Bits of a pixel.
        append(0)  // Colors of a palette.
        append(picture.count)
        block.append(contentsOf: picture)
        return block
    }
}
