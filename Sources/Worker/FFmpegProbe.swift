import Media
import Synchronization
import Tasks

/// Looks into uploads with a confined ffprobe, and decodes those that do not say how long they are.
public struct FFmpegProbe: MediaProbe {
    private let tools: MediaTools

    public init(_ tools: MediaTools) { self.tools = tools }

    /// - Throws: `UnreadableMedia` where the file is at fault; `MediaError` where the server is.
    public func probe(file path: String) async throws -> ProbedMedia {
        do {
            let info = try await tools.probe(path)
            if info.duration > 0 { return ProbedMedia(duration: info.duration) }
            // Written to a pipe, as browsers record: only decoding tells.
            let frames = Mutex(0)
            try await tools.decode(path, info) { block in
                frames.withLock { $0 += block[0].count }
            }
            return ProbedMedia(
                duration: Double(frames.withLock { $0 }) / Double(info.sampleRate))
        } catch let error as MediaError where error.isFinal {
            throw UnreadableMedia(code: error.code, detail: error.description)
        }
    }
}
