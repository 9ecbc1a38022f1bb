import Inference

/// Which networks of a recording have been started and not waited for, the oldest first.
///
/// Each is waited for when the two after it have been started, or the second one after it of the same network is to be: so networks
/// have work while results are used, and little has to be kept meanwhile. What a frame's masks are does not depend on it.
final class RunOrder {
    private var waiting: [MaskStream] = []

    func started(_ stream: MaskStream) throws(ModelError) {
        waiting.append(stream)
        if waiting.count > 2 { try collect() }
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
