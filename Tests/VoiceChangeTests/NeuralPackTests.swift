import DSP
import Foundation
import Inference
import TestSupport
import Testing
import VoiceChange

/// Neural voices as packs, with the small networks of make_networks.py.
@Suite struct NeuralPackTests {
    private let folder: TemporaryFolder
    private let runtime: InferenceRuntime

    init() throws {
        folder = try TemporaryFolder()
        runtime = try InferenceRuntime(library: NeuralVoiceTests.runtime)
    }

    private static func fixture(_ name: String) -> URL {
        Repository.root.appendingPathComponent("Tests/Fixtures/neural-voice/\(name).onnx")
    }

    private var packs: String { folder.file("packs").path }

    @discardableResult
    private func add(
        _ voice: URL, _ content: URL = fixture("content"), id: String = "TEST",
        license: String? = nil, pitch: Double? = nil, speaker: Int = 0, seed: Int = 0
    ) throws -> NeuralManifest {
        try VoiceLibrary.add(
            NeuralPackContent(
                .init(id: id, name: "Test", created: 7, license: license), voice: voice,
                content: content, medianFrequency: pitch, speaker: speaker, seed: seed),
            to: packs, runtime, threads: 1)
    }

    private func load(_ id: String = "TEST") throws -> NeuralPack {
        try NeuralPack(
            directory: VoiceLibrary(directories: [packs]).pack(id).directory, runtime, threads: 1)
    }

    /// The recording in the voice of a pack, `[channel][sample]`.
    private func convert(
        _ source: Spoken, to pack: NeuralPack, _ tonality: VoiceSettings.Tonality = .sourceFile,
        isSong: Bool = false, block: Int = 20_000, channels: [Float] = [1]
    ) throws -> [[Float]] {
        let total = channels.reduce(0) { $0 + abs($1) }
        let conversion = try pack.makeConversion(
            VoiceSettings(accent: 1, tonality: tonality, isSong: isSong), source: source.survey(),
            pitch: source.pitch, sampleRate: source.rate, weights: channels.map { $0 / total })
        var result = channels.map { _ in [Float]() }
        func take(_ samples: [[Float]]) {
            for channel in result.indices { result[channel] += samples[channel] }
        }
        for first in stride(from: 0, to: source.samples.count, by: block) {
            let piece = source.samples[first..<min(first + block, source.samples.count)]
            take(try conversion.push(channels.map { factor in piece.map { $0 * factor } }))
        }
        take(try conversion.finish())
        return result
    }

