import Foundation

/// The records of a ZIP file whose entries are stored as they are (PKWARE's APPNOTE.TXT 6.3.10), ZIP64 where
/// sizes, places or counts need it.
///
/// Everything but the checksums is known beforehand, and with it the length of the file.
package struct ZipArchive: Sendable {
    /// One file.
    package struct Entry: Sendable {
        /// A name that is safe to unpack.
        let name: String
        /// Bytes.
        let size: Int64

        package init(name: String, size: Int64) {
            self.name = name
            self.size = size
        }
    }

    package let entries: [Entry]
    /// Where the header of each entry is, and at last where the directory is.
    private let offsets: [Int64]
    private let modified: (time: UInt16, date: UInt16)

    /// - Parameter modified: What all entries are dated, in UTC.
    package init(_ entries: [Entry], modified: Date) {
        self.entries = entries
        self.modified = Self.dosTime(modified)
        offsets = entries.reduce(into: [0]) { offsets, entry in
            let header = 30 + entry.name.utf8.count + (Self.isLarge(entry.size) ? 20 : 0)
            offsets.append(offsets[offsets.count - 1] + Int64(header) + entry.size)
        }
    }

    /// Bytes of the whole file.
    package var length: Int64 {
        let directory = directory(checksums: entries.map { _ in 0 })
        return (offsets.last ?? 0) + Int64(directory.count)
    }

    // MARK: Records

    private static let utf8Names: UInt16 = 1 << 11
    private static let large: UInt32 = .max

    private static func isLarge(_ value: Int64) -> Bool { value >= Int64(large) }

    /// What stands before the bytes of an entry.
    package func header(_ index: Int, checksum: UInt32) -> [UInt8] {
        let entry = entries[index]
        let isLarge = Self.isLarge(entry.size)
        let size = isLarge ? Self.large : UInt32(entry.size)
        var record: [UInt8] = []
        record.append(UInt32(0x0403_4B50))
        appendCommon(to: &record, version: isLarge ? 45 : 20, checksum: checksum, size: size)
        record.append(UInt16(entry.name.utf8.count))
        record.append(UInt16(isLarge ? 20 : 0))
        record += entry.name.utf8
        if isLarge { record.appendExtra([entry.size, entry.size]) }
        return record
    }

    /// What stands after the last entry.
    package func directory(checksums: [UInt32]) -> [UInt8] {
        var records: [UInt8] = []
        for index in entries.indices {
            appendDirectoryEntry(index, checksum: checksums[index], to: &records)
        }
        let start = offsets.last ?? 0
        let size = Int64(records.count)
        let isLarge = Self.isLarge(start) || entries.count >= Int(UInt16.max)
        if isLarge {
            records.append(UInt32(0x0606_4B50))
            records.append(UInt64(44))
            records.append(Self.madeBy)
            records.append(UInt16(45))
            records.append(UInt64(0))
            for value in [Int64(entries.count), Int64(entries.count), size, start] {
                records.append(UInt64(value))
            }
            records.append(UInt32(0x0706_4B50))
            records.append(UInt32(0))
            records.append(UInt64(start + size))
            records.append(UInt32(1))
        }
        let count = isLarge ? UInt16.max : UInt16(entries.count)
        records.append(UInt32(0x0605_4B50))
        records.append(UInt32(0))
        records.append(count)
        records.append(count)
        records.append(isLarge ? Self.large : UInt32(size))
        records.append(isLarge ? Self.large : UInt32(start))
        records.append(UInt16(0))
        return records
    }

    /// Unix, version 4.5: so that the permissions below count.
    private static let madeBy: UInt16 = 3 << 8 | 45

    private func appendDirectoryEntry(
        _ index: Int, checksum: UInt32, to records: inout [UInt8]
    ) {
        let entry = entries[index]
        let isLarge = Self.isLarge(entry.size)
        let isFar = Self.isLarge(offsets[index])
        let extra = (isLarge ? [entry.size, entry.size] : []) + (isFar ? [offsets[index]] : [])
        records.append(UInt32(0x0201_4B50))
        records.append(Self.madeBy)
        appendCommon(
            to: &records, version: extra.isEmpty ? 20 : 45, checksum: checksum,
            size: isLarge ? Self.large : UInt32(entry.size))
        records.append(UInt16(entry.name.utf8.count))
        records.append(UInt16(extra.isEmpty ? 0 : 4 + 8 * extra.count))
        records.append(UInt16(0))
        records.append(UInt32(0))
        // A regular file that its owner may write and others may read.
        records.append(UInt32(0o100644) << 16)
        records.append(isFar ? Self.large : UInt32(offsets[index]))
        records += entry.name.utf8
        if !extra.isEmpty { records.appendExtra(extra) }
    }

    /// The fields that an entry's header and its line in the directory share.
    private func appendCommon(
        to record: inout [UInt8], version: UInt16, checksum: UInt32, size: UInt32
    ) {
        record.append(version)
        record.append(Self.utf8Names)
        record.append(UInt16(0))
        record.append(modified.time)
        record.append(modified.date)
        record.append(checksum)
        record.append(size)
        record.append(size)
    }

    /// Two seconds are the smallest step, 1980 to 2107 the years.
    private static func dosTime(_ date: Date) -> (time: UInt16, date: UInt16) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: date)
        let year = min(max(parts.year ?? 0, 1980), 2107) - 1980
        return (
            UInt16((parts.hour ?? 0) << 11 | (parts.minute ?? 0) << 5 | (parts.second ?? 0) / 2),
            UInt16(year << 9 | (parts.month ?? 1) << 5 | (parts.day ?? 1))
        )
    }
}

extension [UInt8] {
    /// Little-endian, as all of the format is.
    fileprivate mutating func append(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// The ZIP64 extra field: those values that do not fit their places.
    fileprivate mutating func appendExtra(_ values: [Int64]) {
        append(UInt16(1))
        append(UInt16(8 * values.count))
        for value in values { append(value) }
    }
}
