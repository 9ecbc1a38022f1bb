import Foundation
import Logging
import Media
import Tasks

/// Makes the files of a job blobs, and from each what goes with a track: its waveform and its playlist.
struct TrackPublisher: Sendable {
    let blobs: any BlobStore
    let tools: MediaTools
    let makesPlaylists: Bool
    /// Is told of waveforms and playlists that could not be made.
    let logger: Logger

    /// Publishes every file of the result, or none.
    /// - Returns: The tracks, in the order of the outputs.
    func publish(_ result: JobResult, sourceName: String) async throws -> [Track] {
        let published = await withTaskGroup(of: (Int, Result<Track, any Error>).self) { group in
            for index in result.outputs.indices {
                group.addTask { (index, await track(index, of: result, sourceName: sourceName)) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        do {
            // Not in the middle of a shutdown or of a lost lease.
            try Task.checkCancellation()
            return try published.map { try $0.get() }
        } catch {
            await delete(published.compactMap { try? $0.get() })
            throw error
        }
    }

    func delete(_ tracks: [Track]) async {
        for blob in tracks.flatMap(\.blobs) { try? await blobs.delete(blob) }
    }

    private func track(
        _ index: Int, of result: JobResult, sourceName: String
    ) async -> Result<Track, any Error> {
        let output = result.outputs[index]
        let waveform = await optional("waveform", of: output) {
            try await blob(of: result.waveforms[index].json)
        }
        let streaming =
            makesPlaylists
            ? await optional("playlist", of: output) { try await stream(output, result.info) } : nil
        do {
            let size = try FileManager.default.attributesOfItem(atPath: output.path)[.size]
            let base = (sourceName as NSString).deletingPathExtension
            return .success(
                Track(
                    kind: output.isBack ? .back : .stem, label: output.label,
                    name: "\(base)_\(output.label).\(output.format.fileExtension)",
                    blob: try await blobs.adopt(file: output.path),
                    size: (size as? NSNumber)?.int64Value ?? 0,
                    contentType: output.format.contentType, waveform: waveform,
                    playlist: streaming?.playlist, stream: streaming?.stream))
        } catch {
            for blob in [waveform, streaming?.playlist, streaming?.stream] {
                if let blob { try? await blobs.delete(blob) }
            }
            return .failure(error)
        }
    }

    private func stream(
        _ output: JobOutput, _ info: AudioInfo
    ) async throws -> (playlist: BlobKey, stream: BlobKey) {
        // Beside the track, and gone with it.
        let folder = output.path + ".hls"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        let segmented = try await tools.segment(
            output.path, output.format, sampleRate: info.sampleRate, channels: info.channels,
            into: folder)
        let playlist = try await blob(of: segmented.playlist)
        do {
            return (playlist, try await blobs.adopt(file: segmented.file))
        } catch {
            try? await blobs.delete(playlist)
            throw error
        }
    }

    private func blob(of text: String) async throws -> BlobKey {
        let writer = try await blobs.makeWriter()
        do {
            try await writer.write(Array(text.utf8))
            return try await writer.commit()
        } catch {
            await writer.discard()
            throw error
        }
    }

    /// What a track can do without: should it fail, the task does not.
    private func optional<Value>(
        _ thing: String, of output: JobOutput, _ make: () async throws -> Value
    ) async -> Value? {
        do {
            return try await make()
        } catch {
            if !Task.isCancelled { logger.warning("No \(thing) of \(output.label): \(error)") }
            return nil
        }
    }
}
