import Foundation
import Synchronization

/// Shows on standard error how far a file is: a bar with the time left on a terminal, one line elsewhere.
final class ProgressBar: Sendable {
    private let title: String
    private let isTerminal: Bool
    private let isHidden: Bool
    private let began = ContinuousClock.now
    private let shown = Mutex(-1)

    init(title: String, isHidden: Bool) {
        self.title = title
        self.isHidden = isHidden
        isTerminal = isatty(STDERR_FILENO) == 1
    }

    /// - Parameter fraction: 0…1.
    func update(_ fraction: Double) {
        guard isTerminal, !isHidden else { return }
        let percent = Int(fraction * 100)
        let isNew = shown.withLock { last in
            defer { last = max(last, percent) }
            return percent > last
        }
        guard isNew else { return }
        let elapsed = began.duration(to: .now) / .seconds(1)
        let left = fraction > 0.05 ? " \(Self.time(elapsed * (1 - fraction) / fraction)) left" : ""
        let filled = String(repeating: "█", count: percent * 30 / 100)
        let bar = filled.padding(toLength: 30, withPad: "░", startingAt: 0)
        write("\r\u{1B}[K\(title) \(bar) \(percent) %\(left)")
    }

    /// - Parameter summary: The last line; `nil` removes the bar.
    func finish(_ summary: String?) {
        guard !isHidden else { return }
        if isTerminal { write("\r\u{1B}[K") }
        if let summary { write("\(title): \(summary)\n") }
    }

    private func write(_ text: String) { Output.note(text) }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return whole >= 3600
            ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
            : String(format: "%d:%02d", whole / 60, whole % 60)
    }
}
