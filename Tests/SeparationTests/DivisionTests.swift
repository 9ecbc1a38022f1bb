import Crypto
import Foundation
import Inference
import Separation
import TestSupport
import Testing

/// Networks that divide the stem of another: the small ones of the fixture, after the installed first stage or their own.
@Suite(.serialized) struct DivisionTests {
    static let song = EngineTests.song
    static let fixture = Repository.root.appendingPathComponent("Tests/Fixtures/division")
    static let instruments = [
        "piano", "electric_guitar", "acoustic_guitar", "synthesizer", "strings", "wind", "rest",
    ]

    /// Both packs of the fixture and nothing else.
    static let small = Result { try Engine.load([fixture.path]) }

    /// The fixture's second pack after the first stage that is installed, fused.
    private let installed: Separator
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["music-core", "spleeter-2stems"] {
            let pack = try #require(Engine.library.packs.first { $0.manifest.name == name })
            try folder.link(name, to: pack.directory)
        }
        try folder.link("second", to: Self.fixture.appendingPathComponent("second"))
        try folder.link(
            "fusion.json", to: Repository.root.appendingPathComponent("Models/fusion.json"))
        installed = try Engine.load([folder.path])
    }

    /// The fixture's piano was computed with NumPy (`training/make_division_fixture.py`).
    @Test func pianoEqualsThatOfNumPy() throws {
        let expected = try decode(Self.fixture.appendingPathComponent("piano.flac"))
        let mixture = try decode(
            Repository.root.appendingPathComponent("Tests/Fixtures/spleeter-parity/mixture.flac"))
        let result = try Engine.separate(
            Engine.load([Self.fixture.path], precision: .single),
            mixture.map { Array($0.prefix(expected[0].count)) },
            stems: ["piano"])
        let decibels = difference(result.stems[0], expected)
        print("Piano of the fixture against NumPy: \(decibels) dB")
        #expect(decibels < -60)
    }

    /// All that is not divided sums to the source, after fused masks too.
    @Test(arguments: [1, 2]) func allTogetherAreTheSource(channels: Int) throws {
        let source = try decode(Self.song, channels: channels, start: 20, seconds: 15)
        let stems = ["vocals", "drum", "bass"] + Self.instruments
        let result = try Engine.separate(installed, source, stems: stems)
        var sum = source.map { $0.map { _ in Float(0) } }
        for stem in result.stems {
            #expect(stem.count == channels && stem[0].contains { $0 != 0 })
            for channel in sum.indices {
                for n in sum[channel].indices { sum[channel][n] += stem[channel][n] }
            }
        }
        #expect(difference(sum, source) < -90)
    }

    @Test func aStageMoreChangesNothingOfTheFirst() throws {
        let source = try decode(Self.song, start: 20, seconds: 12)
        let first = try Engine.separate(installed, source, stems: ["vocals", "drum"]).stems
        let both = try Engine.separate(
            installed, source, stems: ["vocals", "strings", "drum"]
        ).stems
        #expect([both[0], both[2]] == first)
    }

    @Test func guitarIsBothGuitars() throws {
        let source = try decode(Self.song, start: 20, seconds: 6)
        let stems = ["electric_guitar", "acoustic_guitar", "guitar"]
        let found = try Engine.separate(Self.small.get(), source, stems: stems).stems
        let sum = zip(found[0], found[1]).map { zip($0, $1).map { $0 + $1 } }
        #expect(difference(found[2], sum) < -80)
    }

    /// Neither do other processes: everything is loaded anew.
    @Test func blocksChangeNothing() throws {
        let source = try decode(Self.song, start: 20, seconds: 15)
        let stems = ["piano", "vocals", "guitar"]
        let whole = try Engine.separate(
            installed, source, stems: stems, block: .max / 4)
        let packs = try Engine.load([Self.fixture.path])
        let small = try Engine.separate(Self.small.get(), source, stems: stems, block: .max / 4)
        for size in [1000, 44_101] {
            let pieces = try Engine.separate(
                installed, source, stems: stems, block: size)
            #expect(pieces.stems == whole.stems)
            let others = try Engine.separate(packs, source, stems: stems, block: size)
            #expect(others.stems == small.stems)
        }
    }

    @Test(arguments: [48_000, 22_050]) func lengthAndSourceAreKept(rate: Int) throws {
        let source = try decode(Self.song, rate: rate, start: 10, seconds: 7.003)
        let result = try Engine.separate(
            Self.small.get(), source, stems: ["vocals", "wind"], rate: rate)
        #expect(result.source == source)
        #expect(result.stems.joined().allSatisfy { $0.count == source[0].count })
    }

    @Test(arguments: [0, 1, 1000]) func shortInputsHaveADefinedResult(length: Int) throws {
        for level: Float in [0, 1] {
            let source = [[Float]](repeating: Array(repeating: level, count: length), count: 2)
            let stem = try Engine.separate(Self.small.get(), source, stems: ["piano"]).stems[0]
            #expect(stem.allSatisfy { $0.count == length })
            #expect(stem.joined().allSatisfy { $0.isFinite && abs($0) <= 1.5 })
        }
    }

    @Test func equalChannelsAreHeardAsOne() throws {
        let mono = try decode(Self.song, channels: 1, start: 30, seconds: 6)
        let one = try Engine.separate(Self.small.get(), mono, stems: ["piano"]).stems[0]
        let six = Array(repeating: mono[0], count: 6)
        let many = try Engine.separate(Self.small.get(), six, stems: ["piano"]).stems[0]
        #expect(one.count == 1 && many.count == 6)
        #expect(difference(many, Array(repeating: one[0], count: 6)) < -60)
    }

    @Test func clearCutAppliesTheWholeMaskTwice() throws {
        let source = try decode(Self.song, start: 20, seconds: 6)
        let level = try [false, true].map { clear in
            try Engine.separate(
                Self.small.get(), source, stems: ["piano"], clearCut: clear
            ).stems[0]
        }
        // No mask of the small networks is near one.
        #expect(energy(level[1]) < 0.5 * energy(level[0]))
    }

    /// Four more minutes of the song need no more memory than the first.
    @Test func memoryDoesNotGrow() throws {
        let minute = try decode(Self.song, seconds: 30).map { $0 + $0 }
        let stream = try Self.small.get().makeStream(
            SeparationRequest(
                kind: .stems(["vocals", "piano", "rest"], clearCut: false), sampleRate: 44_100,
                channels: 2))
        var resident: [Int] = []
        for _ in 0..<5 {
            for start in stride(from: 0, to: minute[0].count, by: 65_536) {
                let end = min(start + 65_536, minute[0].count)
                _ = try stream.push(minute.map { Array($0[start..<end]) })
            }
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            resident.append(try #require(Int(pages.split(separator: " ")[1])) * 4 / 1024)
        }
        print("Resident after each minute: \(resident) MiB")
        #expect(resident[4] < resident[0] + 40)
    }

    private func energy(_ samples: [[Float]]) -> Double {
        samples.joined().reduce(0) { $0 + Double($1 * $1) }
    }
}

