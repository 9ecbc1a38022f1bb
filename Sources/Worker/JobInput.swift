import Media

/// The file that a job works on: what it is, and what the job's tracks take over from it.
struct JobInput: Sendable {
    let path: String
    let info: AudioInfo
    /// Of the job's tracks.
    let format: TrackFormat
    let audio: DecodedAudio
    /// Has files in the job's folder, which ``Carryover/cleanUp()`` removes.
    let carryover: Carryover

    /// Collects what tracks take over.
    /// - Parameters:
    ///   - info: With tags.
    ///   - format: `nil`: that of the source, which for a film is a film.
    ///   - folder: The job's own.
    /// - Throws: `MediaError`.
    init(
        _ path: String, _ info: AudioInfo, _ audio: DecodedAudio, format: AudioFormat?,
        folder: String, _ tools: MediaTools
    ) async throws {
        self.path = path
        self.info = info
        self.audio = audio
        self.format = format?.trackFormat ?? info.naturalFormat
        try self.format.requireRoom(forChannels: info.channels)
        carryover = try await tools.carryover(from: path, info, to: self.format, folder: folder)
    }
}
