import Foundation
import HTTPAPI
import Tasks
import Testing

@Suite struct TaskArchiveTests {
    private static let bytes = (0..<300_001).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 7) }

    private static func archive(
        _ server: TestServer, _ task: String, method: String = "GET"
    ) async throws -> Reply {
        try await server.client.send(
            method, "/api/v1/tasks/\(task)/archive.zip", [("X-License-Key", server.key)])
    }

    /// What Python's zipfile says of an archive, which it has read to its end.
    private static func entries(_ path: String) async throws -> [JSON] {
        let script = """
            import json, sys, zipfile, zlib
            with zipfile.ZipFile(sys.argv[1]) as archive:
                assert archive.testzip() is None
                print(json.dumps([[i.filename, i.file_size, i.compress_type, i.flag_bits,
                    i.external_attr >> 16, zlib.crc32(archive.read(i)) == i.CRC,
                    list(i.date_time)[0]] for i in archive.infolist()]))
            """
        let printed = try await output(of: ["python3", "-c", script, path])
        guard printed.status == 0,
            case .array(let entries) = try JSON(parsing: Array(printed.text.utf8))
        else { return [] }
        return entries
    }

    @Test func allTracksAreInOneFile() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask()
            // Both tracks have this name.
            try await server.finishTask(stem: Self.bytes, name: "../söng:1_vocals.wav")
            let reply = try await Self.archive(server, id)
            #expect(reply.status == 200)
            #expect(reply["content-type"] == "application/zip")
            #expect(reply["content-length"] == "\(reply.body.count)")
            #expect(reply["cache-control"] == "no-store")
            #expect(
                reply["content-disposition"]
                    == "attachment; filename=\"song.zip\"; filename*=UTF-8''song.zip")
            let head = try await Self.archive(server, id, method: "HEAD")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            for name in ["content-length", "content-type", "content-disposition", "cache-control"] {
                #expect(head[name] == reply[name])
            }

            let file = server.root + "/archive.zip"
            try Data(reply.body).write(to: URL(fileURLWithPath: file))
            let year = JSON.integer(
                Int64(Calendar(identifier: .gregorian).component(.year, from: server.clock.now)))
            #expect(
                try await Self.entries(file) == [
                    ["söng_1_vocals.wav", 300_001, 0, 0x800, 0o100644, true, year],
                    ["söng_1_vocals (2).wav", 300_001, 0, 0x800, 0o100644, true, year],
                ])
            // Where it is installed: 127 says that it is not.
            #expect([0, 127].contains(try await output(of: ["unzip", "-t", file]).status))
            #expect(reply.body.firstRange(of: Self.bytes) != nil, "stored as they are")
        }
    }

    @Test func onlyWhatHasSucceededHasAnArchive() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask()
            let early = try await Self.archive(server, id)
            #expect(early.status == 400)
            #expect(
                try early.json == [
                    "detail":
                        "The task is not finished yet. Its archive is there once `check` says `success`.",
                    "code": "task_not_finished",
                ])
            _ = try await server.post("/api/v1/cancel/", #"{"task_ids":["\#(id)"]}"#)
            let cancelled = try await Self.archive(server, id)
            #expect(cancelled.status == 400)
            #expect(
                try cancelled.json == [
                    "detail": "The task has no tracks: it failed or was cancelled.",
                    "code": "task_without_tracks",
                ])
        }
    }

    @Test func deletedFilesAre404() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask()
            try await server.finishTask(stem: [1])
            let source = try #require(try await server.check(id)["source_id"]?.stringValue)
            _ = try await server.post("/api/v1/delete/", #"{"source_id":"\#(source)"}"#)
            for method in ["GET", "HEAD"] {
                let reply = try await Self.archive(server, id, method: method)
                #expect(reply.status == 404)
                guard method == "GET" else { continue }
                #expect(try reply.json == ["detail": "The files of this task have been deleted."])
            }
        }
    }

    /// An archive that cannot be finished must not look like one that is.
    @Test func whatIsDeletedMeanwhileIsCutShort() async throws {
        try await TestServer.run { server in
            let id = try await server.splitTask()
            // More than sockets hold, so that the server has to wait for its client.
            try await server.finishTask(stem: [UInt8](repeating: 1, count: 24 << 20))
            let connection = try WireConnection(port: server.client.port)
            let head =
                "GET /api/v1/tasks/\(id)/archive.zip HTTP/1.1\r\nHost: localhost\r\n"
                + "X-License-Key: \(server.key)\r\n\r\n"
            try await connection.send(Array(head.utf8))
            try await Task.sleep(for: .milliseconds(500))
            for blob in try await server.blobs.list() { try await server.blobs.delete(blob.key) }
            let reply = try await connection.reply()
            #expect(reply.status == 200)
            let length = try #require(reply["content-length"].flatMap { Int($0) })
            #expect((1..<length).contains(reply.body.count))
        }
    }
}

