import Foundation
import HTTPAPI
import Media
import Tasks
import Testing

/// Waveforms and playlists by their links.
@Suite struct PlaylistTests {
    private static let waveform = #"{"version":2,"data":[-1,1]}"#

    /// The paths of the first track's links, of a task whose tracks have segments of a real recording.
    private struct Links {
        let waveform: String
        let playlist: String
        let track: String
    }

    /// Does a worker's part with a trumpet of 5 seconds.
    private static func finish(_ server: TestServer) async throws -> String {
        let id = try await server.splitTask()
        let lease = try #require(
            try await server.store.lease(
                worker: "test", duration: 60, maximumAttempts: 3, now: server.clock.now))
        func blob(_ bytes: [UInt8]) async throws -> BlobKey {
            let writer = try await server.blobs.makeWriter()
            try await writer.write(bytes)
            return try await writer.commit()
        }
        let track = try await server.blobs.withScratchFolder { folder in
            let recording = try Recordings.short()
            let file = folder + "/a.flac"
            try Data(recording).write(to: URL(fileURLWithPath: file))
            let tools = try MediaTools()
            let info = try await tools.probe(file)
            let segmented = try await tools.segment(
                file, .flac, sampleRate: info.sampleRate, channels: info.channels, into: folder)
            return Track(
                kind: .stem, label: "vocals", name: "Lied.flac", blob: try await blob(recording),
                size: Int64(recording.count), contentType: "audio/flac",
                waveform: try await blob(Array(waveform.utf8)),
                playlist: try await blob(Array(segmented.playlist.utf8)),
                stream: try await server.blobs.adopt(file: segmented.file))
        }
        try await server.store.complete(
            lease, result: TaskResult(tracks: [track], duration: 5, gain: 1), now: server.clock.now)
        return id
    }

    /// The addresses of a finished task's only track.
    private static func links(_ server: TestServer) async throws -> Links {
        guard case .array(let tracks)? = try await server.check(finish(server))["result"]?["tracks"]
        else { throw CocoaError(.keyValueValidation) }
        func link(_ name: String) throws -> String {
            try #require(tracks.first?[name]?.stringValue)
        }
        return Links(
            waveform: try link("waveform"), playlist: try link("playlist_file"),
            track: try link("url"))
    }

    /// What follows the address of the server.
    private static func path(_ link: String) throws -> String {
        let url = try #require(URLComponents(string: link))
        return url.percentEncodedPath + "?" + (url.percentEncodedQuery ?? "")
    }

    @Test func waveformsAreJSONForPages() async throws {
        try await TestServer.run { server in
            let path = try Self.path(try await Self.links(server).waveform)
            for method in ["GET", "HEAD"] {
                let reply = try await server.client.send(method, path, [("Origin", "http://a.b")])
                #expect(reply.status == 200)
                #expect(reply["content-type"] == "application/json")
                #expect(reply["content-disposition"] == nil)
                #expect(reply["content-length"] == "\(Self.waveform.utf8.count)")
                #expect(reply["access-control-allow-origin"] == "*")
                #expect(reply.text == (method == "GET" ? Self.waveform : ""))
            }
        }
    }

    @Test func playlistsLeadToTheirStream() async throws {
        try await TestServer.run { server in
            let path = try Self.path(try await Self.links(server).playlist)
            let reply = try await server.client.send("GET", path, [("Origin", "http://a.b")])
            #expect(reply.status == 200)
            #expect(reply["content-type"] == "application/vnd.apple.mpegurl")
            #expect(reply["content-disposition"] == nil)
            #expect(reply["access-control-allow-origin"] == "*")
            let head = try await server.client.send("HEAD", path)
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head["content-length"] == reply["content-length"])
            #expect(!reply.text.contains("Lied"), "nothing of the user's")

            let links = Set(reply.text.split(separator: "\n").filter { !$0.hasPrefix("#") })
            let link = String(try #require(links.first))
            #expect(links.count == 1)
            #expect(reply.text.contains("#EXT-X-MAP:URI=\"\(link)\""))
            #expect(link.hasPrefix("http://localhost:\(server.client.port)/"))
            let part = try await server.client.send(
                "GET", try Self.path(link), [("Range", "bytes=4-7"), ("Origin", "http://a.b")])
            #expect(part.status == 206 && part.text == "ftyp")
            #expect(part["content-type"] == "audio/mp4")
            #expect(part["content-disposition"] == nil)
            #expect(part["access-control-allow-origin"] == "*")
        }
    }

    @Test func playersPlayThem() async throws {
        try await TestServer.run { server in
            let links = try await Self.links(server)
            func samples(_ address: String) async throws -> String {
                let result = try await output(of: [
                    "ffmpeg", "-nostdin", "-v", "error", "-i", address, "-f", "md5", "-",
                ])
                #expect(result.status == 0)
                return result.text
            }
            #expect(try await samples(links.playlist) == samples(links.track))
            let probe = try await output(of: [
                "ffprobe", "-v", "error", "-show_entries", "format=format_name,duration", "-of",
                "csv=p=0", links.playlist,
            ])
            #expect(probe.status == 0)
            let fields = probe.text.trimmingCharacters(in: .newlines).split(separator: ",")
            #expect(fields.first == "hls")
            #expect(abs((fields.last.flatMap { Double($0) } ?? 0) - 5) < 0.4)
        }
    }

    @Test func linksThatWereTamperedWithAreRefused() async throws {
        try await TestServer.run { server in
            let links = try await Self.links(server)
            let (waveform, playlist) = (
                try Self.path(links.waveform), try Self.path(links.playlist)
            )
            let track = try Self.path(links.track)
            let forged = [
                waveform.replacing("expires=1", with: "expires=2"), playlist + "0",
                waveform.replacing("%2Fjson", with: "%2Fhtml"),
                // A link for one use is none for another.
                waveform.replacing("/inline/", with: "/download/"),
                track.replacing("/download/", with: "/inline/"),
                playlist.replacing("/playlist/", with: "/inline/"),
                // Another stream.
                playlist.replacing(#/\w+\.m3u8/#, with: "00000000000000000000000000000000.m3u8"),
            ]
            for link in forged {
                #expect(try await server.client.send("GET", link).status == 403, "\(link)")
            }
        }
    }

    @Test func linksExpireAndTheOneInAPlaylistIsNew() async throws {
        try await TestServer.run {
            $0.linkLifetime = 600
        } _: { server in
            let links = try await Self.links(server)
            server.clock.advance(by: 590)
            let path = try Self.path(links.playlist)
            let playlist = try await server.client.send("GET", path)
            #expect(playlist.status == 200)
            server.clock.advance(by: 60)
            #expect(try await server.client.send("GET", path).status == 410)
            #expect(
                try await server.client.send("GET", try Self.path(links.waveform)).status == 410)
            let stream = try #require(
                playlist.text.split(separator: "\n").first { !$0.hasPrefix("#") })
            #expect(
                try await server.client.send("GET", try Self.path(String(stream))).status == 200)
        }
    }

    @Test func deletedOnesAre404() async throws {
        try await TestServer.run { server in
            let links = try await Self.links(server)
            for blob in try await server.blobs.list() { try await server.blobs.delete(blob.key) }
            for link in [links.waveform, links.playlist] {
                #expect(try await server.client.send("GET", try Self.path(link)).status == 404)
            }
        }
    }

    @Test func linksStartWithThePublicAddress() async throws {
        try await TestServer.run {
            $0.publicURL = "https://stems.example.org/mine/"
        } _: { server in
            let links = try await Self.links(server)
            let start = "https://stems.example.org/mine"
            #expect(links.waveform.hasPrefix(start + "/inline/"))
            #expect(links.playlist.hasPrefix(start + "/playlist/"))
            let path = String(links.playlist.dropFirst(start.count))
            let text = try await server.client.send("GET", path).text
            let stream = try #require(text.split(separator: "\n").first { !$0.hasPrefix("#") })
            #expect(stream.hasPrefix(start + "/inline/"))
        }
    }

    @Test func whatIsNotThereIsNull() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask()
            try await server.finishTask(stem: [1])
            guard case .array(let tracks)? = try await server.check(id)["result"]?["tracks"],
                case .object(let members)? = tracks.first
            else { throw CocoaError(.keyValueValidation) }
            for name in ["waveform", "playlist_file"] {
                #expect(members.first { $0.name == name }?.value == .null)
            }
        }
    }
}
