import Media
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
            let survey = try await tools.survey(path, info)
            return ProbedMedia(duration: Double(survey.frames) / Double(info.sampleRate))
        } catch let error as MediaError where error.isFinal {
            throw UnreadableMedia(code: error.code, detail: error.description)
        }
    }
}
