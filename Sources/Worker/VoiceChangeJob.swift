import Foundation
import Inference
import Media
import Separation
import VoiceChange

/// Gives the voice in one file another voice: what the service's workers and the command line share.
///
/// The first pass separates the voice; the file then lies, with two opinions of its voice, in a spool on disk. Three passes over
/// the spool find the voice's pitch, what it is like on the whole, and convert it. What is not the voice is untouched, and so
/// is the whole recording where the voice is silent.
public struct VoiceChangeJob: Sendable {
    /// The file; whatever ffmpeg reads.
    public let input: String
    /// Whose voice it gets.
    public let voice: any TargetVoice
    /// 0…1: how much of the voice's articulation and prosody is taken on.
    public let accent: Double
    public let tonality: VoiceSettings.Tonality
    /// Whether reverberation is taken out of the voice before; it stays as it was.
    public let dereverb: Bool
    /// `nil`: that of the source, which for a film is a film.
    public let format: AudioFormat?
    /// An existing folder of this job's own; what is in it after a failure is worth nothing.
    public let folder: String

    /// Hertz that a recording must have for its voice to be analyzed.
    static let lowestRate = 8000

    /// What the only track is called.
    public static let label = "converted_mix"

    public init(
        input: String, voice: any TargetVoice, accent: Double, tonality: VoiceSettings.Tonality,
        dereverb: Bool = false, format: AudioFormat?, folder: String
    ) {
        self.input = input
        self.voice = voice
        self.accent = accent
        self.tonality = tonality
        self.dereverb = dereverb
        self.format = format
        self.folder = folder
    }

    /// Does the job.
    /// - Parameter progress: Gets 0…1. It rises, but where a file says wrongly or not at all how long it is.
    /// - Throws: ``VoiceError/noVoice`` where there is no voice in the file; `MediaError`, `ModelError`, `CancellationError`.
    public func run(
        _ tools: MediaTools, _ separator: Separator, _ network: PitchNetwork,
        progress: @escaping @Sendable (Double) -> Void
    ) async throws -> JobResult {
        let pipeline = SeparationPipeline(
            tools: tools, separator: separator, file: input, format: format, folder: folder,
            kind: .voice, dereverb: dereverb)
        let outcome = try await pipeline.run { input, blocks in
            guard input.info.sampleRate >= Self.lowestRate else { throw VoiceError.noVoice }
            progress(0.04)
            let spool = try Spool(input.audio, folder: folder)
            return (
                try await separate(blocks, input, spool) { progress(0.04 + 0.56 * $0) }, spool
            )
        }
        let input = outcome.input
        defer { input.carryover.cleanUp() }
        let (separated, spool) = outcome.value
        let melody = try await melody(of: separated, input, network, spool) {
            progress(0.6 + 0.1 * $0)
        }
        let source = try await survey(separated, melody, input, spool) {
            progress(0.7 + 0.1 * $0)
        }
        let settings = VoiceSettings(
            accent: accent, tonality: tonality,
            isSong: separated.choice == .vocals || melody.pitch.isSung)
        func convert(gain: Float, from start: Double) async throws -> (TrackSet, peak: Float) {
            let conversion = try voice.makeConversion(
                settings, source: source, pitch: melody.pitch,
                sampleRate: input.info.sampleRate, weights: separated.weights)
            let output = JobOutput(
                label: Self.label, isBack: true, folder: folder, format: input.format)
            let tracks = TrackSet(tools, [output], input)
            let peak = try await tracks.fill { tracks in
                let peak = try await mix(
                    conversion, separated, melody.gate, gain: gain, spool, into: tracks
                ) { progress(start + 0.1 * Double($0) / Double(input.audio.frames)) }
                return (peak, keep: peak <= 1)
            }
            return (tracks, peak)
        }
        var (tracks, peak) = try await convert(gain: 1, from: 0.8)
        let gain = TrackSet.gain(forPeak: peak)
        if gain < 1 { (tracks, _) = try await convert(gain: gain, from: 0.9) }
        progress(1)
        return JobResult(
            outputs: tracks.outputs, waveforms: tracks.waveforms, info: input.info,
            frames: input.audio.frames, gain: gain, seconds: outcome.seconds)
    }

