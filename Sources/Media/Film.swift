import Foundation
import Subprocess

/// The moving picture of a source, and what goes with it into the tracks.
public struct Film: Sendable, Hashable {
    /// The source's own, where it is one that is written; else Matroska, which holds every picture.
    public let container: TrackFormat.Container
    /// Numbers of the streams that are copied: pictures, and subtitles where the container stays the same.
    let streams: [Int]
    /// Of the sound, as the source says it.
    let language: String?

    /// - Parameters:
    ///   - format: ffprobe's name of the container.
    ///   - head: The beginning of the file. ffprobe has one name for MP4 and QuickTime, and one for Matroska and WebM.
    static func container(_ format: String, head: Data) -> TrackFormat.Container? {
        switch format {
        case "mov,mp4,m4a,3gp,3g2,mj2":
            // The major brand (ISO/IEC 14496-12, 4.3); files without are older than MP4.
            let isQuickTime =
                head.dropFirst(4).prefix(4) != Data("ftyp".utf8)
                || head.dropFirst(8).prefix(4) == Data("qt  ".utf8)
            return isQuickTime ? .mov : .mp4
        case "matroska,webm":
            // The element DocType (RFC 8794, 11.2.6), four characters long.
            let isWebM = head.range(of: Data([0x42, 0x82, 0x84] + "webm".utf8)) != nil
            return isWebM ? .webm : .mkv
        case "avi": return .avi
        default: return nil
        }
    }

    /// Codecs of subtitles that can be copied from a container into its like.
    static func subtitles(_ container: TrackFormat.Container) -> [String] {
        switch container {
        case .mp4, .mov: ["mov_text"]
        case .mkv: ["subrip", "ass", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"]
        case .webm: ["webvtt"]
        default: []
        }
    }
}

extension MediaTools {
    /// What makes ffmpeg keep the times of a source's streams relative to each other. A source of which not all
    /// streams are taken would be moved so that the first of these begins at zero; not so if it has an offset.
    static let keepTimes = ["-itsoffset", "0.000001"]

    /// When the sound of a film begins.
    /// - Returns: Seconds after the film begins, of the first sample that ``decode(_:_:blockFrames:_:)`` delivers.
    func soundStart(_ file: String, _ info: AudioInfo) async throws -> Double {
        let arguments =
            ["-nostdin", "-hide_banner", "-v", "quiet"] + MediaTools.keepTimes
            + MediaTools.input(file) + [
                "-map", "0:\(info.stream)", "-frames:a", "1", "-f", "framecrc", "pipe:1",
            ]
        let configuration = configuration(ffmpeg, arguments)
        let report = try await within(seconds: limits.probeTime) {
            try await run(
                configuration, input: .none, output: .string(limit: 1 << 16), error: .discarded
            ).standardOutput
        }
        // A line of what a unit of time is, and one for the first frame: stream, two times, length, …
        guard
            let unit = report.firstMatch(of: /#tb 0: (\d+)\/(\d+)/),
            let frame = report.firstMatch(of: /\n0, *-?\d+, *(-?\d+),/),
            let numerator = Double(unit.1), let denominator = Double(unit.2), denominator > 0,
            let time = Double(frame.1)
        else { throw MediaError.unreadable }
        return time * numerator / denominator
    }
}
