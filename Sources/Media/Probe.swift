import Foundation
import Subprocess

/// What a file says about its first audio track.
public struct AudioInfo: Sendable, Hashable {
    /// Hz.
    public let sampleRate: Int
    public let channels: Int
    /// ffmpeg's name of the codec.
    public let codec: String
    /// ffmpeg's name of the container.
    public let container: String
    /// A moving picture is in it (cover art is not one).
    public let hasVideo: Bool
    /// Seconds, as the container declares or ffmpeg estimates.
    public let duration: Double
    /// The duration is a guess from the bit rate, not a declaration.
    public let isDurationEstimated: Bool

    /// The result format that equals the source's: its audio codec, else wav.
    public var naturalFormat: AudioFormat {
        switch codec {
        case "mp3": .mp3
        case "flac": .flac
        case "aac": .aac
        case "vorbis", "opus": .ogg
        default: .wav
        }
    }
}

extension MediaTools {
    /// Reads what a file says about itself.
    /// - Throws: ``MediaError``.
    public func probe(_ file: String) async throws -> AudioInfo {
        let arguments =
            ["-hide_banner", "-v", "warning"] + MediaTools.input(file) + [
                "-show_entries",
                "format=format_name,duration:stream=codec_type,codec_name,sample_rate,channels,duration"
                    + ":stream_disposition=attached_pic",
                "-of", "json",
            ]
        let configuration = configuration(ffprobe, arguments)
        let (output, warnings) = try await within(seconds: limits.probeTime) {
            do {
                let result = try await run(
                    configuration, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
                guard result.terminationStatus.isSuccess else { throw MediaError.unreadable }
                return (result.standardOutput, result.standardError)
            } catch is SubprocessError {
                // More text than a recording has to say.
                try Task.checkCancellation()
                throw MediaError.unreadable
            }
        }
        guard let report = try? JSONDecoder().decode(Report.self, from: Data(output.utf8)) else {
            throw MediaError.unreadable
        }
        return try report.info(
            isDurationEstimated: warnings.contains("Estimating duration from bitrate"))
    }

    /// ffprobe's answer.
    private struct Report: Decodable {
        struct Stream: Decodable {
            let codecType: String?
            let codecName: String?
            let sampleRate: String?
            let channels: Int?
            let duration: String?
            let disposition: [String: Int]?

            enum CodingKeys: String, CodingKey {
                case channels, duration, disposition
                case codecType = "codec_type"
                case codecName = "codec_name"
                case sampleRate = "sample_rate"
            }
        }
        struct Format: Decodable {
            let name: String?
            let duration: String?

            enum CodingKeys: String, CodingKey {
                case duration
                case name = "format_name"
            }
        }
        let streams: [Stream]?
        let format: Format?

        func info(isDurationEstimated: Bool) throws -> AudioInfo {
            let streams = streams ?? []
            guard let audio = streams.first(where: { $0.codecType == "audio" }) else {
                throw streams.isEmpty ? MediaError.unreadable : MediaError.noAudio
            }
            guard let codec = audio.codecName, let rate = audio.sampleRate.flatMap(Int.init),
                let channels = audio.channels, (1000...768_000).contains(rate),
                (1...64).contains(channels)
            else { throw MediaError.unreadable }
            let duration = (audio.duration ?? format?.duration).flatMap(Double.init) ?? 0
            // A container that does not say (duration "N/A") is decoded to find out.
            if duration <= 0, audio.duration != nil || format?.duration != nil {
                throw MediaError.empty
            }
            return AudioInfo(
                sampleRate: rate, channels: channels, codec: codec,
                container: format?.name ?? "",
                hasVideo: streams.contains {
                    $0.codecType == "video" && $0.disposition?["attached_pic"] != 1
                },
                duration: duration, isDurationEstimated: isDurationEstimated || duration <= 0)
        }
    }
}
