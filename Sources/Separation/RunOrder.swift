import Inference

/// Which networks have been started and not waited for, in the order of the runtime's queue.
///
/// Each is waited for when the next has been started: so the queue has work while results are used, and little has to be
/// kept meanwhile. What a frame's masks are does not depend on it.
final class RunOrder {
    private var waiting: [MaskStream] = []

    func started(_ stream: MaskStream) throws(ModelError) {
        waiting.append(stream)
        if waiting.count > 1 { try collect() }
    }

    /// Waits for the oldest.
    /// - Returns: `false` where there is none.
    @discardableResult
    func collect() throws(ModelError) -> Bool {
        if waiting.isEmpty { return false }
        try waiting.removeFirst().collect()
        return true
    }
}
