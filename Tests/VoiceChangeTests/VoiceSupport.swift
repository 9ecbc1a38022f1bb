import DSP
import Foundation
import Inference
import Separation
import TestSupport
import Testing
import VoiceChange

/// A recording, mono, with what the tracker finds in it.
struct Spoken {
    let samples: [Float]
    let rate: Int
    let pitch: PitchTrack

    init(samples: [Float], rate: Int, pitch: PitchTrack) {
        self.samples = samples
        self.rate = rate
        self.pitch = pitch
    }

    init(_ samples: [Float], rate: Int) throws {
        self.samples = samples
        self.rate = rate
        pitch = PitchTrack(frequencies: try PitchTrackerTests().track(samples, rate: rate))
    }

    /// - Parameter path: Below the shared folder.
    init(_ path: String, rate: Int = 44_100, start: Double = 0, seconds: Double? = nil) throws {
        try self.init(
            decode(
                Repository.shared.appendingPathComponent(path), channels: 1, rate: rate,
                start: start, seconds: seconds)[0], rate: rate)
    }

    func survey() throws -> SourceVoice {
        let survey = try VoiceSurvey(sampleRate: rate, pitch: pitch)
        survey.push(samples)
        return try survey.finish()
    }

    /// The result, `[channel][sample]`.
    /// - Parameter channels: Factors that the recording is given in each channel.
    func convert(
        to voice: Voice, _ settings: VoiceSettings, block: Int = 20_000, channels: [Float] = [1]
    ) throws -> (samples: [[Float]], map: PitchMap) {
        let total = channels.reduce(0) { $0 + abs($1) }
        let converter = try VoiceConverter(
            voice: voice, settings: settings, source: survey(), pitch: pitch, sampleRate: rate,
            weights: channels.map { $0 / total })
        var result = channels.map { _ in [Float]() }
        func take(_ samples: [[Float]]) {
            for channel in result.indices { result[channel] += samples[channel] }
        }
        for first in stride(from: 0, to: samples.count, by: block) {
            let piece = samples[first..<min(first + block, samples.count)]
            take(try converter.push(channels.map { factor in piece.map { $0 * factor } }))
        }
        take(try converter.finish())
        return (result, converter.pitchMap)
    }
}

/// The network that tells what is said.
let contentNetwork = Result {
    let library = ModelLibrary(directories: Repository.models, cache: nil)
    guard let pack = library.content else { throw ModelError.notInstalled(stems: ["content"]) }
    return try ContentNetwork(
        pack, InferenceRuntime(library: Repository.runtime), threads: 2, cache: nil)
}

/// A pack of the first recordings of a speaker, built once a run.
enum Packs {
    static let kathleen = Result { try build("kathleen_en_f", [0, 1]) }
    static let flemish = Result { try build("flemishguy_nl_m", [0, 1]) }

    static func recording(_ speaker: String, _ index: Int) -> String {
        "data/speech/\(speaker)/\(speaker)_\(String(format: "%03d", index)).opus"
    }

    static func content(_ recordings: [Spoken], id: String = "TEST") throws -> VoicePackContent {
        let builder = VoicePackBuilder(try contentNetwork.get())
        for (index, recording) in recordings.enumerated() {
            try builder.begin(
                recording: "\(index)", sampleRate: recording.rate, pitch: recording.pitch,
                statistics: try? recording.survey().statistics)
            try builder.push(recording.samples)
            try builder.end()
        }
        return try builder.finish(.init(id: id, name: "Test", created: 0))
    }

    private static func build(_ speaker: String, _ indices: [Int]) throws
        -> Voice
    {
        let recordings = try indices.map { try Spoken(recording(speaker, $0)) }
        let folder = try TemporaryFolder()
        try VoiceLibrary.add(content(recordings), to: folder.path)
        return try Voice(directory: folder.file("TEST"), contentNetwork.get())
    }
}
