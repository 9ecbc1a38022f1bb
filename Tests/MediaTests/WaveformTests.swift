import Foundation
import Media
import TestSupport
import Testing

@Suite struct WaveformTests {
    /// The fields of audiowaveform's JSON.
    private struct Peaks: Decodable {
        let version, channels, sampleRate, samplesPerPixel, bits, length: Int
        let data: [Int]
    }

    private func peaks(_ waveform: Waveform) throws -> Peaks {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Peaks.self, from: Data(waveform.json.utf8))
    }

    /// Adds samples in blocks of odd lengths.
    private func waveform(of samples: [[Float]], rate: Int, block: Int) -> Waveform {
        let frames = samples[0].count
        var waveform = Waveform(channels: samples.count, sampleRate: rate)
        for start in stride(from: 0, to: frames, by: block) {
            waveform.add(samples.map { Array($0[start..<min(start + block, frames)]) })
        }
        return waveform
    }

    @Test(arguments: [
        ("music/vocadito1_plus_vibe_ace/mixture.flac", 2), ("solo/librosa_solo_trumpet.flac", 1),
    ])
    func peaksAreThoseOfTheRecording(_ recording: String, _ channels: Int) throws {
        let file = Repository.recordings.appendingPathComponent(recording)
        let samples = try decode(file, channels: channels)
        let waveform = waveform(of: samples, rate: 44_100, block: 7001)
        let peaks = try peaks(waveform)
        #expect(peaks.version == 2 && peaks.bits == 8 && peaks.sampleRate == 44_100)
        #expect(peaks.channels == channels)
        let step = peaks.samplesPerPixel
        let frames = samples[0].count
        #expect(peaks.length == (frames + step - 1) / step && peaks.length > 400)
        #expect(peaks.data.count == peaks.length * channels * 2)
        var position = 0
        for start in stride(from: 0, to: frames, by: step) {
            for channel in samples {
                let pixel = channel[start..<min(start + step, frames)]
                for extreme in [pixel.min()!, pixel.max()!] {
                    let expected = min(extreme * 128, 127)
                    #expect(abs(Float(peaks.data[position]) - expected) <= 0.5)
                    position += 1
                }
            }
        }
        // However the samples came.
        #expect(self.waveform(of: samples, rate: 44_100, block: 65_536).json == waveform.json)
        #expect(self.waveform(of: samples, rate: 44_100, block: 3).json == waveform.json)
    }

    /// However often two pixels became one, also where their number is odd: the peaks are those of the samples.
    @Test(arguments: [1, 2, 5, 200])
    func longRecordingsHaveLongPixels(_ channels: Int) throws {
        let most = Waveform.maximumValues / (2 * channels)
        let frames = most * 256 * 5 / 2
        var waveform = Waveform(channels: channels, sampleRate: 8000)
        var expected: [[Int]] = []
        for start in stride(from: 0, to: frames, by: 1024) {
            let block: [[Float]] = (0..<channels).map { channel in
                (start..<min(start + 1024, frames)).map { frame in
                    let number = (7919 * frame + 104_729 * channel) % 1601
                    return Float(number - 800) / 1000
                }
            }
            // Not of the length of pixels.
            waveform.add(block.map { Array($0.prefix(300)) })
            waveform.add(block.map { Array($0.dropFirst(300)) })
            expected.append(
                block.flatMap { [$0.min()!, $0.max()!] }.map {
                    Int(($0 * 128).rounded(.toNearestOrEven))
                })
        }
        #expect(waveform.samplesPerPixel == 1024)
        let peaks = try peaks(waveform)
        #expect(peaks.length == expected.count)
        #expect(peaks.data == expected.flatMap(\.self))
    }

    @Test func aWaveformIsNeverLargerThanItMayBe() throws {
        let channels = 2
        let pixels = Waveform.maximumValues / (2 * channels)
        for frames in [pixels * 256, pixels * 256 + 1] {
            let channel = [Float](repeating: -0.999, count: frames)
            let waveform = waveform(of: [channel, channel], rate: 8000, block: 1 << 20)
            #expect(waveform.samplesPerPixel == (frames > pixels * 256 ? 512 : 256))
            #expect(try peaks(waveform).data.count <= Waveform.maximumValues)
            #expect(waveform.json.utf8.count < 330_000)
        }
    }

    @Test func fewSamplesAndOddOnes() throws {
        #expect(try peaks(Waveform(channels: 1, sampleRate: 8000)).length == 0)
        let one = try peaks(waveform(of: [[0.25], [-0.5]], rate: 8000, block: 1))
        #expect(one.length == 1 && one.data == [32, 32, -64, -64])
        let odd = try peaks(waveform(of: [[1, -1, 2, -2, .nan, 0]], rate: 8000, block: 6))
        #expect(odd.data == [-128, 127])
        #expect(try peaks(waveform(of: [[.nan]], rate: 8000, block: 1)).length == 1)
    }
}
