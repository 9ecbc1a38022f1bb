import ArgumentParser
import Configuration
import Tasks

/// How long `serve` keeps things.
struct LifetimeOptions: ParsableArguments {
    @Option(
        help: "Seconds for which an upload can be used (PARTITA_SOURCE_LIFETIME; default a day).")
    var sourceLifetime: Int?

    @Option(
        help: "Seconds for which a task can be checked (PARTITA_TASK_LIFETIME; default a day).")
    var taskLifetime: Int?

    @Option(
        help: ArgumentHelp(
            "Seconds for which results stay at least, when the upload has expired meanwhile "
                + "(PARTITA_TRACK_GRACE; default an hour)."))
    var trackGrace: Int?

    @Option(
        help: ArgumentHelp(
            "Seconds for which records of removed files are kept (PARTITA_RECORD_LIFETIME; "
                + "default 30 days)."))
    var recordLifetime: Int?

    func policy(_ settings: Settings) throws -> TaskPolicy {
        let standard = TaskPolicy()
        func seconds(_ flag: Int?, _ key: ConfigKey, _ value: Double) throws -> Double {
            Double(
                try settings.int(
                    flag, key, default: Int(value), in: 0...10 * 366 * 24 * 3600))
        }
        return TaskPolicy(
            sourceLifetime: try seconds(
                sourceLifetime, "sourceLifetime", standard.sourceLifetime),
            taskVisibility: try seconds(taskLifetime, "taskLifetime", standard.taskVisibility),
            trackGrace: try seconds(trackGrace, "trackGrace", standard.trackGrace),
            recordLifetime: try seconds(
                recordLifetime, "recordLifetime", standard.recordLifetime))
    }
}
