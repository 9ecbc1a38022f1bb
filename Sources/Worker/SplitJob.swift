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

    /// Does the job.
    ///
    /// Decoding, inference and encoding overlap, joined by bounded queues. All tracks are kept in a spool
    /// as well: where a peak over full scale shows up, they are written again, scaled by one common factor; and
    /// where only the whole recording tells which tracks there are.
    /// - Parameter progress: Gets 0…1. It rises, but where a file says wrongly or not at all how long it is.
    /// - Throws: `MediaError`, `ModelError`, `CancellationError`.
    public func run(
        _ tools: MediaTools, _ separator: Separator, progress: @escaping @Sendable (Double) -> Void
    ) async throws -> JobResult {
        let pipeline = SeparationPipeline(
            tools: tools, separator: separator, file: input, format: format, folder: folder,
            kind: kind, dereverb: dereverb)
        let separated = try await pipeline.run { input, blocks in
            progress(0.04)
            let spool = try Spool(input.audio, folder: folder)
            let tracks = TrackSet(tools, outputs(layout, input.format), input)
            let found = try await tracks.fill { tracks in
                let found = try await write(blocks, spool, into: tracks) { done in
                    progress(0.04 + 0.92 * Double(done) / Double(input.audio.frames))
                }
                return (found, keep: found.isWritten)
            }
            return (found, tracks, spool)
        }
        let input = separated.input
        defer { input.carryover.cleanUp() }
        var (found, tracks, spool) = separated.value
        let gain = TrackSet.gain(forPeak: found.peak)
        if !found.isWritten {
            tracks = TrackSet(tools, outputs(found.layout, input.format), input)
            try await tracks.fill { tracks in
                try await spool.forEach { block, _ in
                    let scaled = gain == 1 ? block : TrackSet.scaled(block, by: gain)
                    try await tracks.write(found.layout.tracks(of: scaled))
                }
                return ((), keep: true)
            }
        }
        progress(1)
        return JobResult(
            outputs: tracks.outputs, waveforms: tracks.waveforms, info: input.info,
            frames: input.audio.frames, gain: gain, seconds: separated.seconds)
    }

    private func outputs(_ layout: TrackLayout, _ format: TrackFormat) -> [JobOutput] {
        layout.labels(kind.stems).map {
            JobOutput(label: $0.label, isBack: $0.isBack, folder: folder, format: format)
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
    }

    private func write(
        _ blocks: SeparationPipeline.Blocks, _ spool: Spool, into tracks: TrackSet,
        progress: @Sendable (Int) -> Void
    ) async throws -> Findings {
        var frames = 0
        let candidates = layout.candidates
        var peaks = candidates.map { _ in Float(0) }
        var energies = kind.stems.map { _ in 0.0 }
        for await block in blocks {
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
}
