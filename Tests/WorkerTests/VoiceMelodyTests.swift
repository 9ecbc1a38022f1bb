import Foundation
import Media
import TestSupport
import Testing
import VoiceChange
import Worker

/// Whether a changed voice says and sings what the recording did: its pitch moves like the recording's, and is there where that is.
@Suite struct VoiceMelodyTests {
    static let recordings = [
        "solo/vocadito_1_singing.flac", "speech/joe_en_m_city_5dB/clean.flac",
        "speech/paola_it_f_city_0dB/clean.flac",
    ]

    private func pitch(of samples: [[Float]], rate: Int) throws -> [Float] {
        let tracker = try PitchTracker(pitchNetwork.get(), sampleRate: rate)
        let frames = try samples[0].withUnsafeBufferPointer { try tracker.push($0) }
        return frames + (try tracker.finish())
    }

    private func correlation(_ a: [Double], _ b: [Double]) -> Double {
        let (meanA, meanB) = (
            a.reduce(0, +) / Double(a.count), b.reduce(0, +) / Double(b.count)
        )
        var (product, squareA, squareB) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            product += (x - meanA) * (y - meanB)
            squareA += (x - meanA) * (x - meanA)
            squareB += (y - meanB) * (y - meanB)
        }
        return product / (squareA * squareB).squareRoot()
    }

    @Test(arguments: [VoiceSettings.Tonality.sourceFile, .voicePack])
    func theMelodyIsTheRecordings(tonality: VoiceSettings.Tonality) async throws {
        let folder = try TemporaryFolder()
        let voice = try VoiceLibrary(
            directories: [Repository.root.appendingPathComponent("Voices").path]
        ).pack("ALEX_KAYE").load(beside: voiceNetworks.get())
        var correlations: [Double] = []
        for recording in Self.recordings {
            let file = try folder.make(
                "voice.wav", from: recording, ["-t", "15", "-ac", "1", "-y"])
            let out = folder.file(UUID().uuidString)
            try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
            let result = try await VoiceChangeJob(
                input: file.path, voice: voice, accent: 1, tonality: tonality, format: .wav,
                folder: out.path
            ).run(MediaTools(), separator.get(), pitchNetwork.get()) { _ in }
            let rate = result.info.sampleRate
            let before = try pitch(of: try decode(file, channels: 1), rate: rate)
            let after = try pitch(
                of: try decode(URL(fileURLWithPath: result.outputs[0].path), channels: 1),
                rate: rate)
            #expect(before.count == after.count)
            let voiced = zip(before, after).filter { $0 > 0 && $1 > 0 }
            let wrong = zip(before, after).count { ($0 > 0) != ($1 > 0) }
            let found = correlation(
                voiced.map { log(Double($0.0)) }, voiced.map { log(Double($0.1)) })
            let share = Double(wrong) / Double(before.count)
            print("\(recording), \(tonality): correlation \(found), voicing errors \(share)")
            #expect(voiced.count > before.count / 4)
            #expect(share < 0.08)
            correlations.append(found)
        }
        #expect(correlations.reduce(0, +) / Double(correlations.count) > 0.95)
        #expect(correlations.allSatisfy { $0 > 0.9 })
    }
}