    /// What the first pass finds.
    private struct Separated: Sendable {
        let choice: VoiceFinder.Choice
        /// Of the mono mix that the voice is looked at in.
        let weights: [Float]
    }

    private func separate(
        _ blocks: SeparationPipeline.Blocks, _ input: JobInput, _ spool: Spool,
        progress: @Sendable (Double) -> Void
    ) async throws -> Separated {
        let info = input.info
        var finder = VoiceFinder(sampleRate: info.sampleRate)
        var mixes = [VoiceFinder.Choice: ChannelMix]()
        for choice in VoiceFinder.Choice.allCases {
            mixes[choice] = ChannelMix(channels: info.channels)
        }
        var frames = 0
        for await block in blocks {
            try spool.write(block)
            finder.add(block)
            for choice in VoiceFinder.Choice.allCases {
                mixes[choice]!.add(choice.voice(of: block))
            }
            frames += block.source[0].count
            progress(Double(frames) / Double(input.audio.frames))
        }
        try Task.checkCancellation()
        guard let choice = finder.finish() else { throw VoiceError.noVoice }
        return Separated(choice: choice, weights: mixes[choice]!.weights)
    }

    /// What the second pass finds.
    private struct Melody {
        let pitch: PitchTrack
        let gate: VoiceGate
    }

    private func melody(
        of separated: Separated, _ input: JobInput, _ network: PitchNetwork, _ spool: Spool,
        progress: (Double) -> Void
    ) async throws -> Melody {
        let tracker = try PitchTracker(network, sampleRate: input.info.sampleRate)
        var gate = VoiceGate(sampleRate: input.info.sampleRate)
        var frequencies: [Float] = []
        try await spool.forEach { block, frames in
            let voice = separated.choice.voice(of: block)
            gate.add(voice, of: block.source)
            frequencies += try tracker.push(
                ChannelMix.mono(voice, weights: separated.weights))
            progress(Double(frames) / Double(input.audio.frames))
        }
        gate.finish()
        frequencies += try tracker.finish()
        return Melody(pitch: PitchTrack(frequencies: frequencies), gate: gate)
    }

    private func survey(
        _ separated: Separated, _ melody: Melody, _ input: JobInput, _ spool: Spool,
        progress: (Double) -> Void
    ) async throws -> SourceVoice {
        let survey = try VoiceSurvey(sampleRate: input.info.sampleRate, pitch: melody.pitch)
        try await spool.forEach { block, frames in
            survey.push(
                ChannelMix.mono(separated.choice.voice(of: block), weights: separated.weights))
            progress(Double(frames) / Double(input.audio.frames))
        }
        return try survey.finish()
    }

    /// - Returns: The largest magnitude.
    private func mix(
        _ conversion: any VoiceConversion, _ separated: Separated, _ gate: VoiceGate, gain: Float,
        _ spool: Spool, into tracks: TrackSet, progress: (Int) -> Void
    ) async throws -> Float {
        let mixer = VoiceMixer(gate: gate, gain: gain, channels: tracks.channels)
        var peak: Float = 0
        func write(_ converted: [[Float]]) async throws {
            guard !converted[0].isEmpty else { return }
            let mixed = mixer.mix(converted)
            peak = max(peak, TrackSet.peak([mixed]))
            // What is over full scale is written again anyway.
            if peak <= 1 { try await tracks.write([mixed]) }
        }
        try await spool.forEach { block, frames in
            let voice = separated.choice.voice(of: block)
            mixer.add(source: block.source, voice: voice)
            try await write(conversion.push(voice))
            progress(frames)
        }
        try await write(conversion.finish())
        return peak
    }
}

extension PitchTracker {
    /// The same for samples in an array.
    func push(_ samples: [Float]) throws -> [Float] {
        try samples.withUnsafeBufferPointer { try push($0) }
    }
}
