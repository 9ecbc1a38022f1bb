import Media

/// A file that a job wrote.
public struct JobOutput: Sendable {
    public let isBack: Bool
    /// `vocals`, `no_vocals`, …
    public let label: String
    /// `<folder>/<label>.<extension>`
    public let path: String
    public let format: TrackFormat

    init(label: String, isBack: Bool, folder: String, format: TrackFormat) {
        self.isBack = isBack
        self.label = label
        self.path = "\(folder)/\(label).\(format.fileExtension)"
        self.format = format
    }

    /// What the title of the track says of it.
    var title: String {
        switch label {
        case "vocals@0": "lead vocals"
        case "vocals@1": "backing vocals"
        default: label.replacingOccurrences(of: "_", with: " ")
        }
    }
}

/// What a job did.
public struct JobResult: Sendable {
    public let outputs: [JobOutput]
    /// Of each output, of the samples before a codec changed them.
    public let waveforms: [Waveform]
    public let info: AudioInfo
    /// Samples of one channel.
    public let frames: Int
    /// The common factor that all tracks were scaled by: 1, unless a peak was over full scale.
    public let gain: Float
    /// Where the time went.
    public let seconds: JobSeconds
    /// Seconds of audio.
    public var duration: Double { Double(frames) / Double(info.sampleRate) }
}
