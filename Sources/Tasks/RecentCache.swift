import Synchronization

/// Values that were looked up or computed lately. When it is full it starts anew, which does the work once more for each.
package final class RecentCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let values = Mutex<[Key: Value]>([:])
    private let capacity: Int

    package init(capacity: Int) { self.capacity = capacity }

    package subscript(key: Key) -> Value? { values.withLock { $0[key] } }

    package func insert(_ value: Value, for key: Key) {
        values.withLock { values in
            if values.count >= capacity { values.removeAll() }
            values[key] = value
        }
    }
}
