import Foundation
import Subprocess

/// What a file says about its first audio track.
public struct AudioInfo: Sendable, Hashable {
    /// Hz.
    public let sampleRate: Int
    public let channels: Int
    /// ffmpeg's name of what the channels are (`5.1(side)`, `quad`, …), where the file says it.
    public let channelLayout: String?
    /// ffmpeg's name of the codec.
    public let codec: String
    /// ffmpeg's name of the container.
    public let container: String
    /// A moving picture is in it (cover art is not one).
    public let hasVideo: Bool
    /// Seconds, as the container declares or ffmpeg estimates; 0 where neither knows.
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

extension AudioInfo {
    /// What ffmpeg is told of channels on the side of the raw samples. With the count alone it would take the
    /// default layout, and mix (3.0 to 2.1, quad to 4.0, …).
    var channelArguments: [String] {
        channelLayout.map { ["-channel_layout", $0] } ?? ["-ac", "\(channels)"]
    }
}

extension MediaTools {
    /// Reads what a file says about itself.
    /// - Throws: ``MediaError``.
    public func probe(_ file: String) async throws -> AudioInfo {
        let arguments =
            ["-hide_banner", "-v", "warning"] + MediaTools.input(file) + [
                "-show_entries",
                "format=format_name,duration:stream=codec_type,codec_name,sample_rate,channels"
                    + ",channel_layout,duration:stream_disposition=attached_pic",
                "-of", "json",
            ]
        let configuration = configuration(ffprobe, arguments)
        let (output, warnings) = try await within(seconds: limits.probeTime) {
            do {
                let result = try await run(
                    configuration, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
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
        guard let report = try? JSONDecoder().decode(Report.self, from: Data(output.utf8)) else {
            throw MediaError.unreadable
        }
        return try report.info(
            limits, isDurationEstimated: warnings.contains("Estimating duration from bitrate"))
    }

    /// ffprobe's answer.
    private struct Report: Decodable {
        struct Stream: Decodable {
            let codecType: String?
            let codecName: String?
            let sampleRate: String?
            let channels: Int?
            let channelLayout: String?
            let duration: String?
            let disposition: [String: Int]?

            enum CodingKeys: String, CodingKey {
                case channels, duration, disposition
                case codecType = "codec_type"
                case codecName = "codec_name"
                case channelLayout = "channel_layout"
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

        func info(_ limits: MediaLimits, isDurationEstimated: Bool) throws -> AudioInfo {
            let streams = streams ?? []
            guard let audio = streams.first(where: { $0.codecType == "audio" }) else {
                throw streams.isEmpty ? MediaError.unreadable : MediaError.noAudio
            }
            guard let codec = audio.codecName, let rate = audio.sampleRate.flatMap(Int.init),
                let channels = audio.channels, (1000...768_000).contains(rate),
                (1...64).contains(channels)
            else { throw MediaError.unreadable }
            if rate * channels > limits.samplesPerSecond { throw MediaError.tooLong }
            let hasVideo = streams.contains {
                $0.codecType == "video" && $0.disposition?["attached_pic"] != 1
            }
            // Most films tell how long the picture lasts, not the sound.
            let isFilm = hasVideo && format?.name?.contains("mov") != true
            let duration = (audio.duration ?? format?.duration).flatMap(Double.init) ?? 0
            // A container that does not say (duration "N/A") is decoded to find out.
            if duration <= 0, audio.duration != nil || format?.duration != nil {
                throw MediaError.empty
            }
            return AudioInfo(
                sampleRate: rate, channels: channels,
                // "6 channels" and "unknown" name nothing.
                channelLayout: audio.channelLayout.flatMap {
                    $0.contains(" ") || $0 == "unknown" ? nil : $0
                }, codec: codec,
                container: format?.name ?? "",
                hasVideo: hasVideo, duration: duration,
                isDurationEstimated: isDurationEstimated || isFilm || duration <= 0)
        }
    }
}
