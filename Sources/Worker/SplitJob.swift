import AsyncAlgorithms
import Foundation
import Inference
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
        /// Where the time went.
        public let seconds: JobSeconds
        /// Seconds of audio.
        public var duration: Double { Double(survey.frames) / Double(info.sampleRate) }
    }

    /// Does the job.
    ///
    /// Decoding, inference and encoding overlap, joined by bounded queues. All tracks are kept in a spool
    /// as well: where a peak over full scale shows up, they are written again, scaled by one common factor; and
    /// where only the whole recording tells which tracks there are.
    /// - Parameter progress: Gets 0…1, rising.
    /// - Throws: `MediaError`, `ModelError`, `CancellationError`.
    public func run(
        _ tools: MediaTools, _ separator: Separator, progress: @escaping @Sendable (Double) -> Void
    ) async throws -> Result {
        try separator.requireInstalled(kind, dereverb: dereverb)
        let info = try await tools.probe(input)
        let format = format?.trackFormat ?? info.naturalFormat
        try format.requireRoom(forChannels: info.channels)
        let began = ContinuousClock.now
        let survey = try await tools.survey(input, info)
        var seconds = JobSeconds()
        seconds.survey = began.secondsAgo
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
            found = try await separate(tools, info, engine, spool, into: first) { frames in
                progress(0.04 + 0.92 * Double(frames) / Double(survey.frames))
            }
            // The second decode must find what the first did.
            if found.frames != survey.frames { throw MediaError.decodingInterrupted }
            (seconds.decodeWait, seconds.encodeWait) = (found.waits.decode, found.waits.encode)
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
        seconds.engine = await engine.seconds
        return Result(
            outputs: outputs, waveforms: waveforms, info: info, survey: survey, gain: gain,
            seconds: seconds)
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
        /// Samples of one channel.
        let frames: Int
        /// The largest magnitude in any track.
        let peak: Float
        /// Whether the tracks were written as they are to be.
        let isWritten: Bool
        var waits = Waits()
    }

    /// Seconds in which the engine had nothing to do.
    private struct Waits {
        var decode = 0.0
        var encode = 0.0
    }

    private enum Part {
        case decoded
        case separated(Waits)
        case written(Findings)
    }

    /// Decodes, separates and encodes, each beside the others.
    private func separate(
        _ tools: MediaTools, _ info: AudioInfo, _ engine: EngineActor, _ spool: Spool,
        into tracks: TrackSet, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Findings {
        let decoded = AsyncChannel<[[Float]]>()
        let separated = AsyncChannel<SeparatedBlock>()
        return try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                defer { decoded.finish() }
                try await tools.decode(input, info) { await decoded.send($0) }
                return .decoded
            }
            group.addTask {
                defer { separated.finish() }
                return .separated(try await SplitJob.run(engine, on: decoded, into: separated))
            }
            group.addTask {
                .written(try await write(separated, spool, into: tracks, progress: progress))
            }
            var findings: Findings?
            var waits = Waits()
            for try await part in group {
                switch part {
                case .decoded: break
                case .separated(let found): waits = found
                case .written(let found): findings = found
                }
            }
            findings!.waits = waits
            return findings!
        }
    }

    private func write(
        _ separated: AsyncChannel<SeparatedBlock>, _ spool: Spool, into tracks: TrackSet,
        progress: @Sendable (Int) -> Void
    ) async throws -> Findings {
        var frames = 0
        let candidates = layout.candidates
        var peaks = candidates.map { _ in Float(0) }
        var energies = kind.stems.map { _ in 0.0 }
        for await block in separated.buffer(policy: .bounded(1)) {
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
        let settled = layout.settled(energies)
        let peak = peaks[candidates.firstIndex(of: settled)!]
        return Findings(
            layout: settled, frames: frames, peak: peak, isWritten: settled == layout && peak <= 1)
    }

    private static func run(
        _ engine: EngineActor, on decoded: AsyncChannel<[[Float]]>,
        into separated: AsyncChannel<SeparatedBlock>
    ) async throws -> Waits {
        var waits = Waits()
        func send(_ blocks: [SeparatedBlock]) async {
            let began = ContinuousClock.now
            for block in blocks { await separated.send(block) }
            waits.encode += began.secondsAgo
        }
        var began = ContinuousClock.now
        for await block in decoded.buffer(policy: .bounded(4)) {
            waits.decode += began.secondsAgo
            try Task.checkCancellation()
            await send(try await engine.push(block))
            began = .now
        }
        try Task.checkCancellation()
        while true {
            let blocks = try await engine.finish()
            if blocks.isEmpty { return waits }
            await send(blocks)
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

    var seconds: StageSeconds { stream.seconds }

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
