import Foundation
import HTTPAPI
import Testing

@Suite struct EnvelopeTests {
    @Test func everyAnswerHasAnIdAndErrorsAreJSON() async throws {
        try await TestServer.run { server in
            let key = ("X-License-Key", server.key)
            let cases: [(String, String, [(String, String)], Int)] = [
                ("GET", "/healthz", [], 200), ("GET", "/nowhere", [], 404),
                ("GET", "/", [], 404), ("POST", "/api/v1/nowhere/", [], 403),
                ("POST", "/api/v1/nowhere/", [key], 404), ("GET", "/api/v1/check/", [key], 405),
                ("DELETE", "/healthz", [], 405), ("GET", "/api/v1/check/", [], 403),
                ("POST", "/api/v1/check/", [key], 422), ("POST", "//api//v1/check", [], 403),
                ("GET", "/download/a/b", [], 403), ("OPTIONS", "/api/v1/check/", [], 204),
                ("PROPFIND", "/healthz", [], 405),
            ]
            var ids: Set<String> = []
            for (method, path, headers, status) in cases {
                let reply = try await server.client.send(method, path, headers)
                #expect(reply.status == status, "\(method) \(path)")
                let id = try #require(reply["x-request-id"])
                #expect(id.wholeMatch(of: /[0-9a-f]{32}/) != nil)
                ids.insert(id)
                if status >= 400 {
                    #expect(reply["content-type"] == "application/json")
                    #expect(try reply.json["detail"] != nil)
                }
                if status == 405 { #expect(reply["allow"] != nil) }
            }
            #expect(ids.count == cases.count)
            #expect(try await server.client.send("GET", "/healthz").text == #"{"status":"ok"}"#)
            #expect(try await server.client.send("HEAD", "/healthz").body.isEmpty)
        }
    }

    @Test func evenWhatIsNotHTTPIsAnswered() async throws {
        try await TestServer.run { server in
            let reply = try await server.client.exchange(
                Array("NONSENSE\r\n\r\n".utf8), halfClose: true)
            #expect(reply.status == 400)
            #expect(reply["x-request-id"]?.wholeMatch(of: /[0-9a-f]{32}/) != nil)
        }
    }

    @Test func aConnectionServesManyRequests() async throws {
        try await TestServer.run { server in
            let body = #"{"task_ids":[]}"#
            let request =
                "POST /api/v1/check/ HTTP/1.1\r\nHost: x\r\nX-License-Key: \(server.key)\r\n"
                + "Content-Length: \(body.utf8.count)\r\n"
            let reply = try await server.client.exchange(
                Array(
                    "\(request)\r\n\(body)\(request)\r\n\(body)\(request)Connection: close\r\n\r\n\(body)"
                        .utf8))
            #expect(reply.text.components(separatedBy: "HTTP/1.1 200").count == 3, "\(reply.text)")
        }
    }

    @Test func internalsStayInside() async throws {
        try await TestServer.run { server in
            // The folder that uploads go to is gone from under the server.
            try FileManager.default.removeItem(atPath: server.blobs.scratch)
            let reply = try await server.upload(try Recordings.short())
            #expect(reply.status == 500)
            #expect(try reply.json["code"] == "internal_error")
            #expect(!reply.text.contains("scratch"))
            #expect(!reply.text.contains(server.root))
            #expect(reply["x-request-id"] != nil)
        }
    }

    @Test func pagesOfAnyOriginMayAsk() async throws {
        try await TestServer.run { server in
            let preflight = try await server.client.send(
                "OPTIONS", "/api/v1/upload/",
                [
                    ("Origin", "https://a.example"), ("Access-Control-Request-Method", "POST"),
                    ("Access-Control-Request-Headers", "x-license-key"),
                ])
            #expect(preflight.status == 204)
            #expect(preflight["access-control-allow-origin"] == "*")
            #expect(preflight["access-control-allow-methods"]?.contains("POST") == true)
            let headers = preflight["access-control-allow-headers"]?.lowercased()
            #expect(headers?.contains("x-license-key") == true)
            #expect(headers?.contains("content-disposition") == true)
            let refused = try await server.client.send(
                "POST", "/api/v1/check/", [("Origin", "https://a.example")])
            #expect(refused.status == 403)
            #expect(
                refused["access-control-allow-origin"] == "*", "a page may read errors, too")
            #expect(refused["access-control-expose-headers"]?.contains("x-request-id") == true)
        }
    }

    @Test func originsCanBeListed() async throws {
        try await TestServer.run {
            $0.allowedOrigins = ["https://a.example"]
        } _: { server in
            func origin(_ origin: String) async throws -> Reply {
                try await server.client.send("GET", "/healthz", [("Origin", origin)])
            }
            let friend = try await origin("https://a.example")
            #expect(friend["access-control-allow-origin"] == "https://a.example")
            #expect(friend["vary"] == "Origin")
            #expect(
                try await origin("https://b.example")["access-control-allow-origin"] == nil)
        }
    }
}

@Suite struct ContentDispositionTests {
    @Test(arguments: [
        ("attachment; filename=song.mp3", "song.mp3"),
        ("filename=song.mp3", "song.mp3"),
        ("ATTACHMENT ; FileName = \"song.mp3\" ; x=y", "song.mp3"),
        (#"attachment; filename="a \"b\" \\ c.mp3""#, "c.mp3"),
        (#"attachment; filename="a;b=c.mp3""#, "a;b=c.mp3"),
        ("attachment; filename=my song.mp3", "my song.mp3"),
        ("attachment; filename=my%20song.mp3", "my song.mp3"),
        ("attachment; filename=100%.mp3", "100%.mp3"),
        ("attachment; filename=a.mp3; filename*=utf-8'en'b%20%C3%9F.mp3", "b ß.mp3"),
        ("attachment; filename*=UTF-8''b.mp3", "b.mp3"),
        ("attachment; filename*=iso-8859-1''%DF.mp3", "ß.mp3"),
        ("attachment; filename*=klingon''x; filename=a.mp3", "a.mp3"),
        ("attachment; filename*=utf-8''%FF; filename=a.mp3", "a.mp3"),
        (#"attachment; filename="C:\\music\\a.mp3""#, "a.mp3"),
        ("attachment; filename=/etc/passwd", "passwd"),
        ("attachment; filename=%2e%2e%2fa.mp3", "a.mp3"),
        ("attachment; filename=\"a\u{1}\u{7F}b.mp3\"", "ab.mp3"),
    ])
    func namesAreRead(header: String, name: String) {
        #expect(ContentDisposition.fileName(in: header) == name)
    }

    @Test(arguments: [
        "", "attachment", "filename", "attachment; filename=", "attachment; filename=\"\"",
        "attachment; filename=.", "attachment; filename=..", "attachment; filename=a/",
        "attachment; filename=\" \"", "form-data; name=x", ";;;===", "filename=\"",
    ])
    func headersWithoutANameHaveNone(header: String) {
        #expect(ContentDisposition.fileName(in: header) == nil)
    }

    @Test func longNamesAreCutBeforeTheirExtension() throws {
        let name = try #require(
            ContentDisposition.fileName(
                in: "filename=\"\(String(repeating: "ß", count: 300)).flac\""))
        #expect(name.utf8.count <= 200)
        #expect(name.hasSuffix("ß.flac"))
    }
}