/// What is offered where a pack divides the stem of another.
@Suite struct DivisionPackTests {
    @Test func stemsAreOfferedWhereBothPacksAre() throws {
        let both = ModelLibrary(directories: [DivisionTests.fixture.path], cache: nil)
        #expect(both.notes.isEmpty)
        #expect(both.stems == (DivisionTests.instruments + ["guitar", "vocals"]).sorted())
        #expect(try DivisionTests.small.get().stems == both.stems)

        let folder = try TemporaryFolder()
        try folder.link("second", to: DivisionTests.fixture.appendingPathComponent("second"))
        let alone = ModelLibrary(directories: [folder.path], cache: nil)
        #expect(alone.stems.isEmpty)
        #expect(
            alone.notes == [
                "The model pack second was refused: no installed pack with the same transform separates “other”, which it divides."
            ])
    }

    /// The library sees the first pack, but it does not load.
    @Test func aDivisionGoesWithItsBase() throws {
        let folder = try TemporaryFolder()
        try folder.link("second", to: DivisionTests.fixture.appendingPathComponent("second"))
        try FileManager.default.copyItem(
            at: DivisionTests.fixture.appendingPathComponent("first"), to: folder.file("first"))
        try folder.write("first/model.onnx", "not a network")
        let separator = try Engine.load([folder.path])
        // Seen when the pack is needed, without `check()`.
        #expect(throws: ModelError.notInstalled(stems: ["vocals"])) {
            try separator.load(.stems(["vocals"], clearCut: false))
        }
        #expect(separator.stems.isEmpty)
        #expect(separator.notes.count == 2, "\(separator.notes)")
        #expect(separator.notes.contains { $0.contains("pack second") && $0.contains("“other”") })
        #expect(throws: ModelError.notInstalled(stems: ["piano"])) {
            _ = try Engine.separate(separator, [[0]], stems: ["piano"])
        }
    }

    /// What a manifest says of blocks has to make sense, and to be what the network does.
    @Test(arguments: [
        (#""format": 2"#, #""format": 1"#, "its format 1 is not one that this version reads"),
        (#""frame_stride": 1"#, #""frame_stride": 3"#, "block, stride or delay is impossible"),
        (#""delay_frames": 1"#, #""delay_frames": -1"#, "block, stride or delay is impossible"),
        (#""block_frames": 64"#, #""block_frames": 32"#, "has the shape [1, 4, 64, 1536]"),
    ])
    func blocksThatDoNotFitAreRefused(from: String, to: String, reason: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            at: DivisionTests.fixture.appendingPathComponent("first"), to: folder.file("first"))
        let manifest = folder.file("first/model.json")
        let text = try String(contentsOf: manifest, encoding: .utf8)
        try #require(text.contains(from))
        try folder.write("first/model.json", text.replacingOccurrences(of: from, with: to))
        let separator = try Engine.load([folder.path])
        separator.check()
        #expect(separator.stems.isEmpty)
        #expect(separator.notes.contains { $0.contains(reason) }, "\(separator.notes)")
    }

    /// A network without a memory, here one that takes in magnitudes only.
    @Test func aNetworkWithoutMemoryIsRefused() throws {
        let folder = try TemporaryFolder()
        let fixture = DivisionTests.fixture
        try FileManager.default.copyItem(
            at: fixture.appendingPathComponent("first"), to: folder.file("first"))
        let network = try Data(contentsOf: fixture.appendingPathComponent("first/model.onnx"))
        let name = Data("state".utf8)
        var renamed = network
        while let place = renamed.range(of: name) {
            renamed.replaceSubrange(place, with: Data("other".utf8))
        }
        try renamed.write(to: folder.file("first/model.onnx"))
        let hash = SHA256.hash(data: renamed).map { String(format: "%02x", $0) }.joined()
        let old = SHA256.hash(data: network).map { String(format: "%02x", $0) }.joined()
        let text = try String(contentsOf: folder.file("first/model.json"), encoding: .utf8)
        try folder.write("first/model.json", text.replacingOccurrences(of: old, with: hash))
        let separator = try Engine.load([folder.path])
        separator.check()
        #expect(separator.stems.isEmpty)
        #expect(separator.notes.contains { $0.contains("“state” and “next”") })
    }

    @Test func anUnknownInputIsRefusedWithASentence() throws {
        let folder = try TemporaryFolder()
        let fixture = DivisionTests.fixture
        try folder.link("first", to: fixture.appendingPathComponent("first"))
        try FileManager.default.copyItem(
            at: fixture.appendingPathComponent("second"), to: folder.file("second"))
        let manifest = folder.file("second/model.json")
        let text = try String(contentsOf: manifest, encoding: .utf8)
            .replacingOccurrences(of: #""other""#, with: #""choir""#)
        try folder.write("second/model.json", text)
        let library = ModelLibrary(directories: [folder.path], cache: nil)
        #expect(library.stems == ["vocals"])
        #expect(library.notes.contains { $0.contains("separates “choir”, which it divides.") })
    }
}
