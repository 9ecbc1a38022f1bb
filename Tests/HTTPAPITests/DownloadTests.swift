import Foundation
import HTTPAPI
import Tasks
import Testing

@Suite struct DownloadTests {
    private static let bytes = (0..<600_001).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
    private static let size = bytes.count

    /// The path and query of the stem's link, of a task that is done.
    private static func link(_ server: TestServer, name: String = "song_vocals.wav") async throws
        -> String
    {
        let id = try await server.splitTask()
        try await server.finishTask(stem: bytes, name: name)
        guard case .array(let tracks)? = try await server.check(id)["result"]?["tracks"],
            let url = tracks.first?["url"]?.stringValue, let start = url.range(of: "/download/")
        else { throw CocoaError(.keyValueValidation) }
        return String(url[start.lowerBound...])
    }

    @Test func aLinkNeedsNoKeyAndNamesTheFile() async throws {
        try await TestServer.run { server in
            let link = try await Self.link(server, name: "Fü\"ße_vocals.wav")
            let reply = try await server.client.send("GET", link)
            #expect(reply.status == 200)
            #expect(reply.body == Self.bytes)
            #expect(reply["content-length"] == "\(Self.size)")
            #expect(reply["content-type"] == "audio/x-wav")
            #expect(reply["accept-ranges"] == "bytes")
            #expect(
                reply["content-disposition"]
                    == "attachment; filename=\"F__\u{5F}e_vocals.wav\"; "
                    + "filename*=UTF-8''F%C3%BC%22%C3%9Fe_vocals.wav")
            #expect(reply["etag"]?.wholeMatch(of: /"[0-9a-f]{32}"/) != nil)
            #expect(reply["x-request-id"]?.wholeMatch(of: /[0-9a-f]{32}/) != nil)

            let head = try await server.client.send("HEAD", link)
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            for name in [
                "content-length", "content-type", "accept-ranges", "content-disposition", "etag",
            ] { #expect(head[name] == reply[name]) }
        }
    }

    @Test func rangesAreServed() async throws {
        try await TestServer.run { server in
            let link = try await Self.link(server)
            let size = Self.size
            let parts: [(String, Range<Int>)] = [
                ("bytes=0-0", 0..<1), ("bytes=5-", 5..<size), ("bytes=-7", size - 7..<size),
                ("bytes=300000-300009", 300_000..<300_010), ("bytes=10-999999999", 10..<size),
                ("bytes=-999999999", 0..<size), ("Bytes=1-2", 1..<3),
            ]
            for (header, range) in parts {
                let reply = try await server.client.send("GET", link, [("Range", header)])
                #expect(reply.status == 206, "\(header)")
                #expect(
                    reply["content-range"]
                        == "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
                #expect(reply["content-length"] == "\(range.count)")
                #expect(reply.body == Array(Self.bytes[range]))
            }
            let many =
                "bytes=" + (0..<17).map { "\($0 * 1000)-\($0 * 1000)" }.joined(separator: ",")
            for header in ["bytes=0-1,5-2", "bytes=5-2", "bytes=x-y", "items=0-1", "bytes=-", many]
            {
                let reply = try await server.client.send("GET", link, [("Range", header)])
                #expect(reply.status == 200, "\(header)")
                #expect(reply.body == Self.bytes)
            }
            for header in [
                "bytes=\(size)-", "bytes=-0", "bytes=99999999999999999999-", "bytes=\(size)-,-0",
            ] {
                let reply = try await server.client.send("GET", link, [("Range", header)])
                #expect(reply.status == 416, "\(header)")
                #expect(reply["content-range"] == "bytes */\(size)")
                #expect(try reply.json == ["detail": .string("The file has \(size) bytes.")])
            }
            let head = try await server.client.send("HEAD", link, [("Range", "bytes=0-0")])
            #expect(head.status == 200)
            #expect(head["content-length"] == "\(size)")
        }
    }

