import Foundation
import Subprocess

/// What a file says about its sound: of several audio tracks the first that is marked as the default, as in players, else
/// the first.
public struct AudioInfo: Sendable, Hashable {
    /// Which of the file's streams it is.
    let stream: Int
    /// Hz.
    public let sampleRate: Int
    public let channels: Int
    /// ffmpeg's name of what the channels are (`5.1(side)`, `quad`, …), where the file says it.
    public let channelLayout: String?
    /// ffmpeg's name of the codec.
    public let codec: String
    /// ffmpeg's name of the container.
    public let container: String
    /// The moving picture, where there is one (cover art is not one).
    public let film: Film?
    /// The first picture that belongs to the recording.
    public let cover: Cover?
    /// Seconds, as the container declares or ffmpeg estimates; 0 where neither knows.
    public let duration: Double
    /// The duration is a guess from the bit rate, not a declaration.
    public let isDurationEstimated: Bool
    /// The tags that its tracks get, in the order of their names; none where they were not asked for.
    let tags: [Tag]
}

extension AudioInfo {
    /// What ffmpeg is told of channels on the side of the raw samples. With the count alone it would take the
    /// default layout, and mix (3.0 to 2.1, quad to 4.0, …).
    var channelArguments: [String] {
        channelLayout.map { ["-channel_layout", $0] } ?? ["-ac", "\(channels)"]
    }
}

extension MediaTools {
    /// Reads what a file says about itself.
    /// - Parameter tags: Whether its tags are read, which can be megabytes.
    /// - Throws: ``MediaError``.
    public func probe(_ file: String, tags: Bool = false) async throws -> AudioInfo {
        let bytes = tags ? 64 << 20 : 1 << 20
        let arguments =
            ["-hide_banner", "-v", "warning"] + MediaTools.input(file) + [
                "-show_entries",
                "format=format_name,duration:stream=index,codec_type,codec_name,sample_rate,channels"
                    + ",channel_layout,duration,width,height"
                    + ":stream_disposition=attached_pic,default"
                    + (tags ? ":format_tags:stream_tags" : ":stream_tags=language"),
                "-of", "json",
            ]
        let configuration = configuration(ffprobe, arguments)
        let (output, warnings) = try await within(seconds: limits.probeTime) {
            do {
                let result = try await run(
                    configuration, output: .string(limit: bytes), error: .string(limit: 1 << 20))
                switch result.terminationStatus {
                case .exited(0): break
                case .exited: throw MediaError.unreadable
                case .signaled: throw MediaError.limitExceeded
                }
                return (result.standardOutput, result.standardError)
            } catch let error as SubprocessError where error.code == .outputLimitExceeded {
                // More text than a recording has to say.
                throw MediaError.unreadable
            }
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let report = try? decoder.decode(ProbeReport.self, from: Data(output.utf8)) else {
            throw MediaError.unreadable
        }
        return try report.info(
            limits, head: MediaTools.head(of: file),
            isDurationEstimated: warnings.contains("Estimating duration from bitrate"))
    }

    /// The beginning of a file, which says more than ffprobe of what it is.
    private static func head(of file: String) -> Data {
        let handle = FileHandle(forReadingAtPath: file)
        return (try? handle?.read(upToCount: 64)) ?? Data()
    }
}
