import Foundation
import HTTPAPI
import Testing

/// A server that the world sees under a path: some proxies strip it from what they pass on, others do not.
@Suite struct BasePathTests {
    private static let key = "X-License-Key"

    @Test func requestsWorkWithThePathAndWithoutIt() async throws {
        try await TestServer.run {
            $0.publicURL = "https://stems.example.org/a%20b/stems/"
        } _: { server in
            let id = try await server.splitTask()
            try await server.finishTask(stem: Array("RIFF".utf8))
            guard case .array(let tracks)? = try await server.check(id)["result"]?["tracks"],
                let url = tracks.first?["url"]?.stringValue
            else { throw CocoaError(.keyValueValidation) }
            let base = "/a%20b/stems"
            #expect(url.hasPrefix("https://stems.example.org\(base)/download/"))
            let link = String(url.dropFirst("https://stems.example.org".count))
            for prefix in ["", base] {
                for (path, status) in [
                    ("/healthz", 200), ("/api/v1/docs/", 200), ("/api/v1/openapi.json", 200),
                    ("/api/v1/nowhere", 403), ("/nowhere", 404), ("/", 404), ("/?x=1", 404),
                ] {
                    let reply = try await server.client.send("GET", prefix + path)
                    #expect(reply.status == status, "\(prefix)\(path)")
                }
                let body = Array(#"{"task_ids":["\#(id)"]}"#.utf8)
                let check = try await server.client.send(
                    "POST", prefix + "/api/v1/check/", [(Self.key, server.key)], body: body)
                #expect(try check.json["result"]?[id]?["status"] == "success")
                let file = try await server.client.send(
                    "GET", prefix + link.dropFirst(base.count))
                #expect(file.text == "RIFF")
            }
            for path in [
                base, base + "?x=1", "/a%20b/stemsx/healthz", "/a%20b/healthz",
                base + base + "/healthz",
            ] {
                let reply = try await server.client.send("GET", path)
                #expect(reply.status == 404, "\(path)")
            }
            #expect(
                try await server.client.send("POST", base + "/healthz").status == 405,
                "methods are those of the path within")
            let document = try await server.client.send("GET", base + "/api/v1/openapi.json")
            guard case .array(let servers) = try document.json["servers"] else {
                Issue.record("no servers")
                return
            }
            #expect(servers.first?["url"] == .string(base))
        }
    }

    /// Uploads are streamed; they must reach the operation through the prefix too.
    @Test func bodiesComeThrough() async throws {
        try await TestServer.run {
            $0.publicURL = "https://stems.example.org/stems"
        } _: { server in
            let bytes = try Recordings.short()
            let reply = try await server.client.send(
                "POST", "/stems/api/v1/upload/",
                [(Self.key, server.key), ("Content-Disposition", "attachment; filename=a.flac")],
                body: bytes)
            #expect(reply.status == 200)
            #expect(try reply.json["size"] == .integer(Int64(bytes.count)))
        }
    }

    /// The path may be one that our own start with.
    @Test func aPathLikeOursIsNotTakenFromOurs() async throws {
        try await TestServer.run {
            $0.publicURL = "https://stems.example.org/api"
        } _: { server in
            for path in ["/api/v1/docs/", "/api/api/v1/docs/", "/healthz", "/api/healthz"] {
                let reply = try await server.client.send("GET", path)
                #expect(reply.status == 200, "\(path)")
            }
        }
    }
}
