import Foundation
import TestSupport
import Testing

/// `partita split` and its like, as a user calls them.
@Suite(.serialized) final class CommandLineTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    static let speech = "speech/joe_en_m_city_5dB/noisy.flac"

    /// - Parameter models: The only folder of packs; `nil`: those that are installed.
    private func partita(_ arguments: [String], models: URL? = nil) throws -> Finished {
        let environment = models.map { ["PARTITA_MODELS=\($0.path)"] } ?? []
        return try run("env", environment + [TestServer.program.path] + arguments)
    }

    /// Our own model of vocals, drums and bass, and nothing else.
    private func core() throws -> URL {
        let models = folder.file("models")
        try FileManager.default.createDirectory(at: models, withIntermediateDirectories: false)
        let pack = Repository.root.appendingPathComponent("Models/music-core")
        try folder.link("models/music-core", to: pack)
        return models
    }

    @Test func splitsIntoNamedFilesThatSumToTheSource() throws {
        let file = try folder.make("My Söng.flac", from: Self.song, ["-t", "8"])
        let out = folder.file("out")
        let stems = ["vocals", "drum", "bass"]
        let arguments =
            ["split", file.path, "--stem", "all", "--out", out.path, "--format", "wav", "--json"]
        let models = try core()
        let first = try partita(arguments, models: models)
        #expect(first.status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: out.path).sorted()
        #expect(
            names == stems.flatMap { ["My Söng_\($0).wav", "My Söng_no_\($0).wav"] }.sorted())
        for stem in stems {
            try expectSum(
                stem: out.appendingPathComponent("My Söng_\(stem).wav"),
                back: out.appendingPathComponent("My Söng_no_\(stem).wav"), source: file)
        }
        let report = try JSONSerialization.jsonObject(with: first.output) as? [String: Any]
        let entry = (report?["files"] as? [[String: Any]])?.first
        #expect((entry?["outputs"] as? [String])?.count == 6)

        // Never overwrites without being told to.
        let before = try Data(contentsOf: out.appendingPathComponent("My Söng_vocals.wav"))
        #expect(try partita(arguments, models: models).status == 1)
        #expect(try partita(arguments + ["--force"], models: models).status == 0)
        // The same input gives the same output.
        #expect(try Data(contentsOf: out.appendingPathComponent("My Söng_vocals.wav")) == before)
    }

    /// With the fixture's small networks, so that what the program itself keeps is what is seen.
    @Test func longRecordingsNeedNoMoreMemory() throws {
        let packs = Repository.root.appendingPathComponent("Tests/Fixtures/division")
        let peaks = try [3, 24].map { minutes in
            let file = try folder.make(
                "\(minutes).flac", from: Self.song,
                ["-af", "aloop=-1:size=2147483647", "-t", "\(60 * minutes)"])
            let result = try partita(
                [
                    "split", file.path, "--stem", "vocals", "--stem", "piano", "--together",
                    "--out", folder.file("out").path, "--format", "wav", "--json", "--quiet",
                ], models: packs)
            try #require(result.status == 0)
            let report = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
            return try #require(report?["peak_memory"] as? Double)
        }
        print("Peak memory of 3 and 24 minutes: \(peaks.map { $0 / 1e6 }) MB")
        #expect(peaks[1] < 1.1 * peaks[0])
    }

    @Test func stemsTogetherLeaveOneRest() throws {
        let file = try folder.make("song.flac", from: Self.song, ["-t", "4"])
        let out = folder.file("out")
        let arguments = [
            "split", file.path, "--stem", "drum", "--stem", "vocals", "--together", "--quiet",
            "--out", out.path,
        ]
        #expect(try partita(arguments).status == 0)
        let labels = ["drum", "no_multistem", "vocals"]
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: out.path).sorted()
                == labels.map { "song_\($0).flac" })
        let tracks = try labels.map { try decode(out.appendingPathComponent("song_\($0).flac")) }
        for (channel, source) in try decode(file).enumerated() {
            #expect(
                source
                    == source.indices.map { n in tracks.reduce(0) { $0 + $1[channel][n] } })
        }
        #expect(try partita(arguments).status == 1, "nothing is overwritten")
    }

    /// The commands that need no stem, each with its two files.
    @Test(arguments: [
        (["voice-clean", "--level", "normal"], "voice", "no_voice"),
        (["demuser"], "music", "no_music"),
    ])
    func speechCommandsGiveTwoFilesThatSumToTheSource(
        command: [String], stem: String, back: String
    ) throws {
        let file = try folder.make("talk.flac", from: Self.speech, ["-t", "4"])
        let out = folder.file("out")
        #expect(
            try partita(command + [file.path, "--out", out.path, "--format", "wav", "--quiet"])
                .status == 0)
        let results = [stem, back].map { out.appendingPathComponent("talk_\($0).wav") }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: out.path).sorted()
                == results.map(\.lastPathComponent).sorted())
        try expectSum(stem: results[0], back: results[1], source: file)
    }

    @Test func packsOfAllKindsAreListedAndVerified() throws {
        let listed = try partita(["models", "list"])
        #expect(
            String(decoding: listed.output, as: UTF8.self).contains(
                "deepfilternet3 0.5.6 (MIT OR Apache-2.0): voice"))
        let verified = try partita(["models", "verify"])
        #expect(verified.status == 0)
        #expect(String(decoding: verified.output, as: UTF8.self).contains(", voice\n"))
    }

    @Test(arguments: ["voice-clean", "demuser"])
    func withoutTheVoiceModelItIsSaid(command: String) throws {
        let finished = try said("\(command) no.wav --out /tmp/partita-never", models: core())
        #expect(finished.status == 1)
        #expect(
            finished.text.contains("No installed model can separate “voice”."),
            "\(finished.text)")
    }

    /// “all” is everything once: guitar is the sum of two others.
    @Test func allStemsOfTwoStages() throws {
        let models = Repository.root.appendingPathComponent("Tests/Fixtures/division")
        let listed = try partita(["models", "list"], models: models).output
        #expect(
            String(decoding: listed, as: UTF8.self).contains(
                "acoustic_guitar, electric_guitar, guitar, piano, rest, strings, synthesizer, wind")
        )
        let file = try folder.make("song.flac", from: Self.song, ["-t", "4"])
        let out = folder.file("out")
        let arguments = [
            "split", file.path, "--stem", "all", "--together", "--quiet", "--out", out.path,
        ]
        #expect(try partita(arguments, models: models).status == 0)
        let labels = [
            "acoustic_guitar", "electric_guitar", "no_multistem", "piano", "rest", "strings",
            "synthesizer", "vocals", "wind",
        ]
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: out.path).sorted()
                == labels.map { "song_\($0).flac" })
        // All sum to the source: nothing is left.
        let rest = try decode(out.appendingPathComponent("song_no_multistem.flac"))
        #expect(rest.joined().allSatisfy { abs($0) < 1e-5 })
    }

    @Test func keepsTheFormatOfTheSource() throws {
        let file = try folder.make("song.ogg", from: Self.song, ["-t", "4", "-c:a", "libvorbis"])
        let out = folder.file("out")
        #expect(
            try partita(["split", file.path, "--stem", "vocals", "--out", out.path, "--quiet"])
                .status == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: out.path).sorted()
                == ["song_no_vocals.ogg", "song_vocals.ogg"])
    }

    /// As people type it: a name in the folder where they are.
    @Test func relativePathsAreRelativeToTheUser() throws {
        _ = try folder.make("song.wav", from: Self.song, ["-t", "3"])
        let result = try run(
            TestServer.program.path, ["split", "song.wav", "--stem", "vocals", "--out", "stems/"],
            in: URL(fileURLWithPath: folder.path))
        #expect(result.status == 0)
        #expect(
            try folder.files() == ["song.wav", "stems/song_no_vocals.wav", "stems/song_vocals.wav"])
    }

    @Test func oneBadFileDoesNotStopTheOthers() throws {
        let good = try folder.make("good.wav", from: Self.song, ["-t", "3"])
        let bad = try folder.write("bad.mp3", "no song")
        let out = folder.file("out")
        let result = try partita([
            "split", bad.path, good.path, "--stem", "vocals", "--out", out.path, "--json",
        ])
        #expect(result.status == 1)
        let report = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
        let files = try #require(report?["files"] as? [[String: Any]])
        #expect((files[0]["error"] as? [String: Any])?["code"] as? String == "unreadable_media")
        #expect((files[1]["outputs"] as? [String])?.count == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: out.path).count == 2)
    }

    @Test(arguments: [
        ["split"], ["split", "a.mp3", "--out", "/tmp/x"], ["split", "--nonsense"], ["nonsense"],
        ["split", "a.mp3", "b/a.wav", "--stem", "vocals", "--out", "/tmp/x"],
        ["split", "a.mp3", "--stem", "vocals", "--out", "/tmp/x", "--format", "midi"],
        ["split", "a.mp3", "b/a_no.wav", "--stem", "vocals", "--out", "/tmp/x"],
        [
            "split", "a.mp3", "--stem", "guitar", "--stem", "electric_guitar", "--together",
            "--out", "/tmp/x",
        ],
        ["serve", "--port", "70000", "--data", "/tmp/partita-never"],
        ["voice-clean", "a.mp3", "--out", "/tmp/x", "--level", "loud"], ["demuser", "a.mp3"],
    ])
    func wrongUsageIsTwo(arguments: [String]) throws {
        #expect(try partita(arguments).status == 2)
    }

    @Test(arguments: [
        ("split --stem vocals --out /tmp/x", "Missing expected argument '<files> ...'"),
        ("split a.mp3 --out /tmp/x", "Missing expected argument '--stem <stem> ...'"),
        ("split no.mp3 --stem vocals --out /tmp/x", "There is no file no.mp3."),
        ("split no.mp3 --stem vocals --out /tmp/x --threads 0", "--threads must be at least 1."),
        (
            "split a.mp3 b/a.wav --stem vocals --out /tmp/x",
            "Two of the files would give results with the same names (a_…). Split them into different folders."
        ),
        (
            "serve --port 70000 --data /tmp/partita-never",
            "port is 70000; it must be between 0 and 65535."
        ),
        (
            "serve --data /tmp/partita-never --check-limit=-1",
            "checkLimit is -1; it must be between 0 and 1000000000."
        ),
        (
            "serve --config /nonexistent.yml --data /tmp/partita-never",
            "The settings file /nonexistent.yml cannot be read"
        ),
        (
            "license list --data /proc/version/x",
            "The data folder /proc/version/x cannot be made: there is a file of this name, or the folder above it cannot be written."
        ),
    ])
    func whatIsWrongIsSaid(line: String, sentence: String) throws {
        let finished = try said(line)
        #expect(finished.status != 0)
        #expect(finished.text.contains(sentence), "\(finished.text)")
        #expect(!FileManager.default.fileExists(atPath: "/tmp/partita-never"))
    }

    @Test(arguments: [
        ("PARTITA_PORT", "eighty", "port is “eighty”, which is not a whole number."),
        ("PARTITA_PLAYLISTS", "maybe", "playlists is “maybe”; it must be true or false."),
    ])
    func settingsThatMakeNoSenseAreRefused(name: String, value: String, sentence: String) throws {
        let shell =
            "\(name)=\(value) exec \(TestServer.program.path) serve --data /tmp/partita-never 2>&1"
        let finished = try run("sh", ["-c", shell])
        #expect(finished.status == 2)
        #expect(String(decoding: finished.output, as: UTF8.self).contains(sentence))
    }

    @Test func anAddressThatIsTakenIsSaid() throws {
        let server = try TestServer(["--workers", "0"])
        let port = try #require(URL(string: server.address)?.port)
        let finished = try run(
            "sh",
            [
                "-c",
                "exec \(TestServer.program.path) serve --workers 0 --port \(port) --data \(folder.file("other").path) 2>&1",
            ])
        #expect(finished.status == 1)
        let text = String(decoding: finished.output, as: UTF8.self)
        #expect(
            text.contains("The server cannot listen on 127.0.0.1, port \(port): "), "\(text)")
    }

    @Test(arguments: ["stems.example", "ftp://stems.example", "https://", "https://a/?b"])
    func aPublicAddressIsOne(address: String) throws {
        let shell =
            "\(TestServer.program.path) serve --data /tmp/partita-never --public-url \"$0\" 2>&1"
        let finished = try run("sh", ["-c", shell, address])
        #expect(finished.status == 2)
        let sentence =
            "publicUrl is “\(address)”; it must be like https://stems.example.org, or with a path like "
            + "https://example.org/stems."
        #expect(String(decoding: finished.output, as: UTF8.self).contains(sentence))
    }

    @Test func aFullOutputIsAnErrorAndNoCrash() throws {
        let shell = "\(TestServer.program.path) models list > /dev/full"
        #expect(try run("sh", ["-c", shell]).status == 1)
    }

    @Test func aStemWithoutAModelIsRefused() throws {
        let file = try folder.make("song.wav", from: Self.song, ["-t", "2"])
        let out = folder.file("out")
        let finished = try said(
            "split \(file.path) --stem strings --out \(out.path)", models: core())
        #expect(finished.status == 1)
        #expect(
            finished.text.contains(
                "No installed model can separate “strings”. `partita models list` shows what is installed."
            ), "\(finished.text)")
        #expect(!FileManager.default.fileExists(atPath: out.path))
    }

    @Test func aResultThatIsThereIsNotOverwritten() throws {
        let file = try folder.make("song.wav", from: Self.song, ["-t", "2"])
        let there = try folder.write("song_vocals.wav", "mine")
        let finished = try said("split \(file.path) --stem vocals --out \(folder.path)")
        #expect(finished.status == 1)
        #expect(
            finished.text.contains("song_vocals.wav is there already. --force overwrites it."),
            "\(finished.text)")
        #expect(try String(contentsOf: there, encoding: .utf8) == "mine")
    }

    /// What the program says on either output, and how it ends.
    private func said(
        _ line: String, models: URL? = nil
    ) throws -> (status: Int32, text: String) {
        let environment = models.map { "PARTITA_MODELS='\($0.path)' " } ?? ""
        let finished = try run(
            "sh", ["-c", "\(environment)exec \(TestServer.program.path) \(line) 2>&1"])
        return (finished.status, String(decoding: finished.output, as: UTF8.self))
    }

    @Test func licensesAreCreatedAndListed() throws {
        let data = folder.file("data")
        let made = try partita(["license", "create", "Studio", "--data", data.path, "--json"])
        #expect(made.status == 0)
        let report = try JSONSerialization.jsonObject(with: made.output) as? [String: String]
        let key = try #require(report?["key"])
        #expect(key.count >= 32)
        let listed = try partita(["license", "list", "--data", data.path])
        let text = String(decoding: listed.output, as: UTF8.self)
        #expect(text.contains("Studio") && !text.contains(key))
    }
}
