import Media

/// The file that a job works on: what it is, and what the job's tracks take over from it.
struct JobInput: Sendable {
    let path: String
    let info: AudioInfo
    /// Of the job's tracks.
    let format: TrackFormat
    let audio: DecodedAudio
    /// Seconds that decoding took.
    let decodeSeconds: Double
    /// Has files in the job's folder, which ``Carryover/cleanUp()`` removes.
    let carryover: Carryover

    /// Decodes the file.
    /// - Parameters:
    ///   - format: `nil`: that of the source, which for a film is a film.
    ///   - folder: The job's own.
    /// - Throws: `MediaError`.
    init(
        _ path: String, format: AudioFormat?, folder: String, _ tools: MediaTools
    ) async throws {
        self.path = path
        let info = try await tools.probe(path, tags: true)
        let target = format?.trackFormat ?? info.naturalFormat
        try target.requireRoom(forChannels: info.channels)
        // Beside decoding: covers and films need a process each.
        async let carryover = tools.carryover(from: path, info, to: target, folder: folder)
        let began = ContinuousClock.now
        audio = try await tools.decode(path, info, folder: folder)
        decodeSeconds = began.secondsAgo
        self.info = info
        self.format = target
        self.carryover = try await carryover
    }
}
