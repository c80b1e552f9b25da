public import Classroom
internal import GRDB

/// A role that a person holds within a scope, from one time to another.
public struct HeldGrant: Hashable, Sendable {
  public var id: Identifier
  /// The person's identifier.
  public var subject: Identifier
  public var grant: Grant
  /// UTC milliseconds; nil is "from now on".
  public var validFrom: Int64?
  /// UTC milliseconds; nil is "until it is taken back".
  public var validUntil: Int64?
  /// Who gave it; nil for one given on the machine itself.
  public var givenBy: Identifier?
  /// UTC milliseconds, set by the ledger.
  public var givenAt: Int64
  /// UTC milliseconds when it was taken back; nil while it stands.
  public var endedAt: Int64?

  public init(
    id: Identifier, subject: Identifier, grant: Grant, validFrom: Int64? = nil, validUntil: Int64? = nil,
    givenBy: Identifier? = nil, givenAt: Int64 = 0, endedAt: Int64? = nil
  ) {
    self.id = id
    self.subject = subject
    self.grant = grant
    self.validFrom = validFrom
    self.validUntil = validUntil
    self.givenBy = givenBy
    self.givenAt = givenAt
    self.endedAt = endedAt
  }

  /// Whether it counts at a time in UTC milliseconds.
  public func isValid(at now: Int64) -> Bool {
    endedAt == nil && (validFrom ?? 0) <= now && now < (validUntil ?? .max)
  }
}

extension LedgerStore {
  public static let heldGrantLimit = 500_000

  /// Gives a role, durably. It is held against the person's other grants that are not over: throws `conflictingRoles`
  /// where nobody may hold both, also later; `ClassroomError` for a grant wrong by itself, `full`.
  public func give(_ held: HeldGrant) throws {
    try held.grant.validate()
    if let from = held.validFrom, let until = held.validUntil, until <= from { throw ClassroomError.badRange }
    let now = clock()
    try write { db in
      let others = try Self.held(db, where: "subject = ?", [held.subject.databaseValue])
        .filter { $0.endedAt == nil && now < ($0.validUntil ?? .max) }
      guard !AccessRules.conflicts(others.map(\.grant) + [held.grant]) else { throw LedgerError.conflictingRoles }
      let count = try Int.fetchOne(db, sql: "SELECT MAX(rowid) FROM grants") ?? 0
      guard count < Self.heldGrantLimit else { throw LedgerError.full }
      try db.execute(
        sql: """
          INSERT INTO grants (id, subject, role, scope, validFrom, validUntil, givenBy, givenAt)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          held.id.databaseValue, held.subject.databaseValue, held.grant.role.rawValue,
          held.grant.scope.description, held.validFrom, held.validUntil,
          held.givenBy.map(\.databaseValue) ?? .null, now,
        ])
    }
  }

  /// Takes a grant back from now on; the row stays. Throws `notFound` for one that is not there or was taken back.
  public func takeBack(grant id: Identifier) throws {
    let now = clock()
    try write { db in
      try db.execute(
        sql: "UPDATE grants SET endedAt = ? WHERE id = ? AND endedAt IS NULL", arguments: [now, id.databaseValue])
      guard db.changesCount == 1 else { throw LedgerError.notFound }
    }
  }

  /// The grants of a person, or of all, in the order they were given, also those that are over.
  public func heldGrants(subject: Identifier? = nil, limit: Int = listLimit) throws -> [HeldGrant] {
    try read { db in
      try Self.held(
        db, where: "(?1 IS NULL OR subject = ?1) ORDER BY rowid LIMIT ?2",
        [subject.map(\.databaseValue) ?? .null, limit])
    }
  }

  public func heldGrant(_ id: Identifier) throws -> HeldGrant? {
    try read { try Self.held($0, where: "id = ?", [id.databaseValue]).first }
  }

  /// What a person may do now.
  public func grants(of subject: Identifier) throws -> [Grant] {
    let now = clock()
    return try read { db in
      try Self.held(db, where: "subject = ? AND endedAt IS NULL ORDER BY rowid", [subject.databaseValue])
        .filter { $0.isValid(at: now) }.map(\.grant)
    }
  }

  private static func held(
    _ db: Database, where condition: String, _ arguments: StatementArguments
  ) throws -> [HeldGrant] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT id, subject, role, scope, validFrom, validUntil, givenBy, givenAt, endedAt FROM grants
        WHERE \(condition)
        """, arguments: arguments)
    return try rows.map { row in
      guard let scope = Scope(try RowReading.value(row, "scope") as String) else { throw LedgerError.corruptRow }
      return HeldGrant(
        id: try RowReading.identifier(row, "id"), subject: try RowReading.identifier(row, "subject"),
        grant: Grant(try RowReading.choice(row, "role"), scope),
        validFrom: try RowReading.optional(row, "validFrom"), validUntil: try RowReading.optional(row, "validUntil"),
        givenBy: try RowReading.optionalIdentifier(row, "givenBy"), givenAt: try RowReading.value(row, "givenAt"),
        endedAt: try RowReading.optional(row, "endedAt"))
    }
  }
}
