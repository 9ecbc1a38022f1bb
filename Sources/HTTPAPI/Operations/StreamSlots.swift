import Foundation
import Synchronization

/// Counts the streams that each license has open.
final class StreamSlots: Sendable {
    let limit: Int
    private let open = Mutex<[UUID: Int]>([:])

    init(limit: Int) { self.limit = limit }

    /// The right to one stream, for as long as it is held: a response that is dropped on whatever way gives
    /// it back.
    final class Slot: Sendable {
        private let slots: StreamSlots
        private let licence: UUID

        fileprivate init(_ slots: StreamSlots, _ licence: UUID) {
            self.slots = slots
            self.licence = licence
        }

        deinit { slots.close(licence) }
    }

    /// - Returns: `nil` where the license has as many open as it may.
    func slot(licence: UUID) -> Slot? {
        let isFree = open.withLock { open in
            guard open[licence, default: 0] < limit else { return false }
            open[licence, default: 0] += 1
            return true
        }
        return isFree ? Slot(self, licence) : nil
    }

    private func close(_ licence: UUID) {
        open.withLock { open in
            let rest = open[licence, default: 1] - 1
            open[licence] = rest > 0 ? rest : nil
        }
    }
}
