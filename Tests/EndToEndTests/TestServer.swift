import Foundation
import FoundationNetworking
import TestSupport
import Testing

/// The built program, serving on a free port with a data folder of its own.
final class TestServer {
    static let program = Repository.root.appendingPathComponent(".build/release/partita")

    let data: URL
    private(set) var address = ""
    var key = ""
    private var process = Process()

    private let options: [String]

    init(_ options: [String] = []) throws {
        self.options = options
        data = FileManager.default.temporaryDirectory
            .appendingPathComponent("partita-test-\(UUID().uuidString)")
        try start()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: data)
    }

    /// Starts the server (again) on the same data folder and waits until it listens.
    func start() throws {
        process = Process()
        process.executableURL = Self.program
        process.arguments =
            ["serve", "--port", "0", "--data", data.path, "--check-limit", "0"] + options
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var text = ""
        while !text.contains("license key is in") {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "the server ended before it listened")
            text += String(decoding: more, as: UTF8.self)
        }
        let line = try #require(text.split(separator: "\n").first { $0.contains("http://") })
        address = String(line[line.range(of: "http://")!.lowerBound...].dropLast("/api/v1/".count))
        key = try String(
            contentsOf: data.appendingPathComponent("license.key"), encoding: .utf8
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Asks the server to end. Returns its exit status.
    func stop() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// `kill -9` of the server alone.
    func crash() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// The worker processes of this server, or of any server on this data folder.
    var workers: [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { pid in
            guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
                return false
            }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.contains("worker") && words.contains(data.path)
                && words.first?.hasSuffix("partita") == true
        }
    }

    /// Files of blobs and temporary files.
    var files: [String] {
        ["blobs", "scratch"].flatMap { folder -> [String] in
            let path = data.appendingPathComponent(folder).path
            return (FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? [])
                .map { "\(path)/\($0)" }
                .filter { file in
                    let type = try? FileManager.default.attributesOfItem(atPath: file)[.type]
                    return type as? FileAttributeType == .typeRegular
                }
        }
    }

    // MARK: The API, as a client calls it

    func upload(_ file: URL, name: String) async throws -> (status: Int, json: [String: Any]) {
        var request = URLRequest(url: URL(string: "\(address)/api/v1/upload/")!)
        request.httpMethod = "POST"
        request.setValue(key, forHTTPHeaderField: "X-License-Key")
        let encoded = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
        request.setValue(
            "attachment; filename*=utf-8''\(encoded)", forHTTPHeaderField: "Content-Disposition")
        request.httpBody = try Data(contentsOf: file)
        return try await send(request)
    }

    func post(_ path: String, _ body: [String: Any]) async throws -> (
        status: Int, json: [String: Any]
    ) {
        var request = URLRequest(url: URL(string: "\(address)/api/v1/\(path)")!)
        request.httpMethod = "POST"
        request.setValue(key, forHTTPHeaderField: "X-License-Key")
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = try JSONSerialization.data(withJSONObject: body)
        return try await send(request)
    }

    /// Uploads and begins a split; returns the task's id.
    func split(
        _ file: URL, stem: String, name: String = "song.mp3", format: String = "wav"
    ) async throws -> String {
        let source = try await upload(file, name: name)
        try #require(source.status == 200, "\(source.json)")
        let task = try await post(
            "split/stem_separator/",
            [
                "source_id": source.json["id"]!,
                "presets": ["stem": stem, "encoder_format": format],
            ])
        try #require(task.status == 200, "\(task.json)")
        return try #require(task.json["task_id"] as? String)
    }

    func check(_ task: String) async throws -> [String: Any] {
        let answer = try await post("check/", ["task_ids": [task]])
        try #require(answer.status == 200, "\(answer.json)")
        return try #require((answer.json["result"] as? [String: Any])?[task] as? [String: Any])
    }

    /// Waits until the task satisfies a condition, for three minutes at most.
    func wait(for task: String, until isDone: ([String: Any]) -> Bool) async throws -> [String: Any]
    {
        for _ in 0..<900 {
            let state = try await check(task)
            if isDone(state) { return state }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw POSIXError(.ETIMEDOUT)
    }

    func waitForEnd(_ task: String) async throws -> [String: Any] {
        try await wait(for: task) { $0["status"] as? String != "progress" }
    }

    /// Downloads the tracks of a finished task by label.
    func tracks(_ state: [String: Any]) async throws -> [String: URL] {
        let result = try #require(state["result"] as? [String: Any])
        let tracks = try #require(result["tracks"] as? [[String: Any]])
        var files: [String: URL] = [:]
        for track in tracks {
            let url = try #require((track["url"] as? String).flatMap { URL(string: $0) })
            let (bytes, response) = try await URLSession.shared.data(from: url)
            #expect((response as? HTTPURLResponse)?.statusCode == 200)
            #expect(bytes.count == track["size"] as? Int)
            let label = try #require(track["label"] as? String)
            let file = data.appendingPathComponent("download-\(label).wav")
            try bytes.write(to: file)
            files[label] = file
        }
        return files
    }

    private func send(_ request: URLRequest) async throws -> (status: Int, json: [String: Any]) {
        let (data, response) = try await URLSession.shared.data(for: request)
        let json = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, json ?? [:])
    }
}

/// Rate and channels of a file, as ffprobe tells them.
func properties(_ file: URL) throws -> String {
    let output = try run(
        "ffprobe",
        [
            "-v", "error", "-show_entries", "stream=sample_rate,channels,bits_per_sample", "-of",
            "csv=p=0", file.path,
        ]
    ).output
    return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
}

/// Checks that two files are a stem and a rest of a source: same length, sum within one step of 24 bits, the
/// stem not delayed.
func expectSum(stem: URL, back: URL, source: URL, gain: Float = 1) throws {
    let original = try decode(source)
    let (a, b) = (try decode(stem), try decode(back))
    #expect(a.map(\.count) == original.map(\.count))
    #expect(b.map(\.count) == original.map(\.count))
    var worst: Float = 0
    for channel in original.indices {
        for n in original[channel].indices {
            worst = max(worst, abs(a[channel][n] + b[channel][n] - gain * original[channel][n]))
        }
    }
    #expect(worst <= 0x1p-23)
    let middle = original[0].count / 2
    let window = middle..<min(middle + 100_000, original[0].count - 101)
    // From sample to sample, as what changes slowly looks alike some samples later.
    let (changes, originals) = (steps(of: a[0]), steps(of: original[0]))
    let best = (-50...50).max { left, right in
        correlation(changes, originals, left, window)
            < correlation(changes, originals, right, window)
    }
    #expect(best == 0)
}

private func steps(of samples: [Float]) -> [Float] { zip(samples.dropFirst(), samples).map(-) }

private func correlation(_ a: [Float], _ b: [Float], _ delay: Int, _ window: Range<Int>) -> Double {
    window.reduce(0) { $0 + Double(a[$1]) * Double(b[$1 + delay]) }
}
