import Foundation
import Synchronization

/// A WAV file of one or two channels of 24-bit integers, as it is written.
///
/// The header is that of Microsoft's *Multiple channel audio data and WAVE files* (2001); over 4 GiB the file becomes one of
/// RF64 (EBU Tech 3306), in place, at its end. Tags are a `LIST` of the type `INFO` (*Multimedia Programming
/// Interface and Data Specifications 1.0*, 1991), in UTF-8 as ffmpeg writes and reads them.
final class WAVFile: Sendable {
    private let file: FileHandle
    private let header: Int
    private let frame: Int
    /// Bytes that the file may have.
    private let limit: Int
    private let length = Mutex(0)

    /// - Parameter path: Is overwritten.
    init(_ path: String, sampleRate: Int, channels: Int, tags: [Tag], limit: Int) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        frame = 3 * channels
        self.limit = limit
        var bytes = Data("RIFF----WAVEJUNK".utf8)
        // Room for the sizes of RF64.
        bytes.append(integer: UInt32(28))
        bytes.append(Data(count: 28))
        bytes.append(Data("fmt ".utf8))
        bytes.append(integer: UInt32(40))
        bytes.append(integer: UInt16(0xFFFE))
        bytes.append(integer: UInt16(channels))
        bytes.append(integer: UInt32(sampleRate))
        bytes.append(integer: UInt32(sampleRate * frame))
        bytes.append(integer: UInt16(frame))
        bytes.append(integer: UInt16(24))
        bytes.append(integer: UInt16(22))
        bytes.append(integer: UInt16(24))
        // In front of the listener, or left and right.
        bytes.append(integer: UInt32(channels == 1 ? 0x4 : 0x3))
        // Integers.
        bytes.append(contentsOf: [1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71])
        bytes.append(WAVFile.list(tags))
        bytes.append(Data("data----".utf8))
        header = bytes.count
        try file.write(contentsOf: bytes)
    }

    /// Adds whole frames.
    func write(_ bytes: [UInt8]) throws {
        let total = length.withLock { length in
            length += bytes.count
            return length
        }
        if header + total > limit { throw POSIXError(.EFBIG) }
        try file.write(contentsOf: bytes)
    }

    /// Says in the header how much there is.
    func finish() throws {
        let length = length.withLock { $0 }
        if length % 2 == 1 { try file.write(contentsOf: [0]) }
        let whole = header - 8 + length + length % 2
        if whole <= UInt32.max {
            try write(UInt32(whole), at: 4)
            try write(UInt32(length), at: header - 4)
        } else {
            var sizes = Data("ds64".utf8)
            sizes.append(integer: UInt32(28))
            sizes.append(integer: UInt64(whole))
            sizes.append(integer: UInt64(length))
            sizes.append(integer: UInt64(length / frame))
            try file.seek(toOffset: 0)
            try file.write(contentsOf: Data("RF64".utf8))
            try write(UInt32.max, at: 4)
            try file.seek(toOffset: 12)
            try file.write(contentsOf: sizes)
            try write(UInt32.max, at: header - 4)
        }
        try file.close()
    }

    private func write(_ value: UInt32, at offset: Int) throws {
        var bytes = Data()
        bytes.append(integer: value)
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: bytes)
    }

    /// The chunk of tags; nothing without any that it has a name for.
    private static func list(_ tags: [Tag]) -> Data {
        var entries = Data()
        for tag in tags {
            guard let name = names[tag.key.lowercased()] else { continue }
            let value = Data(tag.value.utf8) + [0]
            entries.append(Data(name.utf8))
            entries.append(integer: UInt32(value.count))
            entries.append(value)
            if value.count % 2 == 1 { entries.append(integer: 0 as UInt8) }
        }
        if entries.isEmpty { return Data() }
        var list = Data("LIST".utf8)
        list.append(integer: UInt32(4 + entries.count))
        return list + Data("INFO".utf8) + entries
    }

    /// By ffmpeg's names.
    private static let names = [
        "album": "IPRD", "artist": "IART", "comment": "ICMT", "copyright": "ICOP", "date": "ICRD",
        "genre": "IGNR", "language": "ILNG", "title": "INAM", "track": "IPRT",
    ]
}

extension Data {
    /// Adds an integer, the lowest byte first.
    fileprivate mutating func append(integer value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
