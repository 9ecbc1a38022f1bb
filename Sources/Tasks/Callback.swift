/// Word of a task's end that somebody waits for.
public struct Callback: Sendable, Hashable {
    /// Where it goes.
    public let url: String
    /// What ended.
    public let task: SplitTask
    /// How often it was tried in vain.
    public let attempts: Int

    /// Made by stores.
    public init(url: String, task: SplitTask, attempts: Int) {
        self.url = url
        self.task = task
        self.attempts = attempts
    }
}
