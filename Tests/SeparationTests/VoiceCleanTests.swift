import Foundation
import Inference
import Separation
import TestSupport
import Testing

/// What voice clean promises, on recordings of speakers in noise (48 kHz, mono). That it computes what the authors'
/// library does is tested by `Tests/setup/test_deepfilternet.py`.
@Suite(.serialized) struct VoiceCleanTests {
    static let speech = Repository.recordings.appendingPathComponent("speech")
    private let engine: Separator

    init() throws {
        engine = try Engine.all.get()
    }

    private func clean(
        _ source: [[Float]], _ level: NoiseReduction = .aggressive, rate: Int = 48_000,
        block: Int = 65_536
    ) throws -> [[Float]] {
        let result = try Engine.separate(
            engine, source, .voiceClean(level), rate: rate, block: block)
        #expect(result.source == source)
        #expect(result.stems.count == 1)
        return result.stems[0]
    }

    /// SI-SDR of the authors' library, which is what `../shared/reference/open-models.md` says.
    @Test(arguments: [
        ("gosia_pl_f_rain_10dB", 13.4), ("joe_en_m_city_5dB", 7.3), ("paola_it_f_city_0dB", 6.8),
    ])
    func voicesAreAsCleanAsThoseOfTheAuthors(pair: String, expected: Double) throws {
        let folder = Self.speech.appendingPathComponent(pair)
        let noisy = try decode(folder.appendingPathComponent("noisy.flac"), channels: 1)
        let truth = try decode(folder.appendingPathComponent("clean.flac"), channels: 1)
        let quality = Speech.quality(try clean(noisy)[0], truth[0])
        print("\(pair): SI-SDR \(quality) dB, before \(Speech.quality(noisy[0], truth[0]))")
        #expect(quality > expected - 0.1)
    }

    /// At other rates too the voice keeps its length and its place in time, and lies on the 24-bit grid.
    @Test(arguments: [8_000, 44_100, 48_000, 96_000])
    func lengthAndStartAreKept(rate: Int) throws {
        let folder = Self.speech.appendingPathComponent("gosia_pl_f_rain_10dB")
        let noisy = try decode(
            folder.appendingPathComponent("noisy.flac"), channels: 1, rate: rate, seconds: 5.003)
        let truth = try decode(
            folder.appendingPathComponent("clean.flac"), channels: 1, rate: rate, seconds: 5.003)
        let voice = try clean(noisy, rate: rate)
        #expect(voice[0].count == noisy[0].count)
        #expect(voice[0].allSatisfy { $0 * 0x1p23 == ($0 * 0x1p23).rounded() })
        // Its correlation with what was said peaks at no delay.
        let best = (-64...64).max { a, b in
            Speech.correlation(voice[0], truth[0], a) < Speech.correlation(voice[0], truth[0], b)
        }
        #expect(best == 0)
    }

    @Test func blocksChangeNothing() throws {
        let noisy = try decode(
            Self.speech.appendingPathComponent("joe_en_m_city_5dB/noisy.flac"), channels: 1)
        let whole = try clean(noisy, block: .max / 4)
        for size in [479, 10_000] {
            let pieces = try clean(noisy, block: size)
            #expect(pieces == whole)
        }
    }

    /// Noise alone is lowered by what the level allows and no more; the network could do more.
    @Test func levelsLimitHowMuchIsTakenAway() throws {
        let folder = Self.speech.appendingPathComponent("paola_it_f_city_0dB")
        let noisy = try decode(folder.appendingPathComponent("noisy.flac"), channels: 1)[0]
        let truth = try decode(folder.appendingPathComponent("clean.flac"), channels: 1)[0]
        let noise = zip(noisy, truth).map { $0 - $1 }
        let length = 4_800
        let lowered = try NoiseReduction.allCases.map { level in
            let voice = try clean([noise], level)[0]
            return stride(from: 0, to: noise.count - length, by: length).map { start in
                10
                    * log10(
                        Speech.energy(noise[start..<start + length])
                            / max(Speech.energy(voice[start..<start + length]), 1e-30))
            }.sorted()
        }
        let medians = lowered.map { $0[$0.count / 2] }
        print("Noise is lowered by \(medians) dB, at most \(lowered.map { $0.last! }) dB")
        // Gains of neighboring frames differ, so that a tenth of a second can lose a little more than each frame.
        #expect(lowered[0].last! < 12.1 && medians[0] > 11)
        #expect(lowered[1].last! < 24.2 && medians[1] > 20)
        #expect(medians[2] > 30)
    }

