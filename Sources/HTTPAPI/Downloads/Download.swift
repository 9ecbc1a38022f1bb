import Foundation
import HTTPTypes
import Hummingbird
import Tasks

extension API {
    /// `GET` and `HEAD` of a signed link to a track.
    func download(_ request: Request, _ context: APIContext) async throws -> Response {
        try await file(verifiedTarget(.download, request, context), request)
    }

    /// `GET` and `HEAD` of a signed link to what a page or a player shows.
    func inline(_ request: Request, _ context: APIContext) async throws -> Response {
        try await file(verifiedTarget(.inline, request, context), request)
    }

    private func file(_ target: LinkSigner.Target, _ request: Request) async throws -> Response {
        guard let size = try await blobs.size(target.blob) else {
            throw Self.deleted
        }
        // A blob never changes, so its key is as strong a validator as there can be.
        let tag = "\"\(target.blob.rawValue)\""
        var headers: HTTPFields = [
            .acceptRanges: "bytes",
            .eTag: tag,
            .cacheControl: "private, max-age=3600",
        ]
        if matches(request.headers[.ifNoneMatch], tag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = target.contentType
        if target.purpose == .download {
            headers[.contentDisposition] = ContentDisposition.attachment(target.name)
        }
        // Browsers must not guess that a file is a page of ours.
        headers[.xContentTypeOptions] = "nosniff"

        let parts: DownloadParts
        switch requestedRange(request, tag: tag, size: size) {
        case .full: parts = DownloadParts(size: size)
        case .parts(let ranges):
            parts = DownloadParts(ranges: ranges, size: size, contentType: target.contentType)
        case .unsatisfiable:
            throw APIError(
                status: .rangeNotSatisfiable, detail: "The file has \(size) bytes.",
                headers: [.contentRange: "bytes */\(size)", .acceptRanges: "bytes"])
        }
        for field in parts.headers { headers[field.name] = field.value }
        headers[.contentLength] = String(parts.length)
        guard request.method == .get, parts.length > 0 else {
            return Response(status: parts.status, headers: headers)
        }
        return Response(
            status: parts.status, headers: headers, body: try await body(of: parts, in: target.blob)
        )
    }

    private func body(of parts: DownloadParts, in blob: BlobKey) async throws -> ResponseBody {
        var streams: [AsyncThrowingStream<[UInt8], any Error>] = []
        do {
            // All are opened before the answer begins: a deletion meanwhile does not cut it short.
            for part in parts.parts {
                streams.append(try await blobs.read(blob, range: part.range))
            }
        } catch {
            // Deleted since its size was read?
            guard try await blobs.size(blob) == nil else { throw error }
            throw Self.deleted
        }
        return ResponseBody(contentLength: parts.length) { [streams] writer in
            for (part, bytes) in zip(parts.parts, streams) {
                if !part.head.isEmpty { try await writer.write(ByteBuffer(string: part.head)) }
                for try await piece in bytes { try await writer.write(ByteBuffer(bytes: piece)) }
            }
            if !parts.end.isEmpty { try await writer.write(ByteBuffer(string: parts.end)) }
            try await writer.finish(nil)
        }
    }

    static var deleted: APIError {
        APIError(status: .notFound, detail: "The file has been deleted.")
    }

    /// What a link leads to, if it is a good one.
    func verifiedTarget(
        _ purpose: LinkSigner.Purpose, _ request: Request, _ context: APIContext
    ) throws -> LinkSigner.Target {
        let query = request.uri.queryParameters
        let target = LinkSigner.Target(
            purpose, BlobKey(rawValue: context.parameters.get("blob") ?? ""),
            name: context.parameters.get("name")?.removingPercentEncoding ?? "",
            contentType: query["type"].map(String.init) ?? "")
        do {
            try links.verify(
                target, expires: query["expires"].map(String.init) ?? "",
                signature: query["signature"].map(String.init) ?? "", now: tasks.now())
        } catch .badSignature {
            throw APIError(
                status: .forbidden, detail: "The link is not complete, or is not of this server.")
        } catch .expired {
            throw APIError(
                status: .gone, detail: "The link has expired. Ask for the task again.")
        }
        return target
    }

    /// Ranges are for `GET` only, and count only for the file that the client has a part of.
    private func requestedRange(_ request: Request, tag: String, size: Int64) -> ByteRange {
        guard request.method == .get else { return .full }
        if let condition = request.headers[.ifRange], condition != tag { return .full }
        return ByteRange(request.headers[.range], size: size)
    }

    /// Whether a list of tags has this one. Weak tags count here (RFC 9110, section 13.1.2).
    private func matches(_ list: String?, _ tag: String) -> Bool {
        guard let list else { return false }
        return list.split(separator: ",").contains { item in
            let item = item.trimmingCharacters(in: .whitespaces)
            return item == "*" || item == tag || item == "W/" + tag
        }
    }
}
