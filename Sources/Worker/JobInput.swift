import Media

/// The file that a job works on: what it is, and what the job's tracks take over from it.
struct JobInput: Sendable {
    let path: String
    let info: AudioInfo
    /// Of the job's tracks.
    let format: TrackFormat
    let survey: Survey
    /// Seconds that the survey took.
    let surveySeconds: Double
    /// Has files in the job's folder, which ``Carryover/cleanUp()`` removes.
    let carryover: Carryover

    /// Reads the file once, to its end.
    /// - Parameters:
    ///   - format: `nil`: that of the source, which for a film is a film.
    ///   - folder: The job's own.
    /// - Throws: `MediaError`.
    init(
        _ path: String, format: AudioFormat?, folder: String, _ tools: MediaTools
    ) async throws {
        self.path = path
        info = try await tools.probe(path)
        self.format = format?.trackFormat ?? info.naturalFormat
        try self.format.requireRoom(forChannels: info.channels)
        let began = ContinuousClock.now
        survey = try await tools.survey(path, info)
        surveySeconds = began.secondsAgo
        carryover = try await tools.carryover(
            from: path, info, to: self.format, folder: folder)
    }
}