    /// All channels get the same gains and filters, so a voice stays where it was, and it is found wherever it is.
    @Test(arguments: [(1, 1), (0.9, 0.4), (1, 0), (1, -1)] as [(Float, Float)])
    func voicesStayInTheirPlace(left: Float, right: Float) throws {
        let folder = Self.speech.appendingPathComponent("gosia_pl_f_rain_10dB")
        let noisy = try decode(folder.appendingPathComponent("noisy.flac"), channels: 1)[0]
        let truth = try decode(folder.appendingPathComponent("clean.flac"), channels: 1)[0]
        // Noise that differs between the channels.
        let half = truth.count / 2
        let noise = truth.indices.map { noisy[$0] - truth[$0] }
        let other = truth.indices.map { noise[($0 + half) % noise.count] }
        let source = [
            truth.indices.map { left * truth[$0] + noise[$0] },
            truth.indices.map { right * truth[$0] + other[$0] },
        ]
        let voice = try clean(source)
        let shares = voice.map { Speech.share(of: truth, in: $0) }
        let before = source.map { Speech.share(of: truth, in: $0) }
        print("Voice at \(left), \(right): \(before) -> \(shares)")
        for (share, place) in zip(shares, [left, right]) {
            #expect(abs(share - Double(place)) < 0.12)
        }
    }

    @Test func equalChannelsGiveWhatOneGives() throws {
        let noisy = try decode(
            Self.speech.appendingPathComponent("joe_en_m_city_5dB/noisy.flac"), channels: 1,
            seconds: 4)
        let one = try clean(noisy)
        for count in [2, 6] {
            let many = try clean(Array(repeating: noisy[0], count: count))
            #expect(many.count == count)
            #expect(difference(many, Array(repeating: one[0], count: count)) < -80)
        }
    }

    @Test(arguments: [0, 1, 479, 48_000])
    func shortAndSilentInputsHaveADefinedResult(length: Int) throws {
        for value: Float in [0, 1] {
            let source = [[Float]](repeating: Array(repeating: value, count: length), count: 2)
            let voice = try clean(source)
            #expect(voice.allSatisfy { $0.count == length })
            #expect(voice.joined().allSatisfy { $0.isFinite && abs($0) <= 1.5 })
            if value == 0 { #expect(voice.joined().allSatisfy { $0 == 0 }) }
        }
    }

    /// Minutes of digital silence leave no trace in what is said afterwards.
    @Test func speechAfterLongSilenceIsHeard() throws {
        let folder = Self.speech.appendingPathComponent("gosia_pl_f_rain_10dB")
        let noisy = try decode(folder.appendingPathComponent("noisy.flac"), channels: 1)[0]
        let truth = try decode(folder.appendingPathComponent("clean.flac"), channels: 1)[0]
        let silence = [Float](repeating: 0, count: 48_000 * 240)
        let voice = try clean([silence + noisy])[0]
        #expect(voice[..<(silence.count - 2_000)].allSatisfy { $0 == 0 })
        #expect(voice.allSatisfy { $0.isFinite })
        #expect(Speech.quality(Array(voice[silence.count...]), truth) > 12.5)
    }

    /// The network knows nothing above 24 kHz, so nothing of it is voice.
    @Test func whatLiesAboveTheBandIsNoVoice() throws {
        let rate = 96_000
        let tone = (0..<2 * rate).map { Float(0.1 * sin(Double($0) * 2 * .pi * 30_000 / 96_000)) }
        let voice = try clean([tone], .mild, rate: rate)
        #expect(Speech.energy(voice[0][...]) < 1e-6 * Speech.energy(tone[...]))
    }

    /// Ten more minutes need no more memory than the first.
    @Test func memoryDoesNotGrow() throws {
        let noisy = try decode(
            Self.speech.appendingPathComponent("joe_en_m_city_5dB/noisy.flac"), channels: 1)[0]
        let stream = try engine.makeStream(
            SeparationRequest(
                kind: .voiceClean(.normal), sampleRate: 44_100, channels: 1))
        var resident: [Int] = []
        for _ in 0..<5 {
            for _ in 0..<15 { _ = try stream.push([noisy]) }
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            resident.append(try #require(Int(pages.split(separator: " ")[1])) * 4 / 1024)
        }
        print("Resident after each two minutes: \(resident) MiB")
        #expect(resident[4] < resident[0] + 20)
    }

    @Test func withoutTheModelItIsRefused() throws {
        let separator = try Engine.only(["music-core"])
        for kind in [SplitKind.voiceClean(.mild), .demuser] {
            #expect(throws: ModelError.notInstalled(stems: ["voice"])) {
                try separator.requireInstalled(kind)
            }
        }
    }

    @Test func aManifestThatDoesNotFitTheNetworkIsRefused() throws {
        let pack = try #require(Engine.library.voice)
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.file("pack"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            at: folder.file("pack/model.onnx"),
            withDestinationURL: pack.directory.appendingPathComponent("model.onnx"))
        let manifest = try String(
            contentsOf: pack.directory.appendingPathComponent("model.json"), encoding: .utf8)
        for (change, reason) in [
            (#""filter_bins": 95"#, "has the shape"), (#""filter_bins": 1"#, "impossible"),
        ] {
            try folder.write(
                "pack/model.json",
                manifest.replacingOccurrences(of: #""filter_bins": 96"#, with: change))
            let separator = try Engine.load([folder.path])
            separator.check()
            #expect(
                separator.notes.contains {
                    $0.contains("deepfilternet3") && $0.contains(reason)
                }, "\(separator.notes)")
        }
    }
}
