import Foundation
import Synchronization

/// Removes what is half done when the user interrupts the command line.
enum Interrupt {
    private static let folders = Mutex<[String]>([])
    private static let sources = Mutex<[any DispatchSourceSignal]>([])

    /// Removes the folder on SIGINT, SIGTERM and SIGHUP; the program then ends as a shell expects.
    static func cleanUp(_ folder: String) {
        folders.withLock { $0.append(folder) }
        sources.withLock { sources in
            guard sources.isEmpty else { return }
            sources = [SIGINT, SIGTERM, SIGHUP].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler {
                    folders.withLock {
                        $0.forEach { try? FileManager.default.removeItem(atPath: $0) }
                    }
                    _exit(128 + number)
                }
                source.resume()
                return source
            }
        }
    }
}
