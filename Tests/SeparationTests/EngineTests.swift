import Foundation
import Inference
import Separation
import TestSupport
import Testing

/// What the engine promises, on a real song and with the networks that are installed.
@Suite(.serialized) struct EngineTests {
    static let song = Repository.recordings
        .appendingPathComponent("music/vocadito1_plus_vibe_ace/mixture.flac")

    @Test(arguments: [44_100, 48_000, 22_050, 96_000])
    func lengthStartAndSourceAreKept(rate: Int) throws {
        let source = try decode(Self.song, rate: rate, start: 10, seconds: 14.003)
        let result = try Engine.separate(
            try Engine.all.get(), source, stems: ["vocals"], rate: rate)
        #expect(result.source == source)
        let stem = result.stems[0]
        #expect(stem.allSatisfy { $0.count == source[0].count })
        // The stem is on the 24-bit grid, so stem and back are exact in 24-bit files.
        #expect(stem[0].allSatisfy { $0 * 0x1p23 == ($0 * 0x1p23).rounded() })
        // The stem starts at the same sample: its correlation with the source peaks at no delay.
        let delays = -64...64
        let best = delays.max {
            correlation(stem[0], source[0], $0) < correlation(stem[0], source[0], $1)
        }
        #expect(best == 0)
    }

    @Test func blocksChangeNothing() throws {
        let source = try decode(Self.song, start: 20, seconds: 15)
        let separator = try Engine.all.get()
        let whole = try Engine.separate(separator, source, stems: ["vocals"], block: .max / 4)
        for size in [1000, 44_101] {
            let pieces = try Engine.separate(separator, source, stems: ["vocals"], block: size)
            #expect(pieces.stems == whole.stems)
        }
    }

    @Test func monoStaysMonoAndManyChannelsStayMany() throws {
        // Six magnitudes have another mean than one in the last bit; fewer bits would make more of it.
        let separator = try Engine.load(Repository.models, precision: .single)
        let stereo = try decode(Self.song, start: 30, seconds: 6)
        let mono = [zip(stereo[0], stereo[1]).map { 0.5 * ($0 + $1) }]
        let one = try Engine.separate(separator, mono, stems: ["vocals"])
        #expect(one.stems[0].count == 1)
        #expect(one.stems[0][0].contains { $0 != 0 })
        let six = Array(repeating: mono[0], count: 6)
        let many = try Engine.separate(separator, six, stems: ["vocals"])
        #expect(many.stems[0].count == 6)
        // Six equal channels are heard as the one that they are.
        #expect(difference(many.stems[0], Array(repeating: one.stems[0][0], count: 6)) < -60)
    }

