/// How long things live, in seconds.
public struct TaskPolicy: Sendable, Hashable {
    /// From the upload until the source is gone.
    public var sourceLifetime: Double
    /// From the creation of a task until it can no longer be checked.
    public var taskVisibility: Double

    /// The lifetimes of the published API: a day each, unless told otherwise.
    public init(sourceLifetime: Double = 24 * 3600, taskVisibility: Double = 24 * 3600) {
        self.sourceLifetime = sourceLifetime
        self.taskVisibility = taskVisibility
    }
}
