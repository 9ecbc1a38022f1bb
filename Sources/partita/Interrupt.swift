import Foundation
import Synchronization

/// Removes what is half done when the user interrupts the command line.
enum Interrupt {
    private static func address(_ handler: __sighandler_t?) -> Int {
        unsafeBitCast(handler, to: Int.self)
    }

    private static let folders = Mutex<[String]>([])
    private static let sources = Mutex<[any DispatchSourceSignal]>([])

    /// Removes the folder on SIGINT, SIGTERM and SIGHUP; the program then ends as a shell expects.
    static func cleanUp(_ folder: String) {
        folders.withLock { $0.append(folder) }
        sources.withLock { sources in
            guard sources.isEmpty else { return }
            sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number in
                // What was ignored from the start stays so, as under `nohup`.
                var before = sigaction()
                sigaction(number, nil, &before)
                if address(before.__sigaction_handler.sa_handler) == address(SIG_IGN) { return nil }
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler {
                    folders.withLock {
                        $0.forEach { try? FileManager.default.removeItem(atPath: $0) }
                    }
                    // A shell's loop ends with a program that died of the signal.
                    signal(number, SIG_DFL)
                    kill(getpid(), number)
                }
                source.resume()
                return source
            }
        }
    }
}
