/// The codecs that the sound of results is written with.
public enum AudioCodec: String, Sendable, CaseIterable {
    case pcm, flac, alac, mp3, aac, vorbis, opus

    /// Integers of 24 bits, or a perceptual codec that takes floats.
    var isLossless: Bool { self == .pcm || self == .flac || self == .alac }

    /// Whether a file of it can have so many channels. What more than eight are is not known, so that they cannot be
    /// mixed down for the codecs that end there.
    func holds(channels: Int) -> Bool {
        channels <= 8 || self == .pcm || self == .vorbis || self == .opus
    }

    /// By how many samples decoded sound is late where a container cannot say so: the look-ahead of the encoder and, for
    /// MP3, the 529 samples of every decoder. Measured with ffmpeg 5.1, the same at all rates.
    var delay: Int {
        switch self {
        case .mp3: 1105
        case .aac: 1024
        case .pcm, .flac, .alac, .vorbis, .opus: 0
        }
    }

    /// The rate that a source's is written at: the same where the codec has it, else the next one above, so that nothing
    /// is lost where that is possible. MP3 ends at 48 kHz, AAC at 96 kHz, Vorbis at 192 kHz, Opus has five rates; FLAC
    /// has no odd ones above 65,535 and none above 655,350 Hz.
    func sampleRate(for rate: Int) -> Int {
        switch self {
        case .pcm, .alac: return rate
        case .flac:
            let isPossible = rate <= 65_535 || (rate % 10 == 0 && rate <= 655_350)
            return isPossible ? rate : AudioCodec.nearest(rate, [96_000, 192_000])
        case .mp3: return AudioCodec.nearest(rate, AudioCodec.mpegRates)
        case .aac: return AudioCodec.nearest(rate, AudioCodec.mpegRates + [64_000, 88_200, 96_000])
        case .vorbis: return min(rate, 192_000)
        case .opus: return AudioCodec.nearest(rate, [8000, 12_000, 16_000, 24_000, 48_000])
        }
    }

    private static let mpegRates = [
        8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
    ]

    private static func nearest(_ rate: Int, _ rates: [Int]) -> Int {
        rates.first { $0 >= rate } ?? rates.last!
    }

    /// What ffmpeg is told about the codec. MP3 has no third channel: ffmpeg mixes down.
    func arguments(sampleRate: Int, channels: Int) -> [String] {
        let written = self.sampleRate(for: sampleRate)
        let rate = written == sampleRate ? [] : ["-ar", "\(written)"]
        return rate + arguments(channels: channels, isLow: sampleRate < 32_000)
    }

    private func arguments(channels: Int, isLow: Bool) -> [String] {
        switch self {
        case .pcm: ["-c:a", "pcm_s24le"]
        case .flac: ["-c:a", "flac", "-bits_per_raw_sample", "24"]
        case .alac: ["-c:a", "alac", "-bits_per_raw_sample", "24"]
        case .mp3: (channels > 2 ? ["-ac", "2"] : []) + ["-c:a", "libmp3lame", "-q:a", "0"]
        case .aac:
            [
                "-c:a", "aac", "-b:a",
                channels > 1 ? (isLow ? "160k" : "256k") : (isLow ? "96k" : "160k"),
            ]
        case .vorbis: ["-c:a", "libvorbis", "-q:a", "8"]
        case .opus:
            ["-c:a", "libopus", "-b:a", "\(channels == 1 ? 96 : 80 * min(channels, 8))k"]
                // Without a meaning of the channels, as many as there are (RFC 7845, 5.1.1.4).
                + (channels > 8 ? ["-mapping_family", "255"] : [])
        }
    }
}
