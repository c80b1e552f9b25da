public import Classroom
internal import GRDB

/// A link or code that lets somebody in once. Only its hash is kept.
public struct OneTimeCode: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A person's way in; `subject` is the person.
    case signIn
    /// A device's enrolment by a link; `subject` is the room.
    case deviceLink
    /// A device's enrolment by 6 digits; `subject` is the room.
    case deviceDigits
    /// A person's way in at a terminal, taken from a page where the person is signed in; `subject` is the person.
    case terminal
    /// The same from a session that had a second factor.
    case terminalVerified
  }

  /// 32 bytes.
  public var hash: [UInt8]
  public var kind: Kind
  public var subject: Identifier
  /// The school of the room.
  public var institution: Identifier?
  /// UTC milliseconds.
  public var expires: Int64
  /// Failed tries at what has to come with it, such as a second factor.
  public var attempts: Int

  public init(
    hash: [UInt8], kind: Kind, subject: Identifier, institution: Identifier? = nil, expires: Int64, attempts: Int = 0
  ) {
    self.hash = hash
    self.kind = kind
    self.subject = subject
    self.institution = institution
    self.expires = expires
    self.attempts = attempts
  }
}

extension LedgerStore {
  public static let oneTimeCodeLimit = 100_000
  /// Codes of 6 digits that one school may have open: they bound what a guess is worth.
  public static let digitCodesPerInstitution = 20
  /// Links and codes that one person or room may have open besides.
  public static let codesPerSubject = 10

  /// Keeps a code. Those that have expired are let go first; throws `full` at the limits, `alreadyExists` when a code
  /// with this hash is open.
  public func put(_ code: OneTimeCode) throws {
    guard code.hash.count == 32 else { throw ClassroomError.badRange }
    let now = clock()
    try write { db in
      try db.execute(sql: "DELETE FROM oneTimeCodes WHERE expires <= ?", arguments: [now])
      let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM oneTimeCodes") ?? 0
      guard count < Self.oneTimeCodeLimit else { throw LedgerError.full }
      if code.kind == .deviceDigits {
        let open = try Int.fetchOne(
          db, sql: "SELECT COUNT(*) FROM oneTimeCodes WHERE kind = ? AND institution = ? AND usedAt IS NULL",
          arguments: [code.kind.rawValue, code.institution.map(\.databaseValue) ?? .null])
        guard open ?? 0 < Self.digitCodesPerInstitution else { throw LedgerError.full }
      } else {
        let open = try Int.fetchOne(
          db, sql: "SELECT COUNT(*) FROM oneTimeCodes WHERE kind = ? AND subject = ? AND usedAt IS NULL",
          arguments: [code.kind.rawValue, code.subject.databaseValue])
        guard open ?? 0 < Self.codesPerSubject else { throw LedgerError.full }
      }
      let isTaken = try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM oneTimeCodes WHERE hash = ?)", arguments: [code.hash.databaseValue])
      guard isTaken != true else { throw LedgerError.alreadyExists }
      try db.execute(
        sql: """
          INSERT INTO oneTimeCodes (hash, kind, subject, institution, madeAt, expires) VALUES (?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          code.hash.databaseValue, code.kind.rawValue, code.subject.databaseValue,
          code.institution.map(\.databaseValue) ?? .null, now, code.expires,
        ])
    }
  }

  /// The open code with this hash; nil for one that is not there, has been used or has expired.
  public func openCode(_ hash: [UInt8]) throws -> OneTimeCode? {
    let now = clock()
    return try read { try Self.open($0, hash, now) }
  }

  /// Uses a code up: of several callers at once exactly one gets it.
  public func takeCode(_ hash: [UInt8]) throws -> OneTimeCode? {
    let now = clock()
    return try write { db in
      guard let code = try Self.open(db, hash, now) else { return nil }
      try db.execute(
        sql: "UPDATE oneTimeCodes SET usedAt = ? WHERE hash = ?", arguments: [now, hash.databaseValue])
      return code
    }
  }

  /// Counts a failed try at what has to come with a code, and uses it up at the `limit`-th.
  public func countAttempt(at hash: [UInt8], limit: Int) throws {
    let now = clock()
    try write { db in
      try db.execute(
        sql: """
          UPDATE oneTimeCodes SET attempts = attempts + 1,
            usedAt = CASE WHEN attempts + 1 >= ?1 THEN ?2 ELSE usedAt END WHERE hash = ?3
          """, arguments: [limit, now, hash.databaseValue])
    }
  }

  private static func open(_ db: Database, _ hash: [UInt8], _ now: Int64) throws -> OneTimeCode? {
    let found = try Row.fetchOne(
      db,
      sql: """
        SELECT kind, subject, institution, expires, attempts FROM oneTimeCodes
        WHERE hash = ? AND usedAt IS NULL AND expires > ?
        """, arguments: [hash.databaseValue, now])
    guard let row = found else { return nil }
    return OneTimeCode(
      hash: hash, kind: try RowReading.choice(row, "kind"), subject: try RowReading.identifier(row, "subject"),
      institution: try RowReading.optionalIdentifier(row, "institution"),
      expires: try RowReading.value(row, "expires"), attempts: try RowReading.value(row, "attempts"))
  }
}
