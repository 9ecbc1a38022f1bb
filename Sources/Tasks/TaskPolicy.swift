/// How long things live, in seconds.
public struct TaskPolicy: Sendable, Hashable {
    /// From the upload until the source can no longer be used.
    public var sourceLifetime: Double
    /// From the creation of a task until it can no longer be checked.
    public var taskVisibility: Double
    /// Files of an expired source stay this long after its last task has ended, so that results can be fetched.
    public var trackGrace: Double
    /// From the removal of a source's files until what is recorded of it and its tasks goes too.
    public var recordLifetime: Double

    /// The lifetimes of the published API: a day for sources and tasks; then an hour to fetch what was late,
    /// and thirty days of records.
    public init(
        sourceLifetime: Double = 24 * 3600, taskVisibility: Double = 24 * 3600,
        trackGrace: Double = 3600, recordLifetime: Double = 30 * 24 * 3600
    ) {
        self.sourceLifetime = sourceLifetime
        self.taskVisibility = taskVisibility
        self.trackGrace = trackGrace
        self.recordLifetime = recordLifetime
    }
}
