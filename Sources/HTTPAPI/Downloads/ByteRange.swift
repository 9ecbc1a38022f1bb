/// What a `Range` header asks of something with a known size (RFC 9110, section 14).
package enum ByteRange: Sendable, Hashable {
    /// Everything: no range, one that is not understood, or more than ``maximumCount`` of them.
    case full
    /// In the order of the request. Those that overlap or nearly touch have become one.
    case parts([Range<Int64>])
    /// Nothing of what is asked for is there.
    case unsatisfiable

    /// Players and download managers ask for a handful; who asks for hundreds wants to cost us something.
    package static let maximumCount = 16
    /// Bytes between two parts that are cheaper to send than the head of a part.
    private static let gap: Int64 = 80

    package init(_ header: String?, size: Int64) {
        self = .full
        guard let header, header.lowercased().hasPrefix("bytes=") else { return }
        let wanted = header.dropFirst("bytes=".count).filter { !$0.isWhitespace }
            .split(separator: ",")
        guard (1...Self.maximumCount).contains(wanted.count) else { return }
        var parts: [Range<Int64>] = []
        for specification in wanted {
            guard let range = Self.range(specification, size: size) else { return }
            if !range.isEmpty { Self.merge(range, into: &parts) }
        }
        self = parts.isEmpty ? .unsatisfiable : .parts(parts)
    }

    /// - Returns: `nil` where the text is not understood; empty where nothing of the range is there.
    private static func range(_ text: some StringProtocol, size: Int64) -> Range<Int64>? {
        let bounds = text.split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2 else { return nil }
        switch (number(bounds[0]), number(bounds[1])) {
        case (let first?, let last?):
            return first <= last ? min(first, size)..<min(last, size - 1) + 1 : nil
        case (let first?, nil) where bounds[1].isEmpty: return min(first, size)..<size
        case (nil, let length?) where bounds[0].isEmpty: return max(0, size - length)..<size
        default: return nil
        }
    }

    private static func merge(_ range: Range<Int64>, into parts: inout [Range<Int64>]) {
        var merged = range
        var place = parts.count
        while let index = parts.firstIndex(where: {
            $0.lowerBound <= merged.upperBound + gap && merged.lowerBound <= $0.upperBound + gap
        }) {
            let part = parts.remove(at: index)
            merged =
                min(part.lowerBound, merged.lowerBound)..<max(part.upperBound, merged.upperBound)
            place = min(place, index)
        }
        parts.insert(merged, at: place)
    }

    /// Digits only; more of them than any file has bytes count as very many.
    private static func number(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text) ?? .max
    }
}
