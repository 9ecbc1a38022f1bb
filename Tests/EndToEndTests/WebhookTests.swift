import Foundation
import TestSupport
import Testing

/// A callback's way from the request to a receiver of somebody else's making (Python's http.server).
@Suite final class WebhookTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Prints its port, then the headers and the body of each request as a line of JSON.
    private static let receiver = """
        import http.server, json, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_response(200); self.end_headers()
                print(json.dumps({"path": self.path, "body": json.loads(body),
                                  "signature": self.headers["Partita-Signature"]}), flush=True)
            def log_message(self, *_): pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    @Test func theEndOfATaskIsTold() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.receiver]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Threads that tests run on may block the milder signals, and children inherit that.
        defer { kill(process.processIdentifier, SIGKILL) }
        let port = line(output)

        let server = try TestServer(["--private-callbacks", "--public-url", "https://a.example/x"])
        let song = try folder.make(
            "song.wav", from: "music/vocadito1_plus_vibe_ace/mixture.flac", ["-t", "3"])
        let source = try await server.upload(song, name: "song.wav")
        let task = try await server.post(
            "split/stem_separator/",
            [
                "source_id": source.json["id"]!, "presets": ["stem": "vocals"],
                "callback_url": "http://localhost:\(port)/hook?a=b",
            ])
        let id = try #require(task.json["task_id"] as? String, "\(task.json)")
        let told = try #require(
            JSONSerialization.jsonObject(with: Data(line(output).utf8)) as? [String: Any])
        #expect(told["path"] as? String == "/hook?a=b")
        #expect((told["signature"] as? String)?.hasPrefix("t=") == true)
        let body = try #require(told["body"] as? [String: Any])
        #expect(body["task_id"] as? String == id)
        #expect(body["status"] as? String == "success")
        let result = try #require(body["result"] as? [String: Any])
        let tracks = try #require(result["tracks"] as? [[String: Any]])
        #expect(tracks.count == 2)
        #expect(
            tracks.allSatisfy {
                ($0["url"] as? String)?.hasPrefix("https://a.example/x/download/") == true
            })
    }

    /// The next line that a process prints, without its end.
    private func line(_ pipe: Pipe) -> String {
        var bytes = Data()
        while let byte = try? pipe.fileHandleForReading.read(upToCount: 1), !byte.isEmpty,
            byte != Data("\n".utf8)
        {
            bytes += byte
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