    @Test(arguments: [0, 1, 2, 1000])
    func shortAndSilentInputsHaveADefinedResult(length: Int) throws {
        for level: Float in [0, 1] {
            let source = [[Float]](repeating: Array(repeating: level, count: length), count: 2)
            let result = try Engine.separate(try Engine.all.get(), source, stems: ["vocals"])
            #expect(result.source == source)
            #expect(result.stems[0].allSatisfy { $0.count == length })
            #expect(result.stems[0].joined().allSatisfy { $0.isFinite && abs($0) <= 1.5 })
            if level == 0 { #expect(result.stems[0].joined().allSatisfy { $0 == 0 }) }
        }
    }

    /// `clear_cut` has less of everything else, `deep_extraction` more of the stem.
    @Test(arguments: [
        ("vocadito1_plus_vibe_ace", ["vocals": "vocals"]),
        ("everythingisfree_sodium", ["vocals": "vocals", "drum": "drums", "bass": "bass"]),
    ])
    func extractionLevelsDoWhatTheySay(song: String, files: [String: String]) throws {
        let folder = Repository.recordings.appendingPathComponent("music/\(song)")
        let source = try decode(folder.appendingPathComponent("mixture.flac"))
        let stems = files.keys.sorted()
        let deepest = try Engine.separate(Engine.all.get(), source, stems: stems)
        let clearest = try Engine.separate(
            Engine.all.get(), source, stems: stems, clearCut: true)
        for (index, stem) in stems.enumerated() {
            let truth = try decode(folder.appendingPathComponent("\(files[stem]!).flac"))
            let rest = zip(source, truth).map { zip($0, $1).map { $0 - $1 } }
            let deep = shares(deepest.stems[index], truth, rest)
            let clear = shares(clearest.stems[index], truth, rest)
            print("\(song), \(stem): deep_extraction \(deep), clear_cut \(clear)")
            #expect(deep.stem > clear.stem + 0.01)
            // Bass that is heard in drums is heard as drums wholly, which no level changes.
            #expect(clear.bleed < (stem == "drum" ? 0.95 : 0.6) * deep.bleed)
        }
    }

    /// How much of the stem is in what was found; the energy, by that of the rest, of what was found where the stem is silent.
    private func shares(
        _ found: [[Float]], _ truth: [[Float]], _ rest: [[Float]]
    ) -> (stem: Double, bleed: Double) {
        func product(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0 * $1.1) }
        }
        let length = 4096
        var (kept, whole, bleed, background) = (0.0, 0.0, 0.0, 0.0)
        for channel in found.indices {
            for start in stride(from: 0, to: truth[channel].count - length, by: length) {
                let part = start..<start + length
                let energy = product(truth[channel][part], truth[channel][part])
                if energy < 1e-6 * Double(length) {
                    bleed += product(found[channel][part], found[channel][part])
                    background += product(rest[channel][part], rest[channel][part])
                } else {
                    kept += product(found[channel][part], truth[channel][part])
                    whole += energy
                }
            }
        }
        return (kept / whole, bleed / background)
    }

    /// Four stems are the whole mixture: in mono as all masks sum to one, fused ones too.
    @Test(arguments: [1, 2]) func allStemsTogetherAreTheSource(channels: Int) throws {
        let folder = try TemporaryFolder()
        for pack in Engine.library.packs {
            let copy = folder.file(pack.manifest.name)
            try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(
                at: copy.appendingPathComponent("model.onnx"),
                withDestinationURL: pack.directory.appendingPathComponent("model.onnx"))
            var manifest = try String(
                contentsOf: pack.directory.appendingPathComponent("model.json"), encoding: .utf8)
            // The API has no stem for the rest; here it is one.
            manifest = manifest.replacingOccurrences(
                of: #""drum": "drum","#, with: #""drum": "drum", "strings": "other","#)
            try folder.write("\(pack.manifest.name)/model.json", manifest)
        }
        try FileManager.default.copyItem(
            at: Repository.root.appendingPathComponent("Models/fusion.json"),
            to: folder.file("fusion.json"))
        let library = ModelLibrary(directories: [folder.path], cache: nil)
        try #require(library.fusion != nil && library.stems.contains("strings"))
        let separator = try Separator(library: library, runtime: Repository.runtime, threads: 2)
        let source = try decode(Self.song, channels: channels, start: 20, seconds: 15)
        let result = try Engine.separate(
            separator, source, stems: ["vocals", "drum", "bass", "strings"])
        var sum = source.map { $0.map { _ in Float(0) } }
        for stem in result.stems {
            for channel in sum.indices {
                for n in sum[channel].indices { sum[channel][n] += stem[channel][n] }
            }
        }
        #expect(difference(sum, source) < -90)
    }

    @Test func stemsWithoutAModelAreRefused() throws {
        let separator = try Engine.only(["music-core"])
        #expect(throws: ModelError.notInstalled(stems: ["strings"])) {
            _ = try separator.makeStream(
                SeparationRequest(
                    kind: .stems(["strings"], clearCut: false), sampleRate: 44_100, channels: 2))
        }
    }

    private func correlation(_ a: [Float], _ b: [Float], _ delay: Int) -> Double {
        var sum = 0.0
        for n in 100_000..<160_000 where n + delay < b.count { sum += Double(a[n] * b[n + delay]) }
        return sum
    }
}

