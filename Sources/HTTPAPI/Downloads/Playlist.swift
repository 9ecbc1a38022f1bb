import Foundation
import HTTPTypes
import Hummingbird
import Tasks

extension Track {
    /// The track itself.
    var download: LinkSigner.Target {
        .init(.download, blob, name: name, contentType: contentType)
    }

    /// Its peaks.
    var waveformFile: LinkSigner.Target? {
        waveform.map {
            .init(.inline, $0, name: "waveform.json", contentType: "application/json")
        }
    }

    /// Its playlist. The link names the blob of the stream, so that serving it asks no database either.
    var playlistFile: LinkSigner.Target? {
        guard let playlist, let stream else { return nil }
        return .init(
            .playlist, playlist, name: stream.rawValue + Playlist.ending,
            contentType: "application/vnd.apple.mpegurl")
    }
}

private enum Playlist {
    /// Players go by it.
    static let ending = ".m3u8"
    /// What stored playlists call their stream, and what it is then.
    static let streams = [("stream.mp4", "audio/mp4"), ("stream.ts", "video/mp2t")]
}

extension API {
    /// `GET` and `HEAD` of a signed link to a playlist (HLS, RFC 8216).
    ///
    /// The link to the stream is put in now, good for as long as any new link.
    func playlist(_ request: Request, _ context: APIContext) async throws -> Response {
        let target = try verifiedTarget(.playlist, request, context)
        guard let size = try await blobs.size(target.blob) else { throw Self.deleted }
        var bytes: [UInt8] = []
        for try await piece in try await blobs.read(target.blob, range: 0..<size) { bytes += piece }
        var text = String(decoding: bytes, as: UTF8.self)
        if let (name, type) = Playlist.streams.first(where: { text.contains($0.0) }) {
            let stream = LinkSigner.Target(
                .inline, BlobKey(rawValue: String(target.name.dropLast(Playlist.ending.count))),
                name: name, contentType: type)
            let link = publicURL(for: request) + links.path(to: stream, now: tasks.now())
            text = text.replacingOccurrences(of: name, with: link)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: target.contentType,
                // The links in it expire.
                .cacheControl: "private, no-cache",
                .xContentTypeOptions: "nosniff",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
