import Foundation
import Inference
import Media
import VoiceChange

/// Makes a voice pack of recordings: reads each three times, to find where the voice is among the channels, its pitch, and what
/// it is like.
public actor VoicePackMaker {
    private let tools: MediaTools
    private let network: PitchNetwork
    private let builder = VoicePackBuilder()
    private var mix = ChannelMix(channels: 1)
    private var weights: [Float] = [1]
    private var tracker: PitchTracker?
    private var frequencies: [Float] = []

    public init(_ tools: MediaTools, _ network: PitchNetwork) {
        self.tools = tools
        self.network = network
    }

    /// Takes a recording in.
    /// - Parameter progress: Gets 0…1, rising.
    /// - Throws: `VoiceError`: it is silent, clipped or not a voice, and no pack can be made; `MediaError`, `ModelError`.
    public func add(
        recording file: String, progress: @escaping @Sendable (Double) -> Void
    ) async throws {
        let name = (file as NSString).lastPathComponent
        let info = try await tools.probe(file)
        guard info.sampleRate >= VoiceChangeJob.lowestRate else {
            throw VoiceError.notAVoice(recording: name)
        }
        _ = try await tools.survey(file, info)
        progress(0.05)
        mix = ChannelMix(channels: info.channels)
        try await tools.decode(file, info) { await self.place($0) }
        weights = mix.weights
        progress(0.1)
        tracker = try PitchTracker(network, sampleRate: info.sampleRate)
        frequencies = []
        try await tools.decode(file, info) { try await self.track($0) }
        frequencies += try tracker?.finish() ?? []
        progress(0.5)
        try builder.begin(
            recording: name, sampleRate: info.sampleRate,
            pitch: PitchTrack(frequencies: frequencies))
        try await tools.decode(file, info) { await self.learn($0) }
        try builder.end()
        progress(1)
    }

    /// Makes the pack of all recordings.
    /// - Throws: `VoiceError`: there is too little voice in them, or the id is none.
    public func finish(
        _ description: VoicePackBuilder.Description
    ) throws(VoiceError) -> VoicePackContent {
        try builder.finish(description)
    }

    private func place(_ block: [[Float]]) { mix.add(block) }

    private func track(_ block: [[Float]]) throws {
        frequencies += try tracker?.push(mono(block)) ?? []
    }

    private func learn(_ block: [[Float]]) { builder.push(mono(block)) }

    private func mono(_ block: [[Float]]) -> [Float] { ChannelMix.mono(block, weights: weights) }
}
