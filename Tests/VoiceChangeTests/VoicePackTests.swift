import DSP
import Foundation
import TestSupport
import Testing
import VoiceChange

@Suite struct VoicePackTests {
    /// A pack on disk, and what its manifest says.
    func pack() throws -> (folder: TemporaryFolder, manifest: [String: Any]) {
        let folder = try TemporaryFolder()
        let recordings = try [0, 1].map { try Spoken(Packs.recording("kerstin_de_f", $0)) }
        try VoiceLibrary.add(Packs.content(recordings), to: folder.path)
        let data = try Data(contentsOf: folder.file("TEST/voice.json"))
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return (folder, try #require(object))
    }

    @Test func packsAreFoundSeenAndRemoved() throws {
        let folder = try TemporaryFolder()
        let recordings = try [Spoken(Packs.recording("kerstin_de_f", 0))]
        let content = try Packs.content(recordings, id: "a-B_1")
        try VoiceLibrary.add(content, to: folder.path)
        #expect(throws: VoiceError.taken(id: "a-B_1")) {
            try VoiceLibrary.add(content, to: folder.path)
        }
        let library = VoiceLibrary(directories: [folder.path, folder.file("nowhere").path])
        #expect(library.notes.isEmpty)
        #expect(library.visible(to: nil).map(\.manifest.id) == ["a-B_1"])
        #expect(
            try Voice(directory: library.pack("a-B_1").directory, contentNetwork.get()).manifest
                == content.manifest)
        #expect(throws: VoiceError.unknown(id: "other")) { try library.pack("other") }
        try VoiceLibrary.remove("a-B_1", from: folder.path)
        #expect(try folder.files().isEmpty)
        for id in ["a-B_1", "x"] {
            #expect(throws: VoiceError.unknown(id: id)) {
                try VoiceLibrary.remove(id, from: folder.path)
            }
        }
        for id in ["", "..", "../x", "a/b", "a b", ".a", "ü", String(repeating: "a", count: 65)] {
            #expect(throws: VoiceError.badID(id)) {
                try VoiceLibrary.remove(id, from: folder.path)
            }
            #expect(throws: VoiceError.badID(id)) { try Packs.content(recordings, id: id) }
        }
    }

    @Test func packsOfOthersAreNotSeen() throws {
        let (folder, manifest) = try pack()
        var owned = manifest
        owned["license"] = "mine"
        try folder.write("TEST/voice.json", JSONSerialization.data(withJSONObject: owned))
        let library = VoiceLibrary(directories: [folder.path])
        #expect(library.visible(to: "mine").count == 1)
        #expect(library.visible(to: "other").isEmpty && library.visible(to: nil).isEmpty)
    }

    @Test func sameRecordingsMakeTheSamePack() throws {
        let recording = try Spoken(Packs.recording("kerstin_de_f", 2))
        let (first, second) = (try Packs.content([recording]), try Packs.content([recording]))
        #expect(first.manifest == second.manifest)
    }

    /// What a manifest says is not believed.
    @Test func hostilePacksAreRefused() throws {
        let (folder, manifest) = try pack()
        func refused(_ change: (inout [String: Any]) -> Void) throws -> Bool {
            var changed = manifest
            change(&changed)
            try folder.write("TEST/voice.json", JSONSerialization.data(withJSONObject: changed))
            do {
                _ = try Voice(directory: folder.file("TEST"), contentNetwork.get())
                return false
            } catch VoiceError.refused { return true }
        }
        func statistics(_ key: String, _ value: Any) -> (inout [String: Any]) -> Void {
            { manifest in
                var statistics = manifest["statistics"] as? [String: Any] ?? [:]
                statistics[key] = value
                manifest["statistics"] = statistics
            }
        }
        #expect(try !refused { _ in })
        for (key, value): (String, Any) in [
            ("format", 2), ("format", 4), ("content", "0"), ("kind", "onnx"), ("id", "../TEST"),
            ("id", "OTHER"), ("name", ""),
            ("entries", 0), ("entries", -1), ("entries", Int.max), ("entries", 5),
            ("sha256", String(repeating: "0", count: 64)), ("statistics", 1), ("spectrum", 1),
            ("spectrum", ["levels": [Double]()]), ("spectrum", ["levels": [1e9]]), ("unvoiced", 1),
            ("unvoiced", ["entries": 1]),
        ] {
            #expect(try refused { $0[key] = value }, "\(key) \(value)")
        }
        for (key, value): (String, Any) in [
            ("mean", [0.0]), ("deviation", [Float](repeating: 0, count: 40)), ("median_hz", 1e9),
            ("tract_ratio", 0), ("aperiodicity", [1, 1, 1, 1, 1]),
        ] {
            #expect(try refused(statistics(key, value)), "\(key)")
        }
        try folder.write("TEST/voice.json", "{")
        let library = VoiceLibrary(directories: [folder.path])
        #expect(library.notes.count == 1)
        // Whoever asks for it hears why.
        let reason = VoiceError.refused(pack: "TEST", reason: "its voice.json cannot be read")
        #expect(throws: reason) { try library.pack("TEST") }
        #expect(throws: VoiceError.unknown(id: "OTHER")) { try library.pack("OTHER") }
        try folder.write("TEST/voice.json", Data(count: 2 << 20))
        #expect(VoiceLibrary(directories: [folder.path]).packs.isEmpty)
    }

    @Test func codebooksThatAreNoneAreRefused() throws {
        let (folder, manifest) = try pack()
        let file = folder.file("TEST/codebook.bin")
        let good = try Data(contentsOf: file)
        var nan = good
        (nan[100], nan[101]) = (0xff, 0x7e)
        for bad in [Data(), good.dropLast(), good + [0], Data(good.reversed())] {
            try bad.write(to: file)
            #expect(throws: VoiceError.self) {
                try Voice(directory: folder.file("TEST"), contentNetwork.get())
            }
        }
        // Even where the hash is right.
        try nan.write(to: file)
        var changed = manifest
        changed["sha256"] = try sha256(file)
        try folder.write("TEST/voice.json", JSONSerialization.data(withJSONObject: changed))
        #expect(
            throws: VoiceError.refused(pack: "TEST", reason: "its codebook holds what no voice has")
        ) {
            try Voice(directory: folder.file("TEST"), contentNetwork.get())
        }
        // A link or a pipe is never opened.
        try FileManager.default.removeItem(at: file)
        try folder.link("TEST/codebook.bin", to: URL(fileURLWithPath: "/dev/zero"))
        #expect(throws: VoiceError.self) {
            try Voice(directory: folder.file("TEST"), contentNetwork.get())
        }
    }

    private func sha256(_ file: URL) throws -> String {
        let output = try run("sha256sum", [file.path]).output
        return String(decoding: output.prefix(64), as: UTF8.self)
    }

    @Test func recordingsThatNoVoiceCanBeMadeOfAreRefused() throws {
        let speech = try Spoken(Packs.recording("kathleen_en_f", 3))
        func refusal(_ recordings: [Spoken]) -> VoiceError? {
            do {
                _ = try Packs.content(recordings)
                return nil
            } catch { return error as? VoiceError }
        }
        #expect(refusal([speech]) == nil)
        let loud = speech.samples.map { max(-1, min(1, 12 * $0)) }
        #expect(try refusal([Spoken(loud, rate: speech.rate)]) == .clipped(recording: "0"))
        let silence = [Float](repeating: 0.0001, count: 44_100 * 30)
        #expect(
            try refusal([speech, Spoken(silence, rate: speech.rate)]) == .silent(recording: "1"))
        let short = Array(speech.samples.prefix(44_100 * 12))
        guard case .tooShort = try refusal([Spoken(short, rate: speech.rate)]) else {
            Issue.record("12 seconds were enough")
            return
        }
        // Music whose pitch is clear passes here; the worker's maker separates it first.
        let noise = uniformNoise(44_100 * 30).map { 0.3 * $0 }
        #expect(try refusal([Spoken(noise, rate: speech.rate)]) == .notAVoice(recording: "0"))
    }
}
