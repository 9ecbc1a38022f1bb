import FileBlobs
import Foundation
import Tasks
import TestSupport
import Testing

@Suite struct FileBlobsTests {
    private let folder: TemporaryFolder
    private let blobs: FileBlobs

    init() throws {
        folder = try TemporaryFolder()
        blobs = try FileBlobs(root: folder.path)
    }

    private func read(_ key: BlobKey, _ range: Range<Int64>) async throws -> [[UInt8]] {
        try await blobs.read(key, range: range).reduce(into: []) { $0.append($1) }
    }

    @Test func aCommittedBlobIsOneFileWithItsBytes() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let writer = try await blobs.makeWriter()
        for start in stride(from: 0, to: bytes.count, by: 70_001) {
            try await writer.write(bytes[start..<min(start + 70_001, bytes.count)])
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: await writer.localFile())) == Data(bytes))
        let key = try await writer.commit()
        await writer.discard()

        #expect(try folder.files() == ["blobs/\(key.rawValue.prefix(2))/\(key.rawValue)"])
        #expect(try await blobs.size(key) == 3_000_000)
        let pieces = try await read(key, 0..<3_000_000)
        #expect(pieces.flatMap(\.self) == bytes)
        #expect(pieces.allSatisfy { $0.count <= 256 * 1024 })
        let middle = try await read(key, 999_999..<1_700_001).flatMap(\.self)
        #expect(middle == Array(bytes[999_999..<1_700_001]))
        #expect(try await read(key, 5..<5).isEmpty)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: await blobs.localFile(key))).count
                == 3_000_000)
        #expect(try await blobs.list().map(\.key) == [key])
    }

    @Test func readingPastTheEndIsAnError() async throws {
        let writer = try await blobs.makeWriter()
        try await writer.write([1, 2, 3])
        let key = try await writer.commit()
        await #expect(throws: FileError.self) { try await read(key, 0..<4) }
    }

    @Test func discardedAndDroppedWritersLeaveNothing() async throws {
        let discarded = try await blobs.makeWriter()
        try await discarded.write([UInt8](repeating: 1, count: 2_000_000))
        #expect(try folder.files().count == 1)
        await discarded.discard()
        #expect(try folder.files() == [])
        await #expect(throws: FileError.self) { try await discarded.commit() }

        var dropped: (any BlobWriter)? = try await blobs.makeWriter()
        try await dropped?.write([UInt8](repeating: 1, count: 2_000_000))
        dropped = nil
        #expect(try folder.files() == [])
    }

    @Test func deletingRemovesTheFileAndIsHarmlessTwice() async throws {
        let writer = try await blobs.makeWriter()
        try await writer.write([1])
        let key = try await writer.commit()
        try await blobs.delete(key)
        try await blobs.delete(key)
        #expect(try folder.files() == [])
        #expect(try await blobs.size(key) == nil)
        await #expect(throws: FileError.self) { try await blobs.localFile(key) }
    }

    @Test func aReaderFinishesAFileThatIsDeletedMeanwhile() async throws {
        let writer = try await blobs.makeWriter()
        try await writer.write([UInt8](repeating: 7, count: 600_000))
        let key = try await writer.commit()
        var iterator = try await blobs.read(key, range: 0..<600_000).makeAsyncIterator()
        var count = try await iterator.next()?.count ?? 0
        try await blobs.delete(key)
        while let piece = try await iterator.next() { count += piece.count }
        #expect(count == 600_000)
    }

    @Test func adoptingMovesAFile() async throws {
        let path = blobs.scratch + "/result.wav"
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
        let key = try await blobs.adopt(file: path)
        #expect(try await read(key, 0..<3) == [[1, 2, 3]])
        #expect(try folder.files().count == 1)
    }

    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: "/dev/shm")))
    func adoptingCopiesFromAnotherFileSystem() async throws {
        let path = "/dev/shm/partita-\(UUID().uuidString)"
        let bytes = Data((0..<700_000).map { UInt8(truncatingIfNeeded: $0) })
        try bytes.write(to: URL(fileURLWithPath: path))
        let key = try await blobs.adopt(file: path)
        #expect(try await Data(read(key, 0..<700_000).flatMap(\.self)) == bytes)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try folder.files().count == 1)
    }

    @Test(arguments: [
        "../../etc/passwd", "", "ab", "ABCDEF0123456789", "abcdefgh/..", "0123456789\0",
    ])
    func keysThatAreNotOursLeadNowhere(name: String) async throws {
        let key = BlobKey(rawValue: name)
        #expect(try await blobs.size(key) == nil)
        await #expect(throws: FileError.self) { try await blobs.read(key, range: 0..<1) }
        await #expect(throws: FileError.self) { try await blobs.delete(key) }
    }

    @Test func aSweepTakesWhatKilledProcessesLeftAndNothingElse() async throws {
        let mine = try await blobs.makeWriter()
        try await mine.write([UInt8](repeating: 1, count: 2_000_000))
        let theirs = blobs.scratch + "/upload-\(BlobKey().rawValue)"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        // Holds the lock as a server does in the middle of an upload.
        process.arguments = ["-c", "exec 9>\"$0\"; flock 9; echo locked; exec sleep 60", theirs]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        _ = output.fileHandleForReading.readData(ofLength: 6)

        #expect(try await blobs.sweepScratch() == 0)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(try await blobs.sweepScratch() == 1)
        #expect(!FileManager.default.fileExists(atPath: theirs))
        #expect(FileManager.default.fileExists(atPath: try await mine.localFile()))
        await mine.discard()
    }

    @Test func aSweepTakesFoldersOfDeadWorkersOnly() async throws {
        let dead = blobs.scratch + "/task-1"
        try FileManager.default.createDirectory(atPath: dead, withIntermediateDirectories: false)
        try Data([1]).write(to: URL(fileURLWithPath: dead + "/a.wav"))
        try await blobs.withScratchFolder { folder in
            try Data([1]).write(to: URL(fileURLWithPath: folder + "/a.wav"))
            #expect(try await self.blobs.sweepScratch() == 1)
            #expect(FileManager.default.fileExists(atPath: folder + "/a.wav"))
        }
        #expect(try folder.files().isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: blobs.scratch).isEmpty)
    }
}