    @Test(arguments: ["webui", "client"])
    func bothExportsBecomePacks(_ name: String) throws {
        let added = try add(
            Self.fixture(name), id: "a-B_1", license: "mine", pitch: 200, speaker: 1, seed: 3)
        #expect(throws: VoiceError.taken(id: "a-B_1")) {
            try add(Self.fixture(name), id: "a-B_1")
        }
        #expect(throws: VoiceError.badID("../x")) { try add(Self.fixture(name), id: "../x") }
        let library = VoiceLibrary(directories: [packs])
        let found = try #require(library.pack("a-B_1").manifest as? NeuralManifest)
        #expect(library.notes.isEmpty && found == added)
        #expect(found.kind == "rvc" && found.medianFrequency == 200)
        #expect(found.speaker == 1 && found.seed == 3)
        #expect(library.visible(to: "mine").map(\.manifest.id) == ["a-B_1"])
        #expect(library.visible(to: "other").isEmpty && library.visible(to: nil).isEmpty)
        #expect(try load("a-B_1").manifest == added)
        #expect(throws: VoiceError.self) {
            try Voice(directory: library.pack("a-B_1").directory, contentNetwork.get())
        }
        try VoiceLibrary.remove("a-B_1", from: packs)
        #expect(try FileManager.default.contentsOfDirectory(atPath: packs).isEmpty)
    }

    @Test func whatIsNoVoiceIsRefusedAndLeavesNothing() throws {
        let text = try folder.write("text.onnx", "no network")
        let cut = try folder.write(
            "cut.onnx", Data(contentsOf: Self.fixture("client")).dropLast(200))
        let empty = try folder.write("empty.onnx", Data())
        let large = try folder.write("large.onnx", Data())
        let handle = try FileHandle(forWritingTo: large)
        try handle.truncate(atOffset: 1 << 31)
        try handle.close()
        try folder.link("zero.onnx", to: URL(fileURLWithPath: "/dev/zero"))
        let (voice, content) = (Self.fixture("client"), Self.fixture("content"))
        let cases: [(URL, URL, Double?, String)] = [
            (text, content, nil, "text.onnx is not an ONNX file"),
            (voice, text, nil, "text.onnx is not an ONNX file"),
            (cut, content, nil, "cut.onnx is not an ONNX file"),
            (empty, content, nil, "empty.onnx is not an ONNX file"),
            (large, content, nil, "large.onnx is larger than an ONNX file can be"),
            (folder.file("."), content, nil, "is a folder or a device, not a file"),
            (folder.file("zero.onnx"), content, nil, "is a folder or a device, not a file"),
            (folder.file("none.onnx"), content, nil, "there is no file"),
            (content, content, nil, "its inputs (source) are not those of a voice"),
            (voice, voice, nil, "the content encoder must have one input"),
            (
                voice, Self.fixture("content-wide"), nil,
                "the content encoder gives [1, 50, 12] where the voice needs [1, 50, 8]"
            ),
            (Self.fixture("client-half"), content, nil, "export it without half precision"),
            (Self.fixture("client-lying"), content, nil, "it says that its rate is 48000 Hz"),
            (Self.fixture("client-flat"), content, 200, "it is not told a pitch"),
            (voice, content, 5, "its median pitch is not that of a voice"),
        ]
        for (voice, content, pitch, reason) in cases {
            #expect {
                try add(voice, content, pitch: pitch)
            } throws: {
                guard case VoiceError.refused("Test", let said) = $0 else { return false }
                print("Refused:", said)
                return said.contains(reason)
            }
            let left = try? FileManager.default.contentsOfDirectory(atPath: packs)
            #expect(left ?? [] == [], "\(reason)")
        }
        // Where packs cannot be written.
        try folder.write("packs-file", "")
        #expect(throws: VoiceError.self) {
            try VoiceLibrary.add(
                NeuralPackContent(
                    .init(id: "A", name: "A", created: 0), voice: voice, content: content),
                to: folder.file("packs-file").path, runtime, threads: 1)
        }
    }

    /// What lies on disk is not believed.
    @Test func changedPacksAreRefused() throws {
        let added = try add(Self.fixture("webui"))
        let file = folder.file("packs/TEST/voice.json")
        let good = try Data(contentsOf: file)
        let manifest = try #require(
            try JSONSerialization.jsonObject(with: good) as? [String: Any])
        for (key, value): (String, Any) in [
            ("format", 2), ("kind", "onnx"), ("kind", "codebook"), ("id", "OTHER"), ("name", ""),
            ("median_hz", 1e9), ("speaker", -1), ("seed", 1 << 40),
            ("sha256", ["voice.onnx": added.sha256["voice.onnx"]!]),
            ("sha256", ["../TEST/voice.onnx": "", "content.onnx": ""]),
            ("sha256", added.sha256.mapValues { _ in String(repeating: "0", count: 64) }),
        ] {
            var changed = manifest
            changed[key] = value
            try JSONSerialization.data(withJSONObject: changed).write(to: file)
            #expect(throws: VoiceError.self, "\(key) \(value)") {
                try NeuralPack(directory: folder.file("packs/TEST"), runtime, threads: 1)
            }
        }
        try good.write(to: file)
        _ = try load()
        for name in ["voice.onnx", "content.onnx"] {
            let network = folder.file("packs/TEST/\(name)")
            let bytes = try Data(contentsOf: network)
            try Data(bytes.reversed()).write(to: network)
            #expect(
                throws: VoiceError.refused(
                    pack: "TEST",
                    reason: "its \(name) is missing or not the file that its manifest describes")
            ) { try load() }
            try FileManager.default.removeItem(at: network)
            #expect(throws: VoiceError.self) { try load() }
            try bytes.write(to: network)
        }
    }

    /// Real networks draw random numbers, other ones in every run. In a pack they are always the same.
    @Test func whatANetworkDrawsRepeats() throws {
        let source = try Spoken("eval/solo/smstools_speech-female.flac", seconds: 3)
        let plain = try (0...1).map { _ in
            try NeuralVoiceTests().convert(
                source.samples, NeuralVoiceTests().voice("client-random"), rate: source.rate
            ) { _ in 200 }
        }
        let isSamePlain = plain[0] == plain[1]
        #expect(!isSamePlain, "The network draws nothing; the test is worth nothing.")
        try add(Self.fixture("client-random"))
        try add(Self.fixture("client-random"), id: "AGAIN")
        try add(Self.fixture("client-random"), id: "OTHER", seed: 1)
        let pack = try load()
        let first = try convert(source, to: pack)
        let isSame = try convert(source, to: pack) == first
        let isSameAgain = try convert(source, to: load("AGAIN")) == first
        let isSameWithOtherSeed = try convert(source, to: load("OTHER")) == first
        #expect(isSame && isSameAgain && !isSameWithOtherSeed)
    }

    /// What the network is told of noise is a function of the seed, too.
    @Test func noiseComesFromTheSeed() throws {
        let source = try Spoken("eval/solo/smstools_speech-female.flac", seconds: 3)
        for (id, seed) in [("A", 0), ("B", 0), ("C", 2)] {
            try add(Self.fixture("webui"), id: id, seed: seed)
        }
        let spoken = try ["A", "B", "C"].map { try convert(source, to: load($0)) }
        let (isSame, isOther) = (spoken[0] == spoken[1], spoken[0] != spoken[2])
        #expect(isSame && isOther)
    }

    @Test(arguments: ["webui", "client"])
    func blocksDoNotMatter(_ name: String) throws {
        let source = try Spoken("eval/solo/vocadito_1_singing.flac", seconds: 9)
        try add(Self.fixture(name))
        let pack = try load()
        let whole = try convert(
            source, to: pack, block: source.samples.count, channels: [0.7, -0.3])
        #expect(whole.allSatisfy { $0.count == source.samples.count })
        for block in [441, 50_007] {
            let again = try convert(source, to: pack, block: block, channels: [0.7, -0.3])
            let isSame = again == whole
            #expect(isSame)
        }
    }

    /// As strong as the recording over time, in the channels where it was, at the same time.
    @Test func levelAndPlaceStay() throws {
        let source = try Spoken("eval/solo/vocadito_1_singing.flac", rate: 48_000, seconds: 12)
        try add(Self.fixture("webui"), speaker: 1)
        let result = try convert(source, to: load(), channels: [0.8, -0.2])
        func level(_ samples: ArraySlice<Float>) -> Double {
            10 * log10(samples.reduce(1e-12) { $0 + Double($1 * $1) } / Double(samples.count))
        }
        let whole = level(source.samples[...])
        var compared = 0
        for start in stride(from: 0, to: source.samples.count - 24_000, by: 12_000) {
            let piece = start..<start + 24_000
            guard level(source.samples[piece]) > whole - 15 else { continue }
            compared += 1
            let change = level(result[0][piece]) - level(source.samples[piece]) - 20 * log10(0.8)
            #expect(abs(change) < 1.5, "\(change) dB at \(start)")
        }
        #expect(compared > 20)
        let product = zip(result[0], result[1]).reduce(0) { $0 + Double($1.0 * $1.1) }
        #expect(product < 0, "The polarity is kept.")
        #expect(abs(level(result[0][...]) - level(result[1][...]) - 20 * log10(4)) < 0.1)
        // Levels of 10 ms fit best where they are.
        func envelope(_ samples: [Float]) -> [Double] {
            stride(from: 0, to: samples.count - 480, by: 480).map { level(samples[$0..<$0 + 480]) }
        }
        let (was, now) = (envelope(source.samples), envelope(result[0]))
        func likeness(_ lag: Int) -> Double {
            let pairs = (20..<was.count - 20).map { (max(was[$0], -60), max(now[$0 + lag], -60)) }
            let (a, b) = (pairs.map(\.0), pairs.map(\.1))
            let (meanA, meanB) = (
                a.reduce(0, +) / Double(a.count), b.reduce(0, +) / Double(b.count)
            )
            let products = zip(a, b).reduce((0.0, 0.0, 0.0)) {
                let (x, y) = ($1.0 - meanA, $1.1 - meanB)
                return ($0.0 + x * y, $0.1 + x * x, $0.2 + y * y)
            }
            return products.0 / (products.1 * products.2).squareRoot()
        }
        let best = (-15...15).max { likeness($0) < likeness($1) }!
        print("Best lag: \(best) × 10 ms, likeness \(likeness(best))")
        #expect(abs(best) <= 2)
    }

    /// Without a pitch of its own, a voice keeps the recording's; with one it goes where it is asked to.
    @Test func pitchGoesWhereItIsAskedTo() throws {
        let source = try Spoken("eval/solo/smstools_speech-male.flac")
        let median = try source.survey().statistics.medianFrequency
        try add(Self.fixture("client"), id: "FREE")
        try add(Self.fixture("client"), id: "HIGH", pitch: 2.2 * median)
        func semitones(
            _ id: String, _ tonality: VoiceSettings.Tonality, isSong: Bool = false
        ) throws -> Double {
            let result = try convert(source, to: load(id), tonality, isSong: isSong)
            let again = try Spoken(result[0], rate: source.rate)
            let moves = zip(source.pitch.frequencies, again.pitch.frequencies).compactMap {
                $0 > 0 && $1 > 0 ? 12 * log2(Double($1 / $0)) : nil
            }
            #expect(moves.count > 100)
            return VoiceChangeTests.median(moves)
        }
        #expect(abs(try semitones("FREE", .sourceFile)) < 0.2)
        #expect(abs(try semitones("FREE", .voicePack)) < 0.2)
        #expect(abs(try semitones("HIGH", .sourceFile) - 12) < 0.2)
        #expect(abs(try semitones("HIGH", .voicePack) - 12 * log2(2.2)) < 0.2)
        #expect(abs(try semitones("HIGH", .voicePack, isSong: true) - 14) < 0.2)
    }

    @Test(arguments: [22_050, 44_100])
    func shortRecordingsKeepTheirLength(_ rate: Int) throws {
        let source = try Spoken("eval/solo/smstools_speech-male.flac", rate: rate)
        try add(Self.fixture("client-flat"), Self.fixture("content-turned"))
        let pack = try load()
        for count in [0, 1, 100, 4001] {
            let conversion = try pack.makeConversion(
                VoiceSettings(accent: 1, tonality: .sourceFile, isSong: false),
                source: source.survey(), pitch: source.pitch, sampleRate: rate, weights: [1])
            let samples = Array(source.samples.prefix(count))
            let first = try conversion.push([samples])
            #expect(try first[0].count + conversion.finish()[0].count == count)
        }
    }
}
