import Foundation
import HTTPTypes
import Synchronization

/// How many requests are answered in a minute; 0: any number.
public struct RateLimits: Sendable, Hashable {
    /// `check`, for a licence.
    public var check = 30
    /// `upload`, for a licence.
    public var upload = 0
    /// Operations that start tasks, for a licence. A batch is one request.
    public var start = 0
    /// All other operations that need a key, for a licence.
    public var other = 0
    /// Requests with a key that is not known, for an address. A known key is answered in any case.
    public var failedKeys = 30

    /// The limits of the published API.
    public init() {}
}

/// Counts requests by the minutes of the clock, in this process.
final class RateLimiter: Sendable {
    /// The limits, by name.
    enum Limit: Sendable {
        case check, upload, start, other, failedKeys
    }

    /// What is counted, and for whom: each pair for itself.
    private struct Subject: Hashable {
        let what: Limit
        let whose: String
    }

    /// Where a subject stands after a request.
    struct Standing: Sendable, Hashable {
        let limit: Int
        let remaining: Int
        /// Seconds until the count starts again.
        let reset: Int
        let isAllowed: Bool

        /// The headers of the IETF draft "RateLimit header fields for HTTP", version 06.
        var headers: HTTPFields {
            var headers: HTTPFields = [
                .name("RateLimit-Limit"): "\(limit)",
                .name("RateLimit-Remaining"): "\(remaining)",
                .name("RateLimit-Reset"): "\(reset)",
            ]
            if !isAllowed { headers[.retryAfter] = "\(reset)" }
            return headers
        }
    }

    private struct Minute {
        var number = 0
        var counts: [Subject: Int] = [:]
    }

    private let limits: RateLimits
    private let minute = Mutex(Minute())

    init(limits: RateLimits) { self.limits = limits }

    /// Counts a request.
    /// - Parameter whose: The id of a licence, or an address.
    /// - Returns: `nil` where there is no limit.
    func count(_ what: Limit, of whose: String, at now: Date) -> Standing? {
        let limit =
            switch what {
            case .check: limits.check
            case .upload: limits.upload
            case .start: limits.start
            case .other: limits.other
            case .failedKeys: limits.failedKeys
            }
        guard limit > 0 else { return nil }
        let subject = Subject(what: what, whose: whose)
        let seconds = Int(now.timeIntervalSince1970)
        let count = minute.withLock { minute in
            if minute.number != seconds / 60 { minute = Minute(number: seconds / 60) }
            minute.counts[subject, default: 0] += 1
            return minute.counts[subject] ?? 0
        }
        return Standing(
            limit: limit, remaining: max(0, limit - count), reset: 60 - seconds % 60,
            isAllowed: count <= limit)
    }
}
