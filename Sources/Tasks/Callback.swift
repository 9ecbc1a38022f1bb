/// Word of a task's end that somebody waits for.
public struct Callback: Sendable, Hashable {
    /// Where it goes.
    public let url: String
    /// What the receiver knows it by: ``Licence/keyHash`` of the task's licence.
    public let secret: String
    /// What ended.
    public let task: SplitTask
    /// How often it was tried in vain.
    public let attempts: Int

    /// Made by stores.
    public init(url: String, secret: String, task: SplitTask, attempts: Int) {
        self.url = url
        self.secret = secret
        self.task = task
        self.attempts = attempts
    }
}
