/// An address that is told when a task has ended.
public enum CallbackURL {
    /// What an address must match in full: HTTP or HTTPS, a host, perhaps a port and what follows, up to 1800
    /// characters. No credentials, no spaces, no fragment.
    public static let pattern =
        #"^https?://([A-Za-z0-9]([A-Za-z0-9._-]{0,250}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"#
        + #"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"#
        + #"([/?][!$-~]{0,1800})?$"#

    /// Whether a text is such an address.
    public static func isValid(_ text: String) -> Bool {
        (try? expression.wholeMatch(in: text)) != nil
    }

    private static var expression: Regex<AnyRegexOutput> {
        get throws { try Regex(pattern) }
    }
}
