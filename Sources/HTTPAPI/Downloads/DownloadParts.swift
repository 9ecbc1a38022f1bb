import HTTPTypes

/// What of a file is sent, and what stands between.
struct DownloadParts: Sendable {
    struct Part: Sendable {
        /// Sent before the bytes.
        var head = ""
        let range: Range<Int64>
    }

    let parts: [Part]
    /// Sent after the last part.
    private(set) var end = ""
    let status: HTTPResponse.Status
    /// What the parts change of the headers of the whole file.
    let headers: HTTPFields

    /// The whole file.
    init(size: Int64) {
        parts = [Part(range: 0..<size)]
        status = .ok
        headers = [:]
    }

    /// One part as it is; several as `multipart/byteranges` (RFC 9110, section 14.6).
    ///
    /// - Parameter boundary: Random, so that it stands in no file.
    init(
        ranges: [Range<Int64>], size: Int64, contentType: String,
        boundary: String = RequestIdentifier.make()
    ) {
        func position(_ range: Range<Int64>) -> String {
            "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
        }
        status = .partialContent
        if ranges.count == 1 {
            parts = ranges.map { Part(range: $0) }
            headers = [.contentRange: position(ranges[0])]
        } else {
            parts = ranges.map { range in
                Part(
                    head: "\r\n--\(boundary)\r\nContent-Type: \(contentType)\r\n"
                        + "Content-Range: \(position(range))\r\n\r\n",
                    range: range)
            }
            end = "\r\n--\(boundary)--\r\n"
            headers = [.contentType: "multipart/byteranges; boundary=\(boundary)"]
        }
    }

    /// Bytes of the body.
    var length: Int {
        parts.reduce(end.utf8.count) { $0 + $1.head.utf8.count + $1.range.count }
    }
}
