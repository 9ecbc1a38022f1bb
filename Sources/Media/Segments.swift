import Foundation
import Subprocess

/// A track made ready for HTTP Live Streaming (RFC 8216).
public struct SegmentedTrack: Sendable, Hashable {
    /// The file with all segments, one after another.
    public let file: String
    /// The media playlist, of byte ranges of the file. It names the file by its last path component alone.
    public let playlist: String
}

extension MediaTools {
    /// Cuts a track into segments of about six seconds, in one file.
    ///
    /// What players of HLS take goes over as it is: MP3 in MPEG-TS, AAC and FLAC in fragmented MP4. PCM and ALAC become FLAC
    /// of 24 bits, Vorbis and Opus of 16. Of a film it is the sound. So every sample of the lossless formats is there. MPEG-TS cannot say where the sound of an
    /// MP3 starts: it comes later by the delay of the codec, 25 ms.
    ///
    /// - Parameters:
    ///   - file: A track that an ``Encoder`` wrote.
    ///   - sampleRate: What the encoder was given.
    ///   - channels: What the encoder was given.
    ///   - folder: An existing, empty folder. The file in it is named `stream.mp4` or `stream.ts`.
    /// - Throws: ``MediaError``; over eight channels there is no format.
    public func segment(
        _ file: String, _ format: TrackFormat, sampleRate: Int, channels: Int,
        into folder: String
    ) async throws -> SegmentedTrack {
        try TrackFormat.flac.requireRoom(forChannels: channels)
        let isTransport = format.codec == .mp3
        let stream = "\(folder)/stream.\(isTransport ? "ts" : "mp4")"
        let playlist = "\(folder)/playlist.m3u8"
        let arguments =
            ["-nostdin", "-hide_banner", "-v", "quiet"] + MediaTools.input(file) + [
                "-map", "0:a:0", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a",
                "+bitexact",
            ] + format.codec.segmentArguments(sampleRate: sampleRate, channels: channels) + [
                "-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod",
                "-hls_flags", "single_file",
                "-hls_segment_type", isTransport ? "mpegts" : "fmp4",
                "-hls_segment_filename", MediaTools.address(stream),
                "-y", MediaTools.address(playlist),
            ]
        let configuration = configuration(ffmpeg, arguments)
        try await within(seconds: limits.runTime) {
            let result = try await run(
                configuration, input: .none, output: .discarded, error: .discarded)
            guard result.terminationStatus.isSuccess else {
                throw MediaError.encodingFailed(format: "hls")
            }
        }
        guard let text = try? String(contentsOfFile: playlist, encoding: .utf8) else {
            throw MediaError.encodingFailed(format: "hls")
        }
        // A track of less than half a second has segments that last no time at all by ffmpeg's rounding.
        return SegmentedTrack(
            file: stream,
            playlist: text.replacingOccurrences(
                of: "#EXT-X-TARGETDURATION:0\n", with: "#EXT-X-TARGETDURATION:1\n"))
    }
}

extension AudioCodec {
    /// How a track of this codec gets into segments.
    fileprivate func segmentArguments(sampleRate: Int, channels: Int) -> [String] {
        // ffmpeg 5.1 calls FLAC in MP4 experimental.
        let allowFLAC = ["-strict", "experimental"]
        // The encoder ends with a packet without sound, which would lengthen the last segment by a frame.
        let flac =
            AudioCodec.flac.arguments(sampleRate: sampleRate, channels: channels)
            + ["-bsf:a", "noise=amount=0:drop=not(size)"] + allowFLAC
        return switch self {
        case .mp3: ["-c:a", "copy"]
        // Times before zero tell players where the sound starts.
        case .aac: ["-c:a", "copy", "-avoid_negative_ts", "disabled"]
        case .flac: ["-c:a", "copy"] + allowFLAC
        case .pcm, .alac: flac
        // What these left out is far above the noise of 16 bits, and 24 would double the size.
        case .vorbis, .opus: flac + ["-sample_fmt", "s16"]
        }
    }
}
