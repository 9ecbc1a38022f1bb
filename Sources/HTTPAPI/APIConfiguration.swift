/// What an operator can set about the HTTP side.
public struct APIConfiguration: Sendable, Hashable {
    /// The address to listen on: a name or an IP address.
    public var host: String
    /// The port to listen on; 0 takes a free one.
    public var port: Int
    /// What links in answers start with: `https://stems.example.org`.
    /// `nil`: `http://` and what the client put in `Host`.
    public var publicURL: String?
    /// Origins whose pages may use the server, as browsers send them. `*`: any.
    public var allowedOrigins: [String]
    /// Bytes of one upload.
    public var maximumUploadSize: Int64
    /// Seconds for which a download link is good, at least.
    public var linkLifetime: Int
    /// Seconds after which a connection is closed on which a client neither sends nor waits.
    public var idleTimeout: Int
    /// Tasks that a license may follow at once (`/api/v1/tasks/{task_id}/events`).
    public var maximumEventStreams = 20
    /// Seconds after which a stream of events says that it is still there.
    public var heartbeat = 15
    /// How many requests are answered.
    public var rateLimits = RateLimits()

    /// The defaults: this machine only, 10 GiB uploads, links good for a day.
    public init(
        host: String = "127.0.0.1", port: Int = 8080, publicURL: String? = nil,
        allowedOrigins: [String] = ["*"], maximumUploadSize: Int64 = 10 << 30,
        linkLifetime: Int = 24 * 3600, idleTimeout: Int = 120
    ) {
        self.host = host
        self.port = port
        self.publicURL = publicURL
        self.allowedOrigins = allowedOrigins
        self.maximumUploadSize = maximumUploadSize
        self.linkLifetime = linkLifetime
        self.idleTimeout = idleTimeout
    }
}
