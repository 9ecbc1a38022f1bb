import Foundation
import Inference
import Separation
import TestSupport
import Testing

/// The engine as the tests use it: every pack that is installed, on both cores.
enum Engine {
    static let library = ModelLibrary(directories: Repository.models, cache: nil)
    static let all = Result {
        try Separator(library: library, runtime: Repository.runtime, threads: 2)
    }

    /// Only the named packs, from folders that link to them. They are loaded at once, as the links do not stay.
    static func only(
        _ names: [String], precision: InferencePrecision = .fast
    ) throws -> Separator {
        let folder = try TemporaryFolder()
        for name in names {
            let pack = try #require(library.packs.first { $0.manifest.name == name })
            try folder.link(name, to: pack.directory)
        }
        let separator = try load([folder.path], precision: precision)
        try separator.load(.stems(["vocals"], clearCut: false))
        return separator
    }

    /// The packs in these folders.
    static func load(
        _ folders: [String], precision: InferencePrecision = .fast
    ) throws -> Separator {
        try Separator(
            library: ModelLibrary(directories: folders, cache: nil),
            runtime: Repository.runtime, threads: 2, precision: precision)
    }

    /// Separates samples in memory, in blocks of the given size.
    static func separate(
        _ separator: Separator, _ source: [[Float]], stems: [String], rate: Int = 44_100,
        clearCut: Bool = false, block: Int = 65_536
    ) throws -> (source: [[Float]], stems: [[[Float]]]) {
        try separate(
            separator, source, .stems(stems, clearCut: clearCut), rate: rate, block: block)
    }

    /// Divides samples in memory, in blocks of the given size.
    static func separate(
        _ separator: Separator, _ source: [[Float]], _ kind: SplitKind, rate: Int,
        block: Int = 65_536, dereverb: Bool = false
    ) throws -> (source: [[Float]], stems: [[[Float]]]) {
        let stems = kind.stems
        let stream = try separator.makeStream(
            SeparationRequest(
                kind: kind, dereverb: dereverb, sampleRate: rate, channels: source.count))
        var original = source.map { _ in [Float]() }
        var results = stems.map { _ in source.map { _ in [Float]() } }
        func take(_ blocks: [SeparatedBlock]) {
            for block in blocks {
                for channel in source.indices {
                    original[channel] += block.source[channel]
                    for stem in stems.indices {
                        results[stem][channel] += block.stems[stem][channel]
                    }
                }
            }
        }
        for start in stride(from: 0, to: source[0].count, by: block) {
            let end = min(start + block, source[0].count)
            take(try stream.push(source.map { Array($0[start..<end]) }))
        }
        while true {
            let rest = try stream.finish()
            if rest.isEmpty { break }
            take(rest)
        }
        return (original, results)
    }
}

@Suite struct SpleeterParityTests {
    /// The fixture's vocals were made by PyTorch from the same weights (`training/make_spleeter_fixture.py`).
    @Test func vocalsEqualThoseOfPyTorch() throws {
        let folder = Repository.root.appendingPathComponent("Tests/Fixtures/spleeter-parity")
        let mixture = try decode(folder.appendingPathComponent("mixture.flac"))
        let expected = try decode(folder.appendingPathComponent("vocals.flac"))
        let spleeter = try Engine.only(["spleeter-2stems"], precision: .single)
        let result = try Engine.separate(spleeter, mixture, stems: ["vocals"])
        let decibels = difference(result.stems[0], expected)
        // 30 dB quieter than what was before: levels are bounded there.
        let quiet = difference(
            result.stems[0].map { Array($0[400_000...]) }, expected.map { Array($0[400_000...]) })
        print("Spleeter against PyTorch: \(decibels) dB, \(quiet) where it is quiet")
        #expect(decibels < -60 && quiet < -60)
    }
}
