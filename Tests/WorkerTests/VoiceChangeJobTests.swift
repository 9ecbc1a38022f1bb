import Foundation
import Inference
import Media
import Synchronization
import Tasks
import TestSupport
import Testing
import VoiceChange
import Worker

/// A voice that was made of recordings, once for all tests.
enum MadeVoices {
    /// A singer (vocadito).
    static let singer = Task {
        try await make(["solo/vocadito_1_singing.flac"], name: "Singer", license: nil)
    }

    static func make(
        _ recordings: [String], name: String, license: String?
    ) async throws -> VoicePackContent {
        let maker = VoicePackMaker(
            try MediaTools(), try separator.get(), try voiceNetworks.get())
        for recording in recordings {
            try await maker.add(
                recording: Repository.recordings.appendingPathComponent(recording).path
            ) { _ in }
        }
        return try await maker.finish(
            .init(id: UUID().uuidString.lowercased(), name: name, created: 1_000, license: license))
    }
}

/// Another voice in real recordings, with the real models.
@Suite(.serialized) final class VoiceChangeJobTests: Sendable {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    static let band = "music/vocadito1_plus_vibe_ace/accompaniment.flac"
    static let speech = "speech/joe_en_m_city_5dB/clean.flac"
    private let folder: TemporaryFolder
    private let tools: MediaTools

    init() throws {
        folder = try TemporaryFolder()
        tools = try MediaTools()
    }

