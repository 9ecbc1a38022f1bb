import AsyncAlgorithms
import Foundation
import Media
import Separation

/// Splits one file into files: what the service's workers and the command line share.
public struct SplitJob: Sendable {
    /// The file to split; whatever ffmpeg reads.
    public let input: String
    /// What it is divided into; each stem gives a track.
    public let kind: SplitKind
    /// Whether reverberation is taken out of voices; it goes to what is left.
    public let dereverb: Bool
    /// The tracks of what is left.
    public let layout: TrackLayout
    /// `nil`: that of the source, which for a film is a film.
    public let format: AudioFormat?
    /// An existing folder of this job's own; what is in it after a failure is worth nothing.
    public let folder: String

    public init(
        input: String, kind: SplitKind, dereverb: Bool = false, layout: TrackLayout = .pairs,
        format: AudioFormat?, folder: String
    ) {
        self.input = input
        self.kind = kind
        self.dereverb = dereverb
        self.layout = layout
        self.format = format
        self.folder = folder
    }

    /// A file that the job wrote.
    public struct Output: Sendable {
        public let isBack: Bool
        /// `vocals`, `no_vocals`, …
        public let label: String
        /// `<folder>/<label>.<extension>`
        public let path: String
        public let format: TrackFormat
    }

    /// What the job did.
    public struct Result: Sendable {
        public let outputs: [Output]
        /// Of each output, of the samples before a codec changed them.
        public let waveforms: [Waveform]
        public let info: AudioInfo
        public let survey: Survey
        /// The common factor that all tracks were scaled by: 1, unless a peak was over full scale.
        public let gain: Float
        /// Seconds inside networks.
        public let inferenceSeconds: Double
        /// Seconds of audio.
        public var duration: Double { Double(survey.frames) / Double(info.sampleRate) }
    }

    /// Does the job.
    ///
    /// Decoding, inference and encoding overlap, joined by bounded queues. All tracks are kept in a spool
    /// as well: where a peak over full scale shows up, they are written again, scaled by one common factor; and
    /// where only the whole recording tells which tracks there are.
    /// - Parameter progress: Gets 0…1, rising.
    /// - Throws: `MediaError`, `SeparationError`, `CancellationError`.
    public func run(
        _ tools: MediaTools, _ separator: Separator, progress: @escaping @Sendable (Double) -> Void
    ) async throws -> Result {
        try separator.requireInstalled(kind, dereverb: dereverb)
        let info = try await tools.probe(input)
        let format = format?.trackFormat ?? info.naturalFormat
        try format.requireRoom(forChannels: info.channels)
        let survey = try await tools.survey(input, info)
        let carryover = try await tools.carryover(from: input, info, to: format, folder: folder)
        defer { carryover.cleanUp() }
        progress(0.04)
        let engine = try EngineActor(
            separator,
            SeparationRequest(
                kind: kind, dereverb: dereverb, sampleRate: info.sampleRate,
                channels: info.channels, meanSquare: survey.meanSquare))
        let spool = try Spool(folder: folder)
        var outputs = outputs(format, layout)

        let first = TrackSet(tools, outputs, info, carryover, frames: survey.frames)
        var waveforms: [Waveform] = []
        let found: Findings
        do {
            found = try await separate(
                tools, info, engine, spool, into: first, frames: survey.frames
            ) { frames in
                progress(0.04 + 0.92 * Double(frames) / Double(survey.frames))
            }
            if found.isWritten { try await first.finish() } else { await first.cancel() }
            waveforms = first.waveforms
        } catch {
            await first.cancel()
            throw error
        }
        // The largest value of a 24-bit integer is one step below full scale; rounding takes another.
        let gain = found.peak <= 1 ? 1 : (1 - 0x1p-22) / found.peak
        if !found.isWritten {
            for output in outputs { try? FileManager.default.removeItem(atPath: output.path) }
            outputs = self.outputs(format, found.layout)
            let second = TrackSet(tools, outputs, info, carryover, frames: survey.frames)
            do {
                try spool.rewind()
                while let block = try spool.read() {
                    try Task.checkCancellation()
                    let scaled = gain == 1 ? block : TrackSet.scaled(block, by: gain)
                    try await second.write(found.layout.tracks(of: scaled))
                }
                try await second.finish()
                waveforms = second.waveforms
            } catch {
                await second.cancel()
                throw error
            }
        }
        progress(1)
        return Result(
            outputs: outputs, waveforms: waveforms, info: info, survey: survey, gain: gain,
            inferenceSeconds: await engine.inferenceSeconds)
    }

    private func outputs(_ format: TrackFormat, _ layout: TrackLayout) -> [Output] {
        layout.labels(kind.stems).map { label, isBack in
            Output(
                isBack: isBack, label: label,
                path: "\(folder)/\(label).\(format.fileExtension)", format: format)
        }
    }

    /// What is known at the end.
    private struct Findings {
        let layout: TrackLayout
        /// The largest magnitude in any track.
        let peak: Float
        /// Whether the tracks were written as they are to be.
        let isWritten: Bool
    }

    private func separate(
        _ tools: MediaTools, _ info: AudioInfo, _ engine: EngineActor, _ spool: Spool,
        into tracks: TrackSet, frames expected: Int, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Findings {
        let decoded = AsyncChannel<[[Float]]>()
        return try await withThrowingTaskGroup(of: Findings?.self) { group in
            group.addTask {
                defer { decoded.finish() }
                try await tools.decode(input, info) { await decoded.send($0) }
                return nil
            }
            group.addTask {
                var frames = 0
                let candidates = layout.candidates
                var peaks = candidates.map { _ in Float(0) }
                var energies = kind.stems.map { _ in 0.0 }
                func take(_ blocks: [SeparatedBlock]) async throws {
                    for block in blocks {
                        try spool.write(block)
                        for (index, candidate) in candidates.enumerated() {
                            let samples = candidate.tracks(of: block)
                            peaks[index] = max(peaks[index], TrackSet.peak(samples))
                            // What is over full scale is written again anyway.
                            if index == 0 && peaks[0] <= 1 { try await tracks.write(samples) }
                        }
                        if candidates.count > 1 {
                            for (index, stem) in block.stems.enumerated() {
                                energies[index] += TrackSet.energy(stem)
                            }
                        }
                        frames += block.source[0].count
                        progress(frames)
                    }
                }
                for await block in decoded.buffer(policy: .bounded(8)) {
                    try Task.checkCancellation()
                    try await take(engine.push(block))
                }
                try Task.checkCancellation()
                try await take(engine.finish())
                // The second decode must find what the first did.
                if frames != expected { throw MediaError.decodingInterrupted }
                let settled = layout.settled(energies)
                let peak = peaks[candidates.firstIndex(of: settled)!]
                return Findings(
                    layout: settled, peak: peak, isWritten: settled == layout && peak <= 1)
            }
            var findings: Findings?
            for try await result in group { findings = result ?? findings }
            return findings!
        }
    }
}

/// Runs the engine on a thread of its own, so that heartbeats never wait for a network.
private actor EngineActor {
    private let queue = EngineQueue()
    private let stream: any StemStream

    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    init(_ separator: Separator, _ request: SeparationRequest) throws {
        stream = try separator.makeStream(request)
    }

    var inferenceSeconds: Double { stream.inferenceSeconds }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] { try stream.push(block) }
    func finish() throws -> [SeparatedBlock] { try stream.finish() }
}

private final class EngineQueue: SerialExecutor {
    private let queue = DispatchQueue(label: "partita.engine")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
