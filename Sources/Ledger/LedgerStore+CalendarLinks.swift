public import Classroom
internal import GRDB

/// A link that opens one calendar to whoever has it, until it is taken back. Only its hash is kept.
public struct CalendarLink: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable, Codable {
    /// `target` is a room.
    case room
    /// `target` is a person.
    case teacher
    /// `target` is a cluster.
    case cluster
  }

  public var id: Identifier
  /// SHA-256 of the link's secret, 32 bytes.
  public var hash: [UInt8]
  public var kind: Kind
  public var target: Identifier
  /// What it is for, in words of whoever made it; 0…200 scalars.
  public var label: String
  public var madeBy: Identifier
  /// UTC milliseconds.
  public var madeAt: Int64
  /// UTC milliseconds; to the hour. Nil until it is first used.
  public var usedAt: Int64?

  public init(
    id: Identifier, hash: [UInt8], kind: Kind, target: Identifier, label: String, madeBy: Identifier, madeAt: Int64,
    usedAt: Int64? = nil
  ) {
    self.id = id
    self.hash = hash
    self.kind = kind
    self.target = target
    self.label = label
    self.madeBy = madeBy
    self.madeAt = madeAt
    self.usedAt = usedAt
  }
}

extension LedgerStore {
  public static let calendarLinkLimit = 100_000
  /// Links of one calendar.
  public static let calendarLinksPerTarget = 100
  /// Milliseconds within which a link's use is written down once.
  static let usePrecision: Int64 = 3_600_000

  /// Keeps a link. Throws `full` at the limits, `alreadyExists` for a hash that is known, `ClassroomError`.
  public func put(_ link: CalendarLink) throws {
    guard link.hash.count == 32 else { throw ClassroomError.badRange }
    try Limits.checkName(link.label, mayBeEmpty: true)
    try write { db in
      let all = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM calendarLinks") ?? 0
      let own = try Int.fetchOne(
        db, sql: "SELECT COUNT(*) FROM calendarLinks WHERE kind = ? AND target = ?",
        arguments: [link.kind.rawValue, link.target.databaseValue])
      guard all < Self.calendarLinkLimit, own ?? 0 < Self.calendarLinksPerTarget else { throw LedgerError.full }
      let isTaken = try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM calendarLinks WHERE hash = ? OR id = ?)",
        arguments: [link.hash.databaseValue, link.id.databaseValue])
      guard isTaken != true else { throw LedgerError.alreadyExists }
      try db.execute(
        sql: """
          INSERT INTO calendarLinks (id, hash, kind, target, label, madeBy, madeAt) VALUES (?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          link.id.databaseValue, link.hash.databaseValue, link.kind.rawValue, link.target.databaseValue, link.label,
          link.madeBy.databaseValue, link.madeAt,
        ])
    }
  }

  /// The link of a hash, whose use is written down at most once an hour; nil when there is none.
  public func calendarLink(hash: [UInt8]) throws -> CalendarLink? {
    let now = clock()
    let found = try read { try Self.links($0, "hash = ?", [hash.databaseValue]).first }
    guard let found else { return nil }
    if found.usedAt.map({ now - $0 >= Self.usePrecision }) ?? true {
      try write { db in
        try db.execute(
          sql: "UPDATE calendarLinks SET usedAt = ? WHERE id = ?", arguments: [now, found.id.databaseValue])
      }
    }
    return found
  }

  public func calendarLink(_ id: Identifier) throws -> CalendarLink? {
    try read { try Self.links($0, "id = ?", [id.databaseValue]).first }
  }

  /// All of them, the latest first.
  public func calendarLinks() throws -> [CalendarLink] {
    try read { try Self.links($0, "1 ORDER BY madeAt DESC, rowid DESC", []) }
  }

  /// Takes a link back: it opens nothing any more. False when there is none.
  public func removeCalendarLink(_ id: Identifier) throws -> Bool {
    try write { db in
      try db.execute(sql: "DELETE FROM calendarLinks WHERE id = ?", arguments: [id.databaseValue])
      return db.changesCount > 0
    }
  }

  private static func links(
    _ db: Database, _ condition: String, _ arguments: StatementArguments
  ) throws -> [CalendarLink] {
    let rows = try Row.fetchAll(
      db, sql: "SELECT id, hash, kind, target, label, madeBy, madeAt, usedAt FROM calendarLinks WHERE \(condition)",
      arguments: arguments)
    return try rows.map { row in
      CalendarLink(
        id: try RowReading.identifier(row, "id"), hash: try RowReading.bytes(row, "hash"),
        kind: try RowReading.choice(row, "kind"), target: try RowReading.identifier(row, "target"),
        label: try RowReading.value(row, "label"), madeBy: try RowReading.identifier(row, "madeBy"),
        madeAt: try RowReading.value(row, "madeAt"), usedAt: try RowReading.optional(row, "usedAt"))
    }
  }
}
