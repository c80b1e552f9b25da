public import Classroom
internal import Crypto
internal import GRDB

/// Who did what, or tried to. Persons stand in it by identifier only; tokens and names never.
public struct AuditEntry: Hashable, Sendable {
  public enum Outcome: String, Hashable, Sendable, CaseIterable {
    case allowed
    case refused
  }

  /// Bytes of `old` and of `new`.
  public static let formByteLimit = 4_096

  /// Nil for somebody not known, whose attempt was refused.
  public var actor: Identifier?
  /// The role it was done in, such as `countyCoordinator`; 0…40 scalars.
  public var role: String
  /// Key of the operation, such as `course.change`; 1…40 scalars.
  public var operation: String
  /// Such as `courses/` and an identifier; 0…200 scalars.
  public var target: String
  /// Where the request came from; 0…200 scalars.
  public var address: String
  public var outcome: Outcome
  /// JSON, such as `LedgerStore.auditForms` makes.
  public var old: String?
  public var new: String?

  public init(
    actor: Identifier?, role: String, operation: String, target: String = "", address: String, outcome: Outcome,
    old: String? = nil, new: String? = nil
  ) {
    self.actor = actor
    self.role = role
    self.operation = operation
    self.target = target
    self.address = address
    self.outcome = outcome
    self.old = old
    self.new = new
  }

  func check() throws {
    try Limits.checkName(role, limit: Limits.codeScalars, mayBeEmpty: true)
    try Limits.checkName(operation, limit: Limits.codeScalars)
    try Limits.checkName(target, mayBeEmpty: true)
    try Limits.checkName(address, mayBeEmpty: true)
    guard max(old?.utf8.count ?? 0, new?.utf8.count ?? 0) <= Self.formByteLimit else {
      throw LedgerError.payloadTooLarge
    }
  }
}

/// An entry as the trail holds it.
public struct StoredAuditEntry: Hashable, Sendable {
  /// 1, 2, 3 … without gaps.
  public let id: Int64
  /// UTC milliseconds, by the ledger's clock.
  public let at: Int64
  public let entry: AuditEntry
  /// SHA-256 of the entry and the hash before it, 32 bytes.
  public let hash: [UInt8]
}

/// The chain of the audit trail, apart from that of the events, whose format does not change.
enum AuditTrail {
  /// SHA-256 of, in this order: previous hash (32), id (8), time (8), then actor, role, operation, target, address,
  /// outcome, old and new, each preceded by its byte count (4; `ffffffff` for nil). Integers are big-endian.
  static func hash(previous: [UInt8], id: Int64, at: Int64, fields: [[UInt8]?]) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(data: previous)
    EventChain.update(&hasher, UInt64(bitPattern: id))
    EventChain.update(&hasher, UInt64(bitPattern: at))
    for field in fields {
      EventChain.update(&hasher, field.map { UInt32($0.count) } ?? .max)
      if let field { hasher.update(data: field) }
    }
    return Array(hasher.finalize())
  }

  static func head(_ db: Database) throws -> (entries: Int64, hash: [UInt8]) {
    guard let row = try Row.fetchOne(db, sql: "SELECT entries, hash FROM auditChain WHERE id = 1") else {
      throw LedgerError.corruptRow
    }
    var columns = ColumnReader(row)
    return (try columns.integer(), try columns.bytes())
  }

  static func append(_ db: Database, _ entry: AuditEntry, at: Int64) throws -> Int64 {
    try entry.check()
    let head = try head(db)
    let (id, overflow) = head.entries.addingReportingOverflow(1)
    guard !overflow else { throw LedgerError.corruptRow }
    let texts: [String?] = [
      entry.role, entry.operation, entry.target, entry.address, entry.outcome.rawValue, entry.old, entry.new,
    ]
    let hash = hash(
      previous: head.hash, id: id, at: at, fields: [entry.actor?.bytes] + texts.map { $0.map { Array($0.utf8) } })
    let values = texts.map { $0?.databaseValue ?? .null }
    try db.cachedStatement(
      sql: """
        INSERT INTO audit (id, at, actor, role, operation, target, address, outcome, old, new, hash)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(
      arguments: StatementArguments(
        [id.databaseValue, at.databaseValue, entry.actor.databaseValue] + values + [hash.databaseValue]))
    try db.cachedStatement(sql: "UPDATE auditChain SET entries = ?, hash = ? WHERE id = 1")
      .execute(arguments: [id, hash.databaseValue])
    return id
  }

  /// Walks the trail; a ledger of before it has none, which is intact.
  static func verify(_ db: Database) throws -> (entries: Int, firstBroken: Int64?) {
    guard try db.tableExists("audit"), try db.tableExists("auditChain") else { return (0, nil) }
    let head = try head(db)
    var previous = EventChain.genesis
    var count: Int64 = 0
    var firstBroken: Int64?
    let rows = try Row.fetchCursor(db, sql: "\(select) ORDER BY id")
    while let row = try rows.next() {
      count += 1
      guard firstBroken == nil else { continue }
      if let hash = matches(row, id: count, previous: previous) { previous = hash } else { firstBroken = count }
    }
    if firstBroken == nil, count != head.entries || previous != head.hash {
      firstBroken = min(count, head.entries) &+ 1
    }
    return (Int(count), firstBroken)
  }

  static let select =
    "SELECT id, at, actor, role, operation, target, address, outcome, old, new, hash FROM audit"

  /// The row's hash when it is what the other columns give, whatever they hold.
  private static func matches(_ row: Row, id: Int64, previous: [UInt8]) -> [UInt8]? {
    var columns = ColumnReader(row)
    do {
      let found: Int64 = try columns.integer()
      let at: Int64 = try columns.integer()
      var fields = [try columns.optionalIdentifier()?.bytes]
      for _ in 0..<7 { fields.append(try columns.optionalText().map { Array($0.utf8) }) }
      let stored = try columns.bytes()
      return found == id && stored == hash(previous: previous, id: id, at: at, fields: fields) ? stored : nil
    } catch { return nil }
  }
}

extension StoredAuditEntry {
  init(_ row: Row) throws {
    var columns = ColumnReader(row)
    id = try columns.integer()
    at = try columns.integer()
    entry = AuditEntry(
      actor: try columns.optionalIdentifier(), role: try columns.text(), operation: try columns.text(),
      target: try columns.text(), address: try columns.text(), outcome: try columns.choice(),
      old: try columns.optionalText(), new: try columns.optionalText())
    hash = try columns.bytes()
  }
}