@Suite struct PackTests {
    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.file("pack"), withIntermediateDirectories: true)
        return folder
    }

    @Test func aChangedNetworkIsRefusedWithAReason() throws {
        let pack = try #require(
            Engine.library.packs.first { $0.manifest.name == "spleeter-2stems" })
        let folder = try folder()
        let copy = folder.file("pack")
        try FileManager.default.copyItem(
            at: pack.directory.appendingPathComponent("model.json"),
            to: copy.appendingPathComponent("model.json"))
        try Data("not a network".utf8).write(to: copy.appendingPathComponent("model.onnx"))
        let separator = try Separator(
            library: ModelLibrary(directories: [folder.path], cache: nil),
            runtime: Repository.runtime, threads: 1)
        separator.check()
        #expect(separator.stems.isEmpty)
        #expect(
            separator.notes.contains { $0.contains("spleeter-2stems") && $0.contains("SHA-256") })
    }

    /// Compiled networks are files in memory whose pages are given back once they are loaded, also where the cache is behind a link.
    @Test func compiledNetworksAreNotKeptTwice() throws {
        let folder = try TemporaryFolder()
        let cache = folder.file("disk")
        try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: false)
        try folder.link("cache", to: cache)
        let library = ModelLibrary(
            directories: Repository.models, cache: folder.file("cache").path)
        func load() throws -> Separator {
            let separator = try Separator(
                library: library, runtime: Repository.runtime, threads: 2)
            try separator.load(.stems(["vocals"], clearCut: false))
            return separator
        }
        _ = try load()
        let separator = try load()
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
        let maps = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
        let path = cache.resolvingSymlinksInPath().path
        var resident: [Int] = []
        var isCompiled = false
        for line in maps.split(separator: "\n") {
            if line.prefix(while: { $0 != " " }).contains("-") {
                isCompiled = line.contains(path) && line.hasSuffix(".blob")
            } else if isCompiled, line.hasPrefix("Rss:") {
                resident.append(Int(line.split(separator: " ")[1])!)
            }
        }
        #expect(resident.count >= 2 && resident.max()! < 1000, "kB: \(resident)")
        withExtendedLifetime(separator) {}
    }

    /// A recording that is given up, as when its task is cancelled, leaves nothing in memory.
    @Test func abandonedRecordingsLeaveNothing() throws {
        let separator = try Separator(
            library: ModelLibrary(directories: Repository.models, cache: nil),
            runtime: Repository.runtime, threads: 2)
        let source = try decode(EngineTests.song, start: 20, seconds: 6)
        func abandon() throws {
            let stream = try separator.makeStream(
                SeparationRequest(
                    kind: .stems(["vocals"], clearCut: false), sampleRate: 44_100, channels: 2))
            _ = try stream.push(source)
        }
        func kilobytes() throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
            return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        }
        try abandon()
        let before = try kilobytes()
        for _ in 0..<8 { try abandon() }
        let after = try kilobytes()
        // One recording's last blocks may still be under way.
        #expect(after < before + 120_000, "\(before) and \(after) kB")
    }

    /// What networks remember of silence is read from the cache, found again where it is cut short, and written anew by a check.
    @Test func memoriesOfSilenceAreKept() throws {
        let folder = try TemporaryFolder()
        let source = try decode(EngineTests.song, start: 20, seconds: 5)
        let models = Repository.models
        func separate(checking: Bool = false) throws -> [Float] {
            let library = ModelLibrary(directories: models, cache: folder.path)
            let separator = try Separator(
                library: library, runtime: Repository.runtime, threads: 2)
            if checking { separator.check() }
            return try Engine.separate(separator, source, stems: ["vocals"]).stems[0][0]
        }
        func kept() throws -> [String: Data] {
            let names = try folder.files().filter { $0.hasSuffix(".silence") }
            return try Dictionary(
                uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: folder.file($0))) })
        }
        let first = try separate()
        let found = try kept()
        #expect(found.count == 2 && found.values.allSatisfy { $0.count > 1_000_000 })
        for (name, data) in found { try data.prefix(1000).write(to: folder.file(name)) }
        #expect(try separate() == first)
        #expect(try kept() == found)
        // As long as it should be, but not what silence leaves behind: it is heard, until a check.
        for (name, data) in found {
            let loud = [Float](repeating: 3, count: data.count / 4).withUnsafeBytes { Data($0) }
            try loud.write(to: folder.file(name))
        }
        #expect(try separate() != first)
        #expect(try separate(checking: true) == first)
    }

    @Test func aBrokenManifestIsNotedAndTheOthersServe() throws {
        let folder = try folder()
        try Data("{".utf8).write(to: folder.file("pack/model.json"))
        let library = ModelLibrary(directories: [folder.path] + Repository.models, cache: nil)
        #expect(library.notes.contains { $0.contains(folder.path) })
        #expect(library.stems.contains("vocals"))
    }

    @Test func withoutTheRuntimeASentenceSaysSo() {
        #expect {
            _ = try Separator(library: Engine.library, runtime: "/nowhere.so", threads: 1)
        } throws: { error in
            guard case ModelError.runtimeMissing = error else { return false }
            return "\(error)".contains("bin/partita")
        }
    }
}
