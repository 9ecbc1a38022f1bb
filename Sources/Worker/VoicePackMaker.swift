import Foundation
import Inference
import Media
import Separation
import VoiceChange

/// Makes a voice pack of recordings: goes through each five times, to find whether there is a voice and nothing much besides, where it is
/// among the channels, its pitch, what it is like on the whole, and frame by frame.
public actor VoicePackMaker {
    /// What is not the voice must be so much weaker, as a ratio of energies: 10 dB.
    private static let mostBesides = 0.1

    private let tools: MediaTools
    private let separator: Separator
    private let networks: VoiceNetworks
    private let builder: VoicePackBuilder
    private var mix = ChannelMix(channels: 1)
    private var weights: [Float] = [1]
    private var tracker: PitchTracker?
    private var frequencies: [Float] = []
    private var voice: VoiceSurvey?

    private var stream: (any StemStream)?
    private var finder: VoiceFinder?
    private var energies = (whole: 0.0, besides: 0.0)

    public init(_ tools: MediaTools, _ separator: Separator, _ networks: VoiceNetworks) {
        self.tools = tools
        self.separator = separator
        self.networks = networks
        builder = VoicePackBuilder(networks.content)
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
        let audio = try await tools.decode(
            file, info, folder: FileManager.default.temporaryDirectory.path)
        progress(0.05)
        try listen(info)
        try await audio.forEach { try listen($0) }
        guard try hearsVoiceAlone() else {
            throw energies.whole == 0
                ? VoiceError.silent(recording: name) : VoiceError.notAVoice(recording: name)
        }
        progress(0.4)
        mix = ChannelMix(channels: info.channels)
        try await audio.forEach { mix.add($0) }
        weights = mix.weights
        progress(0.45)
        tracker = try PitchTracker(networks.pitch, sampleRate: info.sampleRate)
        frequencies = []
        try await audio.forEach { frequencies += try tracker?.push(mono($0)) ?? [] }
        frequencies += try tracker?.finish() ?? []
        progress(0.7)
        let pitch = PitchTrack(frequencies: frequencies)
        voice = try VoiceSurvey(sampleRate: info.sampleRate, pitch: pitch)
        try await audio.forEach { voice?.push(mono($0)) }
        // Where there is no voice, the builder says what is wrong with the recording.
        let statistics = try? voice?.finish().statistics
        progress(0.8)
        try builder.begin(
            recording: name, sampleRate: info.sampleRate, pitch: pitch, statistics: statistics)
        try await audio.forEach { try builder.push(mono($0)) }
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

    private func listen(_ info: AudioInfo) throws {
        stream = try separator.makeStream(
            SeparationRequest(
                kind: .voice, sampleRate: info.sampleRate, channels: info.channels))
        finder = VoiceFinder(sampleRate: info.sampleRate)
        energies = (0, 0)
    }

    private func listen(_ block: [[Float]]) throws { hear(try stream?.push(block) ?? []) }

    private func hearsVoiceAlone() throws -> Bool {
        while let blocks = try stream?.finish(), !blocks.isEmpty { hear(blocks) }
        stream = nil
        return finder?.finish() != nil && energies.besides < Self.mostBesides * energies.whole
    }

    private func hear(_ blocks: [SeparatedBlock]) {
        for block in blocks {
            finder?.add(block)
            // What both opinions leave: music and noise.
            let voice = block.meanStem
            for (source, voice) in zip(block.source, voice) {
                for index in source.indices {
                    energies.whole += Double(source[index] * source[index])
                    energies.besides += Double(
                        (source[index] - voice[index]) * (source[index] - voice[index]))
                }
            }
        }
    }

    private func mono(_ block: [[Float]]) -> [Float] { ChannelMix.mono(block, weights: weights) }
}