@Suite struct ZipArchiveTests {
    @Test func checksumsAreThoseOfTheStandard() {
        var checksum = Checksum()
        #expect(checksum.value == 0)
        // The check value of the CRC catalogues; pieces of every length come to the same.
        for piece in ["1", "23456789"] { checksum.update(Array(piece.utf8)) }
        #expect(checksum.value == 0xCBF4_3926)
    }

    /// More than 4 GiB: records at their places in a file with holes, which others read.
    @Test func largeArchivesAreSound() async throws {
        let path = NSTemporaryDirectory() + "partita-zip-\(UUID().uuidString).zip"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let small = Array("after four GiB".utf8)
        let sizes: [Int64] = [0xFFFF_FFFE, 0xFFFF_FFFF, 5 << 30, Int64(small.count)]
        let archive = ZipArchive(
            sizes.enumerated().map { ZipArchive.Entry(name: "\($0).wav", size: $1) },
            modified: Date(timeIntervalSince1970: 1_800_000_000))
        var checksum = Checksum()
        checksum.update(small)
        let checksums = [0, 0, 0, checksum.value]

        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        var end: UInt64 = 0
        for (index, size) in sizes.enumerated() {
            try file.seek(toOffset: end)
            try file.write(contentsOf: archive.header(index, checksum: checksums[index]))
            end = try file.offset() + UInt64(size)
        }
        try file.seek(toOffset: end - UInt64(small.count))
        try file.write(contentsOf: small)
        try file.write(contentsOf: archive.directory(checksums: checksums))
        let length = Int64(try file.offset())
        #expect(length == archive.length)
        try file.close()

        let script = """
            import sys, zipfile
            with zipfile.ZipFile(sys.argv[1]) as archive:
                for entry in archive.infolist():
                    archive.open(entry).close()
                    print(entry.filename, entry.file_size, entry.extract_version, entry.date_time)
                print(archive.read("3.wav").decode())
            """
        let date = "(2027, 1, 15, 8, 0, 0)"
        #expect(
            try await output(of: ["python3", "-c", script, path]).text == """
                0.wav 4294967294 20 \(date)
                1.wav 4294967295 45 \(date)
                2.wav 5368709120 45 \(date)
                3.wav 14 45 \(date)
                after four GiB

                """)
        let tested = try await output(of: ["unzip", "-t", path, "3.wav"])
        #expect([0, 127].contains(tested.status), "\(tested.text)")
    }

    @Test func namesAreSafeAndDifferent() {
        let names = [
            "a.wav", "A.WAV", "a.wav", "/etc/passwd", "..\\x.wav", "..", "", "tab\u{9}.wav",
            "trailing. ", "a (2).wav", "no extension", "no extension", ".hidden", ".hidden",
        ]
        #expect(
            EntryNames.unique(names) == [
                "a.wav", "A (2).WAV", "a (3).wav", "passwd", "x.wav", "track", "track (2)",
                "tab.wav", "trailing", "a (2) (2).wav", "no extension", "no extension (2)",
                "hidden", "hidden (2)",
            ])
    }
}
