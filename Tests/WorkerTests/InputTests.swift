import Foundation
import Media
import Tasks
import TestSupport
import Testing
import Worker

/// Recordings of every kind through the whole job: what `docs/formats.md` promises of them.
@Suite(.serialized) final class InputTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private struct Parts {
        let result: JobResult
        let source: [[Float]]
        let stem: [[Float]]
        let rest: [[Float]]

        /// How far stem and rest are from the source at the job's gain.
        var error: Float {
            var worst: Float = stem.map(\.count) == source.map(\.count) ? 0 : .infinity
            for (channel, samples) in source.enumerated() {
                for (index, sample) in samples.enumerated() {
                    let sum = stem[channel][index] + rest[channel][index]
                    worst = max(worst, abs(sum - result.gain * sample))
                }
            }
            return worst
        }
    }

    private func split(_ file: URL, format: AudioFormat? = .wav) async throws -> Parts {
        let out = folder.file(UUID().uuidString)
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
        let result = try await SplitJob(
            input: file.path, kind: .stems(["vocals"], clearCut: false), format: format,
            folder: out.path
        ).run(MediaTools(), separator.get()) { _ in }
        let channels = result.info.channels
        let tracks = try result.outputs.map {
            try decode(URL(fileURLWithPath: $0.path), channels: channels)
        }
        return Parts(
            result: result, source: try decode(file, channels: channels), stem: tracks[0],
            rest: tracks[1])
    }

    private func generated(_ name: String, _ source: String, _ more: [String]) throws -> URL {
        try folder.make(name, ["-f", "lavfi", "-i", source] + more)
    }

    @Test(arguments: [8000, 11_025, 22_050, 32_000, 48_000, 96_000, 192_000])
    func theSumHoldsAtTheSourcesRate(_ rate: Int) async throws {
        let file = try folder.make(
            "a.wav", from: Self.song,
            ["-ss", "12", "-t", "2", "-ac", "1", "-ar", "\(rate)", "-c:a", "pcm_s24le"])
        let parts = try await split(file)
        #expect(parts.result.info.sampleRate == rate && parts.result.info.channels == 1)
        #expect(parts.source[0].count == 2 * rate && parts.result.gain == 1)
        #expect(parts.error == 0)
        #expect(parts.stem[0].contains { abs($0) > 0.01 })
        #expect(parts.rest[0].contains { abs($0) > 0.001 })
    }

    /// Networks hear up to 22.05 kHz; what is above belongs to no stem.
    @Test func whatIsAboveTheNetworksIsInTheRest() async throws {
        let file = try folder.make(
            "a.wav", from: Self.song,
            ["-ss", "12", "-t", "2", "-ac", "1", "-ar", "96000", "-c:a", "pcm_s24le"]
                + ["-af", "aresample=96000,aeval=val(0)*0.8+0.1*sin(2*PI*30000*t)"])
        let parts = try await split(file)
        #expect(parts.error == 0)
        /// The amplitude of a tone of 30 kHz.
        func tone(_ samples: [Float]) -> Double {
            var (re, im) = (0.0, 0.0)
            for (index, sample) in samples.enumerated() {
                let phase = 2 * Double.pi * 30_000 / 96_000 * Double(index)
                re += Double(sample) * cos(phase)
                im += Double(sample) * sin(phase)
            }
            return 2 * (re * re + im * im).squareRoot() / Double(samples.count)
        }
        #expect(abs(tone(parts.rest[0]) - 0.1) < 1e-5)
        #expect(tone(parts.stem[0]) < 1e-6)
    }

    /// Lossless results are 24-bit integers, whatever the source's samples are.
    @Test(arguments: [
        ("a.wav", "pcm_u8"), ("a.wav", "pcm_s16le"), ("a.wav", "pcm_s24le"), ("a.wav", "pcm_s32le"),
        ("a.wav", "pcm_f32le"), ("a.wav", "pcm_f64le"), ("a.aiff", "pcm_s32be"), ("a.flac", "flac"),
    ])
    func everyBitDepthGives24(_ name: String, _ codec: String) async throws {
        let file = try folder.make(
            name, from: Self.song,
            ["-ss", "12", "-t", "1", "-af", "volume=0.7713", "-c:a", codec])
        let parts = try await split(file, format: name == "a.wav" ? .wav : .flac)
        // Where the source is finer: half a step, and the rounding of source - stem as 32-bit floats.
        let isFiner = codec.hasSuffix("32le") || codec.hasSuffix("32be") || codec == "pcm_f64le"
        #expect(parts.result.gain == 1)
        #expect(parts.error <= (isFiner ? 0x1.8p-24 : 0), "\(codec): \(parts.error)")
        let probe = try TestSupport.run(
            "ffprobe",
            [
                "-v", "error", "-show_entries", "stream=bits_per_raw_sample", "-of",
                "csv=p=0", parts.result.outputs[0].path,
            ])
        #expect(String(decoding: probe.output, as: UTF8.self).hasPrefix("24"))
    }

    @Test func floatsOverFullScaleAreScaledByOneFactor() async throws {
        let file = try folder.make(
            "a.wav", from: Self.song,
            ["-ss", "12", "-t", "2", "-af", "volume=20dB", "-c:a", "pcm_f32le"])
        let parts = try await split(file)
        #expect(parts.source.joined().map(abs).max()! > 2)
        #expect(parts.result.gain < 0.6)
        #expect(parts.error <= 0x1p-23)
        #expect((parts.stem + parts.rest).joined().map(abs).max()! <= 1)
    }

    /// The same mask for all channels: what is equal stays equal, the subwoofer's and the center's too, and what is
    /// silent stays silent.
    @Test(arguments: [("3.0", 3), ("5.1", 6), ("7.1", 8), ("ten", 10)])
    func channelsKeepTheirPlaces(_ layout: String, _ count: Int) async throws {
        let factors = [1, 0.5, 0.25, 0, 0.7, 0.1, -0.5, 0.3, 0.2, -0.1].prefix(count)
        let song = Repository.recordings.appendingPathComponent(Self.song).path
        let file = folder.file("a.wav")
        // ffmpeg has no name for ten channels, so they are interleaved here.
        let mono = try decode(URL(fileURLWithPath: song), channels: 1, start: 12, seconds: 2)[0]
        let raw = mono.flatMap { sample in factors.map { sample * Float($0) } }
        let samples = try raw.withUnsafeBytes { try folder.write("raw", Data($0)) }
        _ = try folder.make(
            "a.wav",
            ["-f", "f32le", "-ar", "44100", "-ac", "\(count)"]
                + (layout == "ten" ? [] : ["-channel_layout", layout])
                + ["-i", samples.path, "-c:a", "pcm_s24le"])
        let parts = try await split(file)
        #expect(parts.result.info.channels == count)
        #expect(parts.result.info.channelLayout == (layout == "ten" ? nil : layout))
        #expect(parts.error == 0)
        #expect(parts.stem[0].contains { abs($0) > 0.01 })
        for (channel, factor) in factors.enumerated() {
            let worst =
                zip(parts.stem[channel], parts.stem[0])
                .map { abs($0 - Float(factor) * $1) }.max() ?? 1
            #expect(worst <= 0x1p-21, "\(layout) \(channel): \(worst)")
        }
    }

    @Test func silenceGivesSilence() async throws {
        let parts = try await split(
            generated("a.wav", "anullsrc=r=44100:cl=stereo", ["-t", "2", "-c:a", "pcm_s16le"]))
        #expect(parts.stem[0].count == 88_200)
        #expect((parts.stem + parts.rest).joined().allSatisfy { $0 == 0 })
        #expect(parts.result.gain == 1)
    }

    /// A constant, and noise whose every sample is at full scale.
    @Test(arguments: ["aevalsrc=0.5:d=2", "aevalsrc='if(gt(random(0),0.5),1,-1)':d=2"])
    func signalsThatAreNoMusicAddUp(_ signal: String) async throws {
        let parts = try await split(generated("a.wav", signal, ["-c:a", "pcm_s24le"]))
        #expect(parts.source[0].count == 88_200)
        #expect(parts.error <= (parts.result.gain == 1 ? 0 : 0x1p-23))
        #expect((parts.stem + parts.rest).joined().allSatisfy { abs($0) <= 1 })
    }

    /// What is no number, or infinite, is silence; the rest is as if it had always been.
    @Test func whatIsNoNumberHarmsNothing() async throws {
        let file = try folder.make(
            "a.wav", from: Self.song,
            ["-ss", "12", "-t", "2", "-ac", "1", "-c:a", "pcm_f32le", "-fflags", "+bitexact"])
        var bytes = try Data(contentsOf: file)
        let middle = bytes.count - 4 * 40_000
        for (index, value) in [Float.nan, .infinity, -.infinity, .signalingNaN].enumerated() {
            withUnsafeBytes(of: value) {
                bytes.replaceSubrange(middle + 4 * index..<middle + 4 * index + 4, with: $0)
            }
        }
        let parts = try await split(folder.write("b.wav", bytes))
        bytes.replaceSubrange(middle..<middle + 16, with: Data(count: 16))
        let clean = try await split(folder.write("c.wav", bytes))
        #expect(parts.result.gain == 1 && clean.error <= 0x1.8p-24)
        #expect(parts.stem == clean.stem && parts.rest == clean.rest)
    }

    @Test(arguments: AudioFormat.allCases)
    func oneSampleIsARecording(_ format: AudioFormat) async throws {
        let file = try generated(
            "a.wav", "aevalsrc=0.25:s=44100:d=1", ["-af", "atrim=end_sample=1"])
        let parts = try await split(file, format: format)
        #expect(parts.source == [[0.25]] && parts.result.frames == 1)
        #expect(parts.stem[0].count >= 1 && parts.rest[0].count >= 1)
        if format == .wav || format == .flac { #expect(parts.error == 0) }
    }

    @Test func noSampleIsNone() async throws {
        let file = try generated("a.wav", "anullsrc", ["-t", "0"])
        await #expect(throws: MediaError.empty) { _ = try await self.split(file) }
    }

    /// Two films for a film, with names and types of films, and their sound for pages and players.
    @Test(arguments: [
        ("a.mp4", ["-c:v", "libx264", "-c:a", "aac"], "mp4", "video/mp4"),
        ("a.webm", ["-c:v", "libvpx", "-c:a", "libopus"], "webm", "video/webm"),
    ])
    func filmsGiveFilms(
        _ name: String, _ codecs: [String], _ ending: String, _ type: String
    ) async throws {
        let data = try await DataFolder()
        let song = Repository.recordings.appendingPathComponent(Self.song).path
        let film = try folder.make(
            name,
            ["-f", "lavfi", "-i", "testsrc=d=3:s=64x64:r=25", "-ss", "12", "-t", "3", "-i", song]
                + ["-pix_fmt", "yuv420p", "-metadata", "title=Lied"] + codecs)
        let again = folder.file("again.\(ending)")
        try FileManager.default.copyItem(at: film, to: again)
        let id = try await data.submit(film)
        #expect(try await data.worker().workOnce())
        let tracks = try await data.task(id).tracks
        #expect(
            tracks.map(\.name) == ["Mein Lied_vocals.\(ending)", "Mein Lied_no_vocals.\(ending)"])
        for (track, title) in zip(tracks, ["Lied (vocals)", "Lied (no vocals)"]) {
            #expect(track.contentType == type)
            let file = URL(fileURLWithPath: try await data.blobs.localFile(track.blob))
            #expect(try Data(contentsOf: file).count == Int(track.size))
            let streams = try TestSupport.run(
                "ffprobe",
                ["-v", "error", "-show_entries", "stream=codec_type:format_tags=title", file.path])
            let text = String(decoding: streams.output, as: UTF8.self)
            #expect(text.contains("codec_type=video") && text.contains("title=\(title)\n"))
            let stream = try await data.blobs.localFile(try #require(track.stream))
            let heard = try decode(URL(fileURLWithPath: stream))[0].count
            #expect(abs(heard - (try decode(file)[0].count)) <= 1024)
            #expect(track.playlist != nil && track.waveform != nil)
        }
        // And sound alone where a format is named.
        let other = try await data.submit(
            again, .stemSeparator(.init(stem: .vocals, encoderFormat: .mp3)))
        #expect(try await data.worker().workOnce())
        #expect(
            try await data.task(other).tracks.map(\.contentType) == ["audio/mpeg", "audio/mpeg"])
    }
}
