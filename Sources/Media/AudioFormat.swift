/// The formats that results are written in.
public enum AudioFormat: String, Sendable, CaseIterable, Codable {
    case mp3, wav, flac, aac, ogg

    /// The ending of file names. AAC is put into MP4, which can tell the exact length; a raw stream cannot.
    public var fileExtension: String { self == .aac ? "m4a" : rawValue }

    /// The media type for downloads.
    public var contentType: String {
        switch self {
        case .mp3: "audio/mpeg"
        case .wav: "audio/wav"
        case .flac: "audio/flac"
        case .aac: "audio/mp4"
        case .ogg: "audio/ogg"
        }
    }

    /// Integers of 24 bits, or a perceptual codec that takes floats.
    var isLossless: Bool { self == .wav || self == .flac }

    /// WAV and Ogg hold any number of channels, the others eight; what more would be is not known, so that
    /// they cannot be mixed down.
    /// - Throws: ``MediaError/tooManyChannels(_:format:)``.
    public func requireRoom(forChannels channels: Int) throws(MediaError) {
        if channels > 8, self != .wav, self != .ogg {
            throw .tooManyChannels(channels, format: rawValue)
        }
    }

    /// What ffmpeg is told for a file of this format.
    func encoderArguments(sampleRate: Int, channels: Int) -> [String] {
        let container =
            switch self {
            case .wav: ["-rf64", "auto", "-f", "wav"]
            case .aac: ["-f", "ipod"]
            case .flac, .mp3, .ogg: ["-f", rawValue]
            }
        return codecArguments(sampleRate: sampleRate, channels: channels) + container
    }

    /// What ffmpeg is told about the codec. The rate and the channels of the source are kept where the format
    /// has them; MP3 has no rate above 48 kHz and no third channel, AAC none above 96 kHz, Ogg none above 192
    /// kHz, FLAC none above 655,350 Hz and no odd ones above 65,535: there ffmpeg converts to a common one near it.
    func codecArguments(sampleRate: Int, channels: Int) -> [String] {
        switch self {
        case .wav: return ["-c:a", "pcm_s24le"]
        case .flac:
            let isPossible = sampleRate <= 65_535 || (sampleRate % 10 == 0 && sampleRate <= 655_350)
            let rate = isPossible ? [] : AudioFormat.nearest(sampleRate, [96_000, 192_000])
            return rate + ["-c:a", "flac", "-bits_per_raw_sample", "24"]
        case .mp3:
            let rates = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
            return AudioFormat.nearest(sampleRate, rates) + (channels > 2 ? ["-ac", "2"] : [])
                + ["-c:a", "libmp3lame", "-q:a", "0"]
        case .aac:
            let rates = [
                8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000,
            ]
            let bits = sampleRate < 32000 ? "96k" : "160k"
            return AudioFormat.nearest(sampleRate, rates)
                + [
                    "-c:a", "aac", "-b:a",
                    channels > 1 ? (sampleRate < 32000 ? "160k" : "256k") : bits,
                ]
        case .ogg:
            return (sampleRate > 192_000 ? ["-ar", "192000"] : []) + [
                "-c:a", "libvorbis", "-q:a", "8",
            ]
        }
    }

    private static func nearest(_ rate: Int, _ rates: [Int]) -> [String] {
        if rates.contains(rate) { return [] }
        // The next one above, so that nothing is lost where that is possible.
        return ["-ar", "\(rates.first { $0 > rate } ?? rates.last!)"]
    }
}
