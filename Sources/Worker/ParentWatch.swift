import Foundation

/// Ends this process when the one that started it is gone.
public enum ParentWatch {
    /// Waits on a thread of its own for the end of standard input, which the parent holds open. A worker has
    /// nothing to save then: its lease runs out, and the task runs again elsewhere.
    public static func start() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { _exit(0) }
            }
        }
    }
}
