/// What a `Range` header asks of something with a known size (RFC 9110, section 14).
package enum ByteRange: Sendable, Hashable {
    /// Everything: no range, one that is not understood, or several. A server may answer those in
    /// full, and the files here are streamed by ranges one at a time in practice.
    case full
    case part(Range<Int64>)
    /// Nothing of what is asked for is there.
    case unsatisfiable

    package init(_ header: String?, size: Int64) {
        self = .full
        guard let header, header.lowercased().hasPrefix("bytes=") else { return }
        let specification = header.dropFirst("bytes=".count).filter { !$0.isWhitespace }
        let bounds = specification.split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2 else { return }
        switch (Self.number(bounds[0]), Self.number(bounds[1])) {
        case (let first?, let last?):
            guard first <= last else { return }
            self = first < size ? .part(first..<min(last, size - 1) + 1) : .unsatisfiable
        case (let first?, nil) where bounds[1].isEmpty:
            self = first < size ? .part(first..<size) : .unsatisfiable
        case (nil, let length?) where bounds[0].isEmpty:
            self = length > 0 && size > 0 ? .part(max(0, size - length)..<size) : .unsatisfiable
        default: return
        }
    }

    /// Digits only; more of them than any file has bytes count as very many.
    private static func number(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text) ?? .max
    }
}