    @Test(arguments: [
        ("bytes=0-1,1000-1001", [0..<2, 1000..<1002]),
        ("bytes=500000-, 0-0 ,-1", [500_000..<600_001, 0..<1]),
        ("bytes=0-9,700000-,300-309", [0..<10, 300..<310]),
        ("bytes=-5,0-4,2000-2999,2500-3999", [599_996..<600_001, 0..<5, 2000..<4000]),
    ])
    func severalRangesAreServedAtOnce(header: String, parts: [Range<Int>]) async throws {
        try await TestServer.run { server in
            let link = try await Self.link(server)
            let reply = try await server.client.send("GET", link, [("Range", header)])
            #expect(reply.status == 206)
            let type = try #require(reply["content-type"])
            let boundary = try #require(
                type.wholeMatch(of: /multipart\/byteranges; boundary=([0-9a-f]{32})/)?.1)
            #expect(reply["content-range"] == nil)
            #expect(reply["content-length"] == "\(reply.body.count)")
            var expected: [UInt8] = []
            for part in parts {
                let head =
                    "\r\n--\(boundary)\r\nContent-Type: audio/x-wav\r\nContent-Range: bytes "
                    + "\(part.lowerBound)-\(part.upperBound - 1)/\(Self.size)\r\n\r\n"
                expected += Array(head.utf8) + Self.bytes[part]
            }
            expected += Array("\r\n--\(boundary)--\r\n".utf8)
            #expect(reply.body == expected)
        }
    }

    /// What is cheaper to send as one part is one.
    @Test(arguments: [
        ("bytes=0-1,5-6", 0..<7), ("bytes=100-199,0-120", 0..<200),
        ("bytes=0-,0-,0-,0-", 0..<600_001), ("bytes=7-7,900000-", 7..<8),
    ])
    func rangesThatTouchBecomeOne(header: String, range: Range<Int>) async throws {
        try await TestServer.run { server in
            let link = try await Self.link(server)
            let reply = try await server.client.send("GET", link, [("Range", header)])
            #expect(reply.status == 206)
            #expect(reply["content-type"] == "audio/x-wav")
            let position = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(Self.size)"
            #expect(reply["content-range"] == position)
            #expect(reply.body == Array(Self.bytes[range]))
        }
    }

    @Test func conditionsAreHeeded() async throws {
        try await TestServer.run { server in
            let link = try await Self.link(server)
            let tag = try #require(try await server.client.send("HEAD", link)["etag"])
            for list in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                let reply = try await server.client.send("GET", link, [("If-None-Match", list)])
                #expect(reply.status == 304, "\(list)")
                #expect(reply.body.isEmpty)
                #expect(reply["etag"] == tag)
            }
            let changed = try await server.client.send("GET", link, [("If-None-Match", "\"x\"")])
            #expect(changed.status == 200)
            let range = ("Range", "bytes=0-3")
            func status(_ condition: String) async throws -> Int {
                try await server.client.send("GET", link, [range, ("If-Range", condition)]).status
            }
            #expect(try await status(tag) == 206)
            #expect(try await status("W/\(tag)") == 200)
            #expect(try await status("\"x\"") == 200)
            #expect(try await status("Tue, 24 Nov 2026 00:00:00 GMT") == 200)
        }
    }

    @Test func linksThatWereTamperedWithAreRefused() async throws {
        try await TestServer.run { server in
            let link = try await Self.link(server)
            let forged = [
                link.replacing("song", with: "sons"),
                link.replacing("expires=1", with: "expires=2"),
                link.replacing("x-wav", with: "html"), link + "0", String(link.dropLast()),
                String(link.prefix { $0 != "?" }),
            ]
            for link in forged {
                let reply = try await server.client.send("GET", link)
                #expect(reply.status == 403, "\(link)")
                #expect(try reply.json["detail"] != nil)
                #expect(reply["x-request-id"] != nil)
            }
        }
    }

    @Test func linksExpire() async throws {
        try await TestServer.run {
            $0.linkLifetime = 600
        } _: { server in
            let link = try await Self.link(server)
            server.clock.advance(by: 590)
            #expect(try await server.client.send("GET", link).status == 200)
            server.clock.advance(by: 60)
            let reply = try await server.client.send("GET", link)
            #expect(reply.status == 410)
            #expect(try reply.json["detail"]?.stringValue?.contains("expired") == true)
        }
    }

    @Test func deletedFilesAre404() async throws {
        try await TestServer.run { server in
            let link = try await Self.link(server)
            for blob in try await server.blobs.list() { try await server.blobs.delete(blob.key) }
            let reply = try await server.client.send("GET", link)
            #expect(reply.status == 404)
            #expect(try reply.json["detail"]?.stringValue?.contains("deleted") == true)
        }
    }

    @Test func linksStartWithThePublicAddress() async throws {
        try await TestServer.run {
            $0.publicURL = "https://stems.example.org/api-of-mine/"
        } _: { server in
            let id = try await server.splitTask()
            try await server.finishTask(stem: [1])
            guard case .array(let tracks)? = try await server.check(id)["result"]?["tracks"]
            else { throw CocoaError(.keyValueValidation) }
            let start = "https://stems.example.org/api-of-mine/download/"
            #expect(tracks.first?["url"]?.stringValue?.hasPrefix(start) == true)
        }
    }
}
