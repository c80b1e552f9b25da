public import Classroom
internal import GRDB

/// When failed tries close a door, and for how long.
public struct LockoutPolicy: Hashable, Sendable {
  /// Failures within `window` that close it.
  public var limit: Int
  /// Milliseconds from the first failure counted.
  public var window: Int64
  /// Milliseconds that it stays closed.
  public var lock: Int64

  public init(limit: Int, window: Int64, lock: Int64) {
    self.limit = limit
    self.window = window
    self.lock = lock
  }
}

/// A person's second factor, a shared secret of RFC 6238.
public struct SecondFactor: Hashable, Sendable {
  /// 16 bytes or more.
  public var secret: [UInt8]
  /// Whether a code of it has been accepted once.
  public var isConfirmed: Bool
  /// The latest time step a code was accepted for; none of it or before is accepted again.
  public var lastStep: Int64
}

extension LedgerStore {
  /// Addresses and accounts whose failures are counted at once. Past it the oldest are forgotten: that helps only who
  /// has as many addresses to try from.
  public static let failureLimit = 10_000

  /// Counts a failure of `key` (1…200 scalars, such as `address:192.0.2.7`) and returns until when it is locked, UTC
  /// milliseconds, or nil. Durable, so that a restart opens nothing.
  @discardableResult
  public func countFailure(_ key: String, _ policy: LockoutPolicy) throws -> Int64? {
    try Limits.checkName(key)
    let now = clock()
    return try write { db in
      var count = 1
      var since = now
      let found = try Row.fetchOne(
        db, sql: "SELECT count, since, lockedUntil FROM failures WHERE subject = ?", arguments: [key])
      if let row = found {
        let lockedUntil: Int64 = try RowReading.value(row, "lockedUntil")
        if lockedUntil > now { return lockedUntil }
        let begun: Int64 = try RowReading.value(row, "since")
        // A clock set back starts a new window rather than one without end.
        if (0..<policy.window).contains(now - begun) {
          count = try RowReading.value(row, "count") + 1
          since = begun
        }
      } else {
        try Self.makeRoom(db)
      }
      let isLocked = count >= policy.limit
      let lockedUntil = isLocked ? now + policy.lock : 0
      try db.execute(
        sql: "INSERT OR REPLACE INTO failures (subject, count, since, lockedUntil) VALUES (?, ?, ?, ?)",
        arguments: [key, isLocked ? 0 : count, since, lockedUntil])
      return isLocked ? lockedUntil : nil
    }
  }

  private static func makeRoom(_ db: Database) throws {
    let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM failures") ?? 0
    guard count >= failureLimit else { return }
    try db.execute(
      sql: """
        DELETE FROM failures WHERE subject IN
          (SELECT subject FROM failures ORDER BY max(since, lockedUntil) LIMIT ?)
        """, arguments: [count - failureLimit + 1])
  }

  /// Until when `key` is locked, UTC milliseconds; nil when it is not.
  public func lockedUntil(_ key: String) throws -> Int64? {
    let now = clock()
    return try read { db in
      let time = try Int64.fetchOne(db, sql: "SELECT lockedUntil FROM failures WHERE subject = ?", arguments: [key])
      return time.flatMap { $0 > now ? $0 : nil }
    }
  }

  /// Forgets the failures of `key`: it has succeeded, or somebody unlocked it.
  public func clearFailures(_ key: String) throws {
    try write { try $0.execute(sql: "DELETE FROM failures WHERE subject = ?", arguments: [key]) }
  }

  /// The end of a lock that somebody set by hand: 31 December 9999, UTC milliseconds.
  public static let lockedForGood: Int64 = 253_402_214_400_000

  /// Locks `key` until somebody takes the lock away.
  public func lock(_ key: String) throws {
    try Limits.checkName(key)
    let now = clock()
    try write { db in
      try db.execute(
        sql: "INSERT OR REPLACE INTO failures (subject, count, since, lockedUntil) VALUES (?, 0, ?, ?)",
        arguments: [key, now, Self.lockedForGood])
    }
  }

  // MARK: Second factors

  public func secondFactor(of subject: Identifier) throws -> SecondFactor? {
    try read { db in
      let found = try Row.fetchOne(
        db, sql: "SELECT secret, isConfirmed, lastStep FROM secondFactors WHERE subject = ?",
        arguments: [subject.databaseValue])
      guard let row = found else { return nil }
      return SecondFactor(
        secret: try RowReading.bytes(row, "secret"), isConfirmed: try RowReading.value(row, "isConfirmed"),
        lastStep: try RowReading.value(row, "lastStep"))
    }
  }

  /// Keeps a new secret in the place of one that was never confirmed. Throws `immutable` when one is confirmed: it has
  /// to be removed first.
  public func setSecondFactor(of subject: Identifier, secret: [UInt8]) throws {
    guard (16...64).contains(secret.count) else { throw ClassroomError.badRange }
    try write { db in
      let isConfirmed = try Bool.fetchOne(
        db, sql: "SELECT isConfirmed FROM secondFactors WHERE subject = ?", arguments: [subject.databaseValue])
      guard isConfirmed != true else { throw LedgerError.immutable }
      try db.execute(
        sql: "INSERT OR REPLACE INTO secondFactors (subject, secret) VALUES (?, ?)",
        arguments: [subject.databaseValue, secret.databaseValue])
    }
  }

  /// Takes a time step: false when it, or a later one, was taken before. Of several callers at once one gets it. The
  /// first step taken confirms the secret.
  public func takeStep(_ step: Int64, of subject: Identifier) throws -> Bool {
    try write { db in
      try db.execute(
        sql: "UPDATE secondFactors SET lastStep = ?1, isConfirmed = 1 WHERE subject = ?2 AND lastStep < ?1",
        arguments: [step, subject.databaseValue])
      return db.changesCount == 1
    }
  }

  /// Takes a second factor away, for somebody who has lost it; `notFound` when there is none.
  public func removeSecondFactor(of subject: Identifier) throws {
    try write { db in
      try db.execute(sql: "DELETE FROM secondFactors WHERE subject = ?", arguments: [subject.databaseValue])
      guard db.changesCount == 1 else { throw LedgerError.notFound }
    }
  }
}
