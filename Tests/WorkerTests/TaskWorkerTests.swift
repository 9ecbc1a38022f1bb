import Foundation
import Media
import Tasks
import TestSupport
import Testing
import Worker

/// Leasing, publishing and failing, with the real store, blobs, engine and ffmpeg.
@Suite(.serialized) final class TaskWorkerTests {
    static let song = "music/vocadito1_plus_vibe_ace/mixture.flac"
    private let files: TemporaryFolder

    init() throws { files = try TemporaryFolder() }

    @Test func aTaskSucceeds() async throws {
        let data = try await DataFolder()
        let song = try files.make("a.flac", from: Self.song, ["-t", "6"])
        let source = try files.make("copy.flac", ["-i", song.path])
        let id = try await data.submit(
            song, .stemSeparator(StemSeparatorPresets(stem: .drum, encoderFormat: .wav)))
        let worker = try data.worker()
        #expect(try await worker.workOnce())
        #expect(try await !worker.workOnce())

        let task = try await data.task(id)
        #expect(task.status == .success && task.progress == 100 && task.attempts == 1)
        #expect(task.duration == 6)
        #expect(task.tracks.map(\.label) == ["drum", "no_drum"])
        #expect(task.tracks.map(\.kind) == [.stem, .back])
        #expect(task.tracks.map(\.name) == ["Mein Lied_drum.wav", "Mein Lied_no_drum.wav"])
        #expect(task.tracks.map(\.contentType) == ["audio/wav", "audio/wav"])
        var sum = [[Float]](repeating: Array(repeating: 0, count: 6 * 44_100), count: 2)
        for track in task.tracks {
            let file = URL(fileURLWithPath: try await data.blobs.localFile(track.blob))
            #expect(try await data.blobs.size(track.blob) == track.size)
            for (channel, samples) in try decode(file).enumerated() {
                for index in samples.indices { sum[channel][index] += samples[index] }
            }
        }
        #expect(difference(sum, try decode(source)) < -120)
        // The source, two tracks, what goes with each, and nothing temporary.
        #expect(try data.files().count == 9)
        #expect(try FileManager.default.contentsOfDirectory(atPath: data.blobs.scratch).isEmpty)
    }

    /// Each level takes away more; what is taken away is the other track.
    @Test func voicesAreCleaned() async throws {
        let data = try await DataFolder()
        let speech = "speech/paola_it_f_city_0dB/noisy.flac"
        var kept: [Double] = []
        for level in NoiseCancelling.allCases {
            let source = try files.make("\(level).flac", from: speech, [])
            let id = try await data.submit(
                source,
                .voiceClean(VoiceCleanPresets(encoderFormat: .wav, noiseCancelling: level)))
            #expect(try await data.worker().workOnce())
            let task = try await data.task(id)
            #expect(task.status == .success, "\(String(describing: task.failure))")
            #expect(task.tracks.map(\.label) == ["voice", "no_voice"])
            #expect(task.tracks.map(\.kind) == [.stem, .back])
            let file = URL(fileURLWithPath: try await data.blobs.localFile(task.tracks[0].blob))
            kept.append(try decode(file, channels: 1)[0].reduce(0) { $0 + Double($1 * $1) })
        }
        #expect(kept[0] > kept[1] && kept[1] > kept[2])
    }

    /// As the API says, the stem is the music, and the speech is what is left.
    @Test func musicIsTakenOutOfSpeech() async throws {
        let data = try await DataFolder()
        let source = try files.make("a.flac", from: Self.song, ["-t", "4"])
        let id = try await data.submit(source, .demuser(DemuserPresets(encoderFormat: .wav)))
        #expect(try await data.worker().workOnce())
        let task = try await data.task(id)
        #expect(task.status == .success, "\(String(describing: task.failure))")
        #expect(task.tracks.map(\.label) == ["music", "no_music"])
        #expect(task.tracks.map(\.kind) == [.stem, .back])
    }

