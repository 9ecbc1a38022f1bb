import Foundation
import HTTPTypes
import Hummingbird
import Tasks

extension API {
    /// `GET` and `HEAD /api/v1/tasks/{task_id}/archive.zip`: all tracks in one file.
    func taskArchive(_ request: Request, _ context: APIContext) async throws -> Response {
        let task = try await requireTask(context)
        let tracks = try await storedTracks(of: task)
        let source = try await tasks.source(of: task)
        let names = EntryNames.unique(tracks.map(\.name))
        let archive = ZipArchive(
            zip(names, tracks).map { ZipArchive.Entry(name: $0, size: $1.size) },
            modified: task.created)
        let name = EntryNames.parts(source?.name ?? "tracks").stem + ".zip"
        let headers: HTTPFields = [
            .contentType: "application/zip",
            .contentDisposition: ContentDisposition.attachment(name),
            .contentLength: String(archive.length),
            // What a key opens is in no cache's gift.
            .cacheControl: "no-store",
            .xContentTypeOptions: "nosniff",
        ]
        guard request.method == .get else { return Response(status: .ok, headers: headers) }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(contentLength: Int(archive.length)) { [blobs] writer in
                var checksums: [UInt32] = []
                for (index, track) in tracks.enumerated() {
                    // Each file is read twice, so that its header can have the checksum: some programs
                    // cannot unpack stored files whose checksum comes later.
                    var checksum = Checksum()
                    for try await piece in try await blobs.read(track.blob, range: 0..<track.size) {
                        checksum.update(piece)
                    }
                    checksums.append(checksum.value)
                    let header = archive.header(index, checksum: checksum.value)
                    try await writer.write(ByteBuffer(bytes: header))
                    for try await piece in try await blobs.read(track.blob, range: 0..<track.size) {
                        try await writer.write(ByteBuffer(bytes: piece))
                    }
                }
                let directory = archive.directory(checksums: checksums)
                try await writer.write(ByteBuffer(bytes: directory))
                try await writer.finish(nil)
            })
    }

    /// - Throws: `APIError` where the task has no tracks, or no longer.
    private func storedTracks(of task: SplitTask) async throws -> [Track] {
        switch task.status {
        case .queued, .running:
            throw APIError.refused(
                "task_not_finished",
                "The task is not finished yet. Its archive is there once `check` says `success`.")
        case .error, .cancelled:
            throw APIError.refused(
                "task_without_tracks", "The task has no tracks: it failed or was cancelled.")
        case .success:
            for track in task.tracks {
                guard try await blobs.size(track.blob) == track.size else {
                    throw APIError(
                        status: .notFound, detail: "The files of this task have been deleted.")
                }
            }
            return task.tracks
        }
    }
}