    private func run(
        _ file: URL, accent: Double = 1, tonality: VoiceSettings.Tonality = .voicePack,
        dereverb: Bool = false, format: AudioFormat? = .wav, pack named: String? = nil,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws -> JobResult {
        let out = folder.file(UUID().uuidString)
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
        let pack = try await MadeVoices.singer.value
        let voices = folder.file("voices").path
        if !FileManager.default.fileExists(atPath: voices) {
            try VoiceLibrary.add(pack, to: voices)
        }
        let shipped = Repository.root.appendingPathComponent("Voices").path
        let voice = try VoiceLibrary(directories: [voices, shipped])
            .pack(named ?? pack.manifest.id).load(beside: voiceNetworks.get())
        return try await VoiceChangeJob(
            input: file.path, voice: voice, accent: accent, tonality: tonality,
            dereverb: dereverb, format: format, folder: out.path
        ).run(tools, separator.get(), pitchNetwork.get(), progress: progress)
    }

    private func mix(_ result: JobResult) throws -> [[Float]] {
        try decode(URL(fileURLWithPath: result.outputs[0].path), channels: result.info.channels)
    }

    private func pitch(of samples: [Float], rate: Int) throws -> PitchTrack {
        let tracker = try PitchTracker(pitchNetwork.get(), sampleRate: rate)
        let frames = try samples.withUnsafeBufferPointer { try tracker.push($0) }
        return PitchTrack(frequencies: frames + (try tracker.finish()))
    }

    /// In hertz.
    private func medianPitch(_ samples: [Float], rate: Int) throws -> Double {
        let voiced = try pitch(of: samples, rate: rate).frequencies.filter { $0 > 0 }.sorted()
        return Double(try #require(voiced.dropFirst(voiced.count / 2).first))
    }

    /// A band alone for 6 s, then with a singer.
    private func song() throws -> URL {
        let files = [Self.band, Self.song].map {
            Repository.recordings.appendingPathComponent($0).path
        }
        return try folder.make(
            "song.flac",
            [
                "-t", "6", "-i", files[0], "-ss", "6", "-t", "8", "-i", files[1],
                "-filter_complex", "[0:a][1:a]concat=n=2:v=0:a=1,volume=-6dB",
                "-sample_fmt", "s32", "-metadata", "title=Lied",
            ])
    }

    @Test func aSongGetsOneTrackAndWhatIsNotTheVoiceStays() async throws {
        let values = Mutex<[Double]>([])
        let file = try song()
        let result = try await run(file) { value in values.withLock { $0.append(value) } }
        let seen = values.withLock { $0 }
        #expect(seen == seen.sorted() && seen.count >= 5 && seen.last == 1, "\(seen)")
        #expect(result.outputs.map(\.label) == ["converted_mix"])
        #expect(result.outputs.map(\.isBack) == [true])
        #expect(result.gain == 1 && result.waveforms.count == 1)
        let (source, mix) = (try decode(file), try mix(result))
        #expect(mix.map(\.count) == source.map(\.count))
        // The band plays alone: not a bit is changed.
        let rate = result.info.sampleRate
        let alone = source.indices.allSatisfy { channel in
            (0..<5 * rate).allSatisfy { mix[channel][$0] == source[channel][$0] }
        }
        #expect(alone)
        // Where the singer sings, the change is large, and has nothing of the band.
        let sung = 7 * rate..<14 * rate
        #expect(difference(mix.map { Array($0[sung]) }, source.map { Array($0[sung]) }) > -15)
        let band = try decode(
            Repository.recordings.appendingPathComponent(Self.band), start: 7, seconds: 7)
        var (product, energies) = (0.0, (0.0, 0.0))
        for channel in band.indices {
            for (index, place) in sung.enumerated() {
                let change = Double(mix[channel][place] - source[channel][place])
                let played = Double(band[channel][index])
                product += change * played
                energies.0 += change * change
                energies.1 += played * played
            }
        }
        let likeness = product / (energies.0 * energies.1).squareRoot()
        #expect(abs(likeness) < 0.1, "\(likeness)")
        // Nothing temporary.
        #expect(try folder.files().filter { $0.hasSuffix(".wav") }.count == 1)
        #expect(try folder.files().allSatisfy { !$0.hasSuffix("spool") })
    }

    /// The pitch goes where it is asked to; the recording is mono and stays so.
    @Test func speechGetsTheVoicesPitchOrKeepsItsOwn() async throws {
        let file = try folder.make("talk.wav", from: Self.speech, ["-ac", "1"])
        let source = try decode(file, channels: 1)[0]
        let before = try medianPitch(source, rate: 48_000)
        let wanted = try await MadeVoices.singer.value.manifest.statistics.medianFrequency
        let moved = try await run(file, tonality: .voicePack)
        #expect(moved.info.channels == 1 && moved.info.sampleRate == 48_000)
        let mix = try mix(moved)[0]
        #expect(mix.count == source.count)
        let after = try medianPitch(mix, rate: 48_000)
        print("Pitch: \(before) Hz, asked for \(wanted) Hz, is \(after) Hz")
        #expect(abs(12 * log2(after / wanted)) < 0.3)
        #expect(abs(12 * log2(after / before)) > 2)
        let kept = try medianPitch(
            try self.mix(await run(file, tonality: .sourceFile))[0], rate: 48_000)
        let octaves = log2(kept / before)
        print("With its own pitch: \(kept) Hz")
        #expect(abs(octaves - octaves.rounded()) < 0.05)
        // As loud as before.
        let level =
            difference([mix], [[Float](repeating: 0, count: mix.count)])
            - difference([source], [[Float](repeating: 0, count: mix.count)])
        // Weighed as ears do, that is: the level of a darker voice may rise.
        #expect(abs(level) < 4, "\(level) dB")
    }

    @Test(arguments: [
        ["-i", "full_mixes/helland_leaving_millie_live_piano.opus"],
        ["-i", "full_mixes/macleod_sugar_plum_fairy.opus"],
        ["-i", "solo/librosa_solo_trumpet.flac"], ["-i", band],
        ["-f", "lavfi", "-i", "anoisesrc=c=pink:a=0.3:d=6"],
        ["-f", "lavfi", "-i", "sine=f=220:d=6"], ["-f", "lavfi", "-i", "anullsrc=d=4"],
    ])
    func whereNobodySpeaksItIsSaid(_ arguments: [String]) async throws {
        let isFile = arguments.count == 2
        let input = isFile ? Repository.recordings.path + "/" + arguments[1] : arguments[3]
        let file = try folder.make(
            "a.flac",
            Array(arguments.prefix(arguments.count - 1)) + [
                input, "-t", "20", "-ar", "44100", "-sample_fmt", "s16",
            ])
        await #expect(throws: VoiceError.noVoice) { _ = try await self.run(file) }
        #expect(try folder.files().allSatisfy { $0 == "a.flac" || $0.hasPrefix("voices/") })
    }

    /// The lowest harmonics of a low voice, which networks take for an instrument's, are changed with it where it has a pitch.
    @Test func lowestHarmonicsAreChangedWithTheVoice() async throws {
        let file = try folder.make(
            "low.wav", from: "../data/speech/flemishguy_nl_m/flemishguy_nl_m_012.opus",
            ["-ss", "3", "-t", "6", "-c:a", "pcm_s24le"])
        let result = try await run(file, pack: "STASIA_FAYE")
        #expect(try medianPitch(mix(result)[0], rate: result.info.sampleRate) > 180)
        /// Decibels below 90 Hz, of all.
        func low(_ path: String) throws -> Double {
            let name = UUID().uuidString + ".wav"
            let filter = "highpass=f=50,lowpass=f=90,lowpass=f=90,lowpass=f=90"
            let below = try decode(folder.make(name, ["-i", path, "-af", filter]))
            return difference(below, below.map { $0.map { _ in 0 } })
                - difference(
                    try decode(URL(fileURLWithPath: path)), below.map { $0.map { _ in 0 } })
        }
        let (before, after) = (try low(file.path), try low(result.outputs[0].path))
        print("Below 90 Hz: \(before) dB, then \(after) dB")
        #expect(after < before - 5)
    }

    /// A speaker on the left stays there.
    @Test func theVoiceStaysWhereItWas() async throws {
        let file = try folder.make(
            "left.wav", from: Self.speech,
            ["-t", "6", "-af", "pan=stereo|c0=c0|c1=-0.3*c0", "-c:a", "pcm_s24le"])
        func levels(_ samples: [[Float]]) -> [Double] {
            samples.map { $0.reduce(0) { $0 + Double($1 * $1) } }
        }
        let mix = try mix(await run(file))
        let (was, now) = (levels(try decode(file)), levels(mix))
        #expect(abs(10 * log10((now[0] / now[1]) / (was[0] / was[1]))) < 1)
        #expect(difference([mix[0]], [try decode(file)[0]]) > -15, "it is another voice")
        let product = zip(mix[0], mix[1]).reduce(0) { $0 + Double($1.0 * $1.1) }
        #expect(product / (now[0] * now[1]).squareRoot() < -0.9, "the polarity is kept, too")
    }

    @Test func aFilmStaysAFilm() async throws {
        let speech = Repository.recordings.appendingPathComponent(Self.speech).path
        let film = try folder.make(
            "film.mp4",
            [
                "-f", "lavfi", "-i", "testsrc=d=6:s=64x64:r=25", "-t", "6", "-i", speech,
                "-map", "0:v", "-map", "1:a", "-pix_fmt", "yuv420p", "-c:a", "aac",
            ])
        let result = try await run(film, format: nil)
        #expect(result.outputs[0].path.hasSuffix("converted_mix.mp4"))
        let info = try await tools.probe(result.outputs[0].path)
        #expect(info.film != nil && info.channels == 1)
        #expect(abs(info.duration - 6) < 0.1)
        func pictures(_ path: String) throws -> Data {
            try TestSupport.run(
                "ffmpeg", ["-v", "error", "-i", path, "-map", "0:v", "-f", "md5", "-"]
            ).output
        }
        #expect(try pictures(film.path) == pictures(result.outputs[0].path))
    }

    /// Reverberation stays as it was, so that less is changed.
    @Test func dereverbChangesLess() async throws {
        let hall = try folder.make(
            "hall.wav", from: Self.speech,
            ["-t", "6", "-af", "aecho=0.8:0.7:70|130|210|310:0.5|0.4|0.3|0.2", "-ar", "44100"])
        let source = try decode(hall)
        let wet = difference(try mix(await run(hall)), source)
        let dry = difference(try mix(await run(hall, dereverb: true)), source)
        print("Changed with reverberation \(wet) dB, without \(dry) dB")
        #expect(dry < wet - 0.2)
    }

    @Test func theSameComesOutTwice() async throws {
        let file = try folder.make("a.wav", from: Self.song, ["-ss", "4", "-t", "8"])
        let (first, second) = (try await run(file), try await run(file))
        let bytes = try [first, second].map {
            try Data(contentsOf: URL(fileURLWithPath: $0.outputs[0].path))
        }
        let isSame = bytes[0] == bytes[1]
        #expect(isSame)
    }

    /// What would be over full scale is scaled as a whole, and not cut.
    @Test func loudRecordingsAreNotClipped() async throws {
        let file = try folder.make(
            "loud.wav", from: Self.song,
            ["-t", "10", "-af", "volume=24dB", "-c:a", "pcm_s24le"])
        let result = try await run(file)
        let peak = try mix(result).joined().reduce(0) { max($0, abs($1)) }
        #expect(result.gain < 1 && result.gain > 0.25, "\(result.gain)")
        #expect(peak <= 1 && peak > 0.99, "\(peak)")
    }

    @Test func cancellingEndsEverything() async throws {
        let file = try folder.make("a.flac", from: Self.song, ["-af", "aloop=1:size=2147483647"])
        for limit in [0.2, 0.65] {
            let started = AsyncStream<Void>.makeStream()
            let job = Task {
                try await run(file, format: .mp3) { value in
                    if value > limit { started.continuation.yield() }
                }
            }
            for await _ in started.stream { break }
            job.cancel()
            await #expect(throws: CancellationError.self) { try await job.value }
            #expect(try await folder.processesEnd())
        }
    }

    @Test func singersHoldNotesAndSpeakersDoNot() throws {
        let (sung, spoken) = (
            [
                "solo/vocadito_1_singing.flac", "solo/smstools_singing-female.flac",
                "music/everythingisfree_sodium/vocals.flac",
            ],
            [
                Self.speech, "speech/paola_it_f_city_0dB/clean.flac",
                "speech/gosia_pl_f_rain_10dB/clean.flac", "solo/smstools_speech-male.flac",
                "solo/smstools_speech-female.flac",
            ]
        )
        for (files, isSung) in [(sung, true), (spoken, false)] {
            for name in files {
                let samples = try decode(
                    Repository.recordings.appendingPathComponent(name), channels: 1, rate: 44_100)
                let track = try pitch(of: samples[0], rate: 44_100)
                print("Held notes: \(track.heldShare) of \(name)")
                #expect(track.isSung == isSung, "\(name): \(track.heldShare)")
            }
        }
    }
}
