import ArgumentParser
import HTTPAPI

/// How many requests `serve` answers in a minute.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Requests to check that a license may make in a minute, 0 for any number "
                + "(PARTITA_CHECK_LIMIT; default 30)."))
    var checkLimit: Int?

    @Option(
        help: "Uploads that a license may make in a minute (PARTITA_UPLOAD_LIMIT; default any).")
    var uploadLimit: Int?

    @Option(
        help:
            "Requests for tasks that a license may make in a minute (PARTITA_START_LIMIT; default any)."
    )
    var startLimit: Int?

    @Option(
        help:
            "Other requests that a license may make in a minute (PARTITA_OTHER_LIMIT; default any)."
    )
    var otherLimit: Int?

    @Option(
        help: ArgumentHelp(
            "Requests with unknown keys that an address may make in a minute, 0 for any number "
                + "(PARTITA_FAILED_KEY_LIMIT; default 30)."))
    var failedKeyLimit: Int?

    func limits(_ settings: Settings) throws -> RateLimits {
        var limits = RateLimits()
        let range = 0...1_000_000_000
        limits.check = try settings.int(
            checkLimit, "checkLimit", default: limits.check, in: range)
        limits.upload = try settings.int(
            uploadLimit, "uploadLimit", default: limits.upload, in: range)
        limits.start = try settings.int(
            startLimit, "startLimit", default: limits.start, in: range)
        limits.other = try settings.int(
            otherLimit, "otherLimit", default: limits.other, in: range)
        limits.failedKeys = try settings.int(
            failedKeyLimit, "failedKeyLimit", default: limits.failedKeys, in: range)
        return limits
    }
}
