import Foundation
import HTTPTypes
import Hummingbird
import Tasks

extension API {
    /// `POST /api/v1/upload/`: the body is the file, its name is in `Content-Disposition`.
    func upload(_ request: Request, _ context: APIContext) async throws -> Response {
        let licence = try context.requireLicence()
        guard let name = request.headers[.contentDisposition].flatMap(ContentDisposition.fileName)
        else {
            throw APIError.refused(
                "missing_filename",
                "Name the file in the Content-Disposition header: attachment; filename=song.mp3")
        }
        let declared = request.headers[.contentLength].flatMap { Int64($0) }
        if let declared { try requireAllowed(size: declared, licence) }

        try await context.acceptBody(of: request)
        let writer = try await blobs.makeWriter()
        let size: Int64
        do {
            size = try await receive(request.body, declared: declared, into: writer, licence)
        } catch {
            await writer.discard()
            throw error
        }
        let source: Source
        do {
            source = try await tasks.addSource(
                from: writer, name: name, size: size, licence: licence)
        } catch let error as UnreadableMedia {
            throw APIError.refused(error.code, error.detail)
        }
        return .json([
            "id": .string(source.id.text),
            "name": .string(source.name),
            "size": .integer(source.size),
            "duration": .integer(wholeSeconds(source.duration)),
            "expires": .integer(Int64(source.expires.timeIntervalSince1970)),
        ])
    }

    /// - Returns: Bytes received, more than none.
    private func receive(
        _ body: RequestBody, declared: Int64?, into writer: any BlobWriter, _ licence: Licence
    ) async throws -> Int64 {
        var size: Int64 = 0
        var iterator = body.makeAsyncIterator()
        while let buffer = try await next(&iterator) {
            size += Int64(buffer.readableBytes)
            try requireAllowed(size: size, licence)
            try await writer.write(buffer.readableBytesView)
        }
        // The framework does not always tell an end from a broken connection.
        if let declared, size != declared { throw Self.incomplete }
        guard size > 0 else {
            throw APIError.refused("empty_file", "The file is empty.")
        }
        return size
    }

    private func next(_ iterator: inout RequestBody.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await iterator.next()
        } catch {
            throw Self.incomplete
        }
    }

    private static var incomplete: APIError {
        .refused("incomplete_body", "The upload broke off before its end. Nothing was kept.")
    }

    private func requireAllowed(size: Int64, _ licence: Licence) throws {
        if size > configuration.maximumUploadSize {
            throw APIError.exceededSize(limit: configuration.maximumUploadSize, of: "server")
        }
        if let limit = licence.terms.maximumSize, size > limit {
            throw APIError.exceededSize(limit: limit, of: "license")
        }
    }
}

/// As durations are sent: rounded to seconds.
func wholeSeconds(_ seconds: Double) -> Int64 { Int64(max(0, seconds.rounded())) }

extension UUID {
    /// As ids are sent: lower case.
    var text: String { uuidString.lowercased() }
}
