import Foundation

/// Audio that a licence has paid for, in milliseconds: whole numbers, so that sums are exact.
///
/// Each accepted task moves its cost from `available` to `reserved`, and exactly once out of there: it is
/// spent when the task succeeds, and goes back when it fails or is cancelled.
public struct Balance: Sendable, Hashable {
    /// Can be spent.
    public var available: Int64
    /// Belongs to tasks that have not ended.
    public var reserved: Int64

    /// A balance, empty unless told otherwise.
    public init(available: Int64 = 0, reserved: Int64 = 0) {
        self.available = available
        self.reserved = reserved
    }
}

/// Why a balance changed.
public enum LedgerKind: String, Sendable, Codable, CaseIterable {
    /// The operator gave minutes.
    case grant
    /// A task was accepted.
    case reservation
    /// A task succeeded.
    case charge
    /// A task failed or was cancelled.
    case refund

    /// What an entry of this kind changes.
    /// - Parameter amount: Milliseconds, not negative.
    public func change(_ amount: Int64) -> Balance {
        switch self {
        case .grant: Balance(available: amount)
        case .reservation: Balance(available: -amount, reserved: amount)
        case .charge: Balance(reserved: -amount)
        case .refund: Balance(available: amount, reserved: -amount)
        }
    }
}

/// One line of a licence's ledger. Lines are only ever added.
public struct LedgerEntry: Sendable, Hashable {
    /// Why.
    public let kind: LedgerKind
    /// For what; `nil` for grants.
    public let task: UUID?
    /// What changed.
    public let change: Balance
    /// The balance with this line.
    public let after: Balance
    /// When.
    public let created: Date

    /// Made by stores.
    public init(kind: LedgerKind, task: UUID?, change: Balance, after: Balance, created: Date) {
        self.kind = kind
        self.task = task
        self.change = change
        self.after = after
        self.created = created
    }
}
