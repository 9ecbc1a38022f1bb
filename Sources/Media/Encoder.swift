import Foundation

/// Writes samples into a file: by a confined ffmpeg, whose work overlaps with what makes the samples; or, what is no work,
/// into a WAV file.
///
/// Lossless formats get integers of 24 bits, rounded here.
public final class Encoder: Sendable {
    private let format: TrackFormat
    private let target: Target

    private enum Target {
        case process(EncoderProcess)
        /// `nil`: it could not be made.
        case file(WAVFile?)
    }

    /// - Parameters:
    ///   - file: Is overwritten. The caller removes it where ``finish()`` was not reached.
    ///   - channelLayout: ffmpeg's name of what the channels are; `nil`: its default for their number.
    ///   - carryover: What goes into the file beside the sound.
    public init(
        _ tools: MediaTools, file: String, format: TrackFormat, sampleRate: Int, channels: Int,
        channelLayout: String? = nil, carryover: Carryover = Carryover()
    ) {
        self.format = format
        // What more than two channels are, ffmpeg knows.
        if format == .wav, [nil, "mono", "stereo"].contains(channelLayout), channels <= 2 {
            target = .file(
                try? WAVFile(
                    file, sampleRate: sampleRate, channels: channels, tags: carryover.tags,
                    limit: tools.limits.fileSize))
            return
        }
        let arguments =
            ["-hide_banner", "-v", "quiet"] + carryover.soundArguments(format) + [
                "-protocol_whitelist", "file,pipe", "-f",
                format.codec.isLossless ? "s32le" : "f32le", "-ar", "\(sampleRate)",
                "-ac", "\(channels)",
            ] + (channelLayout.map { ["-channel_layout", $0] } ?? []) + ["-i", "pipe:0"]
            + carryover.inputArguments(format)
            + carryover.outputArguments(format, sampleRate: sampleRate)
            + ["-fflags", "+bitexact", "-flags:a", "+bitexact"]
            + format.codec.arguments(sampleRate: sampleRate, channels: channels)
            + format.muxerArguments(sampleRate: sampleRate) + ["-y", MediaTools.address(file)]
        target = .process(EncoderProcess(tools, arguments))
    }

    /// Adds samples.
    /// - Parameter block: `[channel][sample]`, full scale ±1. Values beyond it are cut in lossless formats.
    /// - Throws: ``MediaError/encodingFailed(format:)`` where they cannot be written.
    public func write(_ block: [[Float]]) async throws {
        guard let first = block.first, !first.isEmpty else { return }
        do {
            switch target {
            case .process(let process):
                try await process.write(
                    format.codec.isLossless
                        ? Interleaved.integers(block) : Interleaved.floats(block))
            case .file(let file):
                guard let file else { throw CocoaError(.fileWriteUnknown) }
                try file.write(Interleaved.packedIntegers(block))
            }
        } catch {
            throw MediaError.encodingFailed(format: format.container.rawValue)
        }
    }

    /// Waits until the file is complete.
    /// - Throws: ``MediaError/encodingFailed(format:)``.
    public func finish() async throws {
        do {
            switch target {
            case .process(let process): try await process.finish()
            case .file(let file):
                guard let file else { throw CocoaError(.fileWriteUnknown) }
                try file.finish()
            }
        } catch let error as MediaError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw MediaError.encodingFailed(format: format.container.rawValue)
        }
    }

    /// Ends it, whatever is missing.
    public func cancel() async {
        if case .process(let process) = target { await process.cancel() }
    }
}