    /// Where the speech model is not there, its tasks say so.
    @Test(arguments: [Presets.voiceClean(VoiceCleanPresets()), .demuser(DemuserPresets())])
    func withoutTheVoiceModelItIsSaid(_ presets: Presets) async throws {
        let data = try await DataFolder()
        let id = try await data.submit(
            try files.make("a.flac", from: Self.song, ["-t", "2"]), presets)
        #expect(try await data.worker(separator: onlyCore.get()).workOnce())
        let task = try await data.task(id)
        #expect(task.status == .error && task.attempts == 1)
        #expect(task.failure?.code == "not_installed")
        #expect(
            task.failure?.detail.hasPrefix("No installed model can separate “voice”.") == true)
    }

    @Test func whoLostTheLeasePublishesNothing() async throws {
        let data = try await DataFolder()
        let id = try await data.submit(try files.make("a.flac", from: Self.song, ["-t", "20"]))
        var silent = LeasePolicy()
        // The lease is over before the next heartbeat.
        silent.duration = 0.2
        silent.heartbeat = 3600
        let first = try data.worker("first", policy: silent)
        let work = Task { try await first.workOnce() }
        var lease: Lease?
        while lease == nil {
            try await Task.sleep(for: .milliseconds(50))
            guard try await data.task(id).status == .running else { continue }
            lease = try await data.store.lease(
                worker: "second", duration: 600, maximumAttempts: 3, now: Date())
        }
        #expect(lease?.task.attempts == 2)
        #expect(try await work.value)
        let task = try await data.task(id)
        #expect(task.status == .running && task.tracks.isEmpty)
        #expect(try data.files().count == 1, "only the source")
        // The second still holds it.
        try await data.store.renew(
            try #require(lease), duration: 600, progress: 50, now: Date())
    }

    @Test func aHeartbeatThatFindsTheLeaseLostEndsTheWork() async throws {
        let data = try await DataFolder()
        let id = try await data.submit(try files.make("a.flac", from: Self.song, ["-t", "20"]))
        var policy = LeasePolicy()
        policy.heartbeat = 0.1
        let worker = try data.worker(policy: policy)
        let work = Task { try await worker.workOnce() }
        var running: Lease?
        while running == nil {
            try await Task.sleep(for: .milliseconds(20))
            // As if 15 seconds had passed without a heartbeat.
            running = try await data.store.lease(
                worker: "second", duration: 600, maximumAttempts: 3, now: Date() + 60)
            if running?.fence == 1 { Issue.record("leased before the worker did") }
        }
        let stolen = ContinuousClock.now
        #expect(try await work.value)
        #expect(ContinuousClock.now - stolen < .seconds(10))
        #expect(try await data.task(id).status == .running)
        #expect(try data.files().count == 1)
        #expect(try await data.folder.processesEnd())
    }

    @Test func faultsOfTheFileAreFinal() async throws {
        let data = try await DataFolder()
        let whole = try files.make("a.flac", from: Self.song, ["-t", "10"])
        let bytes = try Data(contentsOf: whole)
        let cut = try await data.submit(
            try files.write("cut.flac", bytes.prefix(bytes.count / 2)))
        let text = try await data.submit(try files.write("text.mp3", "no song"))
        let worker = try data.worker()
        while try await worker.workOnce() {}
        let failures = [
            (
                cut, "truncated_media",
                "The file is cut off: it should last 10.0 seconds, but ends after 5.0."
            ),
            (
                text, "unreadable_media",
                "The file is not audio or video in a format that can be read."
            ),
        ]
        for (id, code, detail) in failures {
            let task = try await data.task(id)
            #expect(task.status == .error && task.attempts == 1)
            #expect(task.failure == TaskFailure(code: code, detail: detail))
        }
        #expect(try data.files().count == 2, "the sources stay until they expire")
    }

    @Test(arguments: [
        (
            Presets.stemSeparator(StemSeparatorPresets(stem: .vocals, multivocal: .leadBack)),
            "“lead”, “backing”"
        ),
        (.stemSeparator(StemSeparatorPresets(stem: .vocals, dereverbEnabled: true)), "“dry voice”"),
        (.multistem(MultistemPresets(stems: [.vocals], dereverbEnabled: true)), "“dry voice”"),
        (.demuser(DemuserPresets()), "“voice”"),
        (.voiceClean(VoiceCleanPresets(dereverbEnabled: true)), "“dry voice”"),
    ])
    func whatIsNotInstalledIsSaidAtOnce(_ presets: Presets, _ missing: String) async throws {
        try await fails(
            presets,
            "No installed model can separate \(missing). `partita models list` shows what is installed."
        )
    }

    /// With nothing but our own network, the task ends at once with `not_installed`.
    private func fails(_ presets: Presets, _ sentence: String) async throws {
        let data = try await DataFolder()
        let song = try files.make("a.flac", from: Self.song, ["-t", "2"])
        let id = try await data.submit(song, presets)
        #expect(try await data.worker(separator: onlyCore.get()).workOnce())
        let task = try await data.task(id)
        #expect(task.status == .error && task.attempts == 1)
        #expect(
            task.failure == TaskFailure(code: "not_installed", detail: sentence))
        #expect(try data.files().count == 1)
    }

    @Test func aCancelledTaskStopsWithinASecond() async throws {
        let data = try await DataFolder()
        let id = try await data.submit(try files.make("a.flac", from: Self.song, ["-t", "60"]))
        let worker = try data.worker()
        let work = Task { try await worker.workOnce() }
        while try await data.task(id).progress < 5 {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(!children().isEmpty, "ffmpeg is at work")
        let outcome = try await data.store.cancel([id], licence: data.licence.id, now: Date())
        #expect(outcome == [id: .cancelled])
        let cancelled = ContinuousClock.now
        #expect(try await work.value)
        // A second is the promise; a busy machine is given another.
        #expect(ContinuousClock.now - cancelled < .seconds(2))
        #expect(children().isEmpty)
        #expect(try await data.task(id).status == .cancelled)
        #expect(try data.files().count == 1, "only the source is left")
    }

    /// Running ffmpeg processes that this process has started.
    private func children() -> [String] {
        let own = "\(ProcessInfo.processInfo.processIdentifier)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { name in
            guard
                let bytes = FileManager.default.contents(atPath: "/proc/\(name)/stat"),
                Int32(name) != nil
            else { return false }
            // pid (name) state parent …
            let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
            return fields.count > 3 && fields[1].hasPrefix("(ffmpeg") && fields[2] != "Z"
                && fields[3] == own
        }
    }

    @Test func whatMayPassIsTriedThreeTimes() async throws {
        let data = try await DataFolder()
        let id = try await data.submit(try files.make("a.flac", from: Self.song, ["-t", "2"]))
        var limits = MediaLimits()
        limits.runTime = 0
        var policy = LeasePolicy()
        policy.retryDelay = 0
        let worker = try data.worker(policy: policy, limits: limits)
        for attempt in 1...3 {
            #expect(try await data.task(id).status == .queued)
            #expect(try await worker.workOnce())
            #expect(try await data.task(id).attempts == attempt)
        }
        let task = try await data.task(id)
        #expect(task.status == .error && task.failure?.code == "media_limit")
        #expect(try await !worker.workOnce())
        #expect(try data.files().count == 1)
    }

    @Test func aWorkerThatShutsDownHandsItsTaskBack() async throws {
        let data = try await DataFolder()
        let id = try await data.submit(try files.make("a.flac", from: Self.song, ["-t", "60"]))
        let worker = try data.worker()
        let loop = Task { await worker.run() }
        while try await data.task(id).progress < 5 {
            try await Task.sleep(for: .milliseconds(20))
        }
        loop.cancel()
        await loop.value
        let task = try await data.task(id)
        #expect(task.status == .queued && task.attempts == 0)
        #expect(try data.files().count == 1)
        #expect(try await data.folder.processesEnd())
    }
}
