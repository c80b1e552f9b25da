public import Classroom
public import Ledger

/// Lets go of recordings that nobody keeps: first their owner is told, a week later they are taken off the disk.
///
/// The ledger holds what was told and done, so that a sweep may be interrupted and run again, and two of them do
/// nothing twice.
public struct ExpirySweep: Sendable {
  private static let day: Int64 = 86_400_000

  private let store: LedgerStore
  private let days: Int
  private let isKept: @Sendable (Identifier) throws -> Bool

  /// - Parameters:
  ///   - unreviewedDays: from the latest file of a lesson on, at least `FileExpiry.noticeDays`.
  ///   - isKept: whether somebody keeps a lesson's files; by its events where nothing else is said.
  public init(
    store: LedgerStore, unreviewedDays: Int, isKept: (@Sendable (Identifier) throws -> Bool)? = nil
  ) {
    self.store = store
    days = max(unreviewedDays, FileExpiry.noticeDays)
    self.isKept = isKept ?? { try store.isKept($0) }
  }

  /// Lessons whose files will go, in the order they go; changes nothing. At most 1,000.
  public func due(now: Int64) throws -> [(expiry: FileExpiry, at: Int64)] {
    let moment = now - Int64(days - FileExpiry.noticeDays) * Self.day
    return try store.filesMade(before: moment).filter { try !isKept($0.lesson) }
      .map { ($0, $0.expiresAt(unreviewedDays: days, now: now)) }.sorted { $0.1 < $1.1 }
  }

  /// Tells and lets go what is due, and returns how many lessons of each. Throws what the ledger throws; what was done
  /// before stays done.
  public func run(now: Int64) throws -> (noticed: Int, expired: Int) {
    var done = (noticed: 0, expired: 0)
    for (expiry, at) in try due(now: now) {
      guard expiry.noticedAt != nil else {
        try store.append(
          LedgerEvent(
            kind: .resourceExpiring, lesson: expiry.lesson,
            payload: [("expiresAt", String(at)), ("bytes", String(expiry.byteCount))]))
        done.noticed += 1
        continue
      }
      guard at <= now else { continue }
      try store.expireFiles(
        of: expiry.lesson,
        events: [
          LedgerEvent(
            kind: .resourceExpired, lesson: expiry.lesson,
            payload: [("files", String(expiry.files)), ("bytes", String(expiry.byteCount))])
        ])
      done.expired += 1
    }
    return done
  }
}
