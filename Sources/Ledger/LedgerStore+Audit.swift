public import Classroom
internal import GRDB

extension LedgerTransaction {
  /// Appends to the audit trail, together with the change it tells of. Throws as `LedgerStore.audit` does.
  @discardableResult
  public func audit(_ entry: AuditEntry) throws -> Int64 { try AuditTrail.append(db, entry, at: now) }
}

extension LedgerStore {
  /// Appends an entry to the audit trail and returns its number; durable before it returns.
  ///
  /// Throws `ClassroomError.badName` for a text past its limit or with control characters, `payloadTooLarge` for
  /// `old` or `new` over 4 KiB.
  @discardableResult
  public func audit(_ entry: AuditEntry) throws -> Int64 { try transaction { try $0.audit(entry) } }

  /// Entries in order, at most `limit` of those numbered above `after`, made at `since` (UTC milliseconds) or later,
  /// and about `target` or by `actor` where one is named.
  public func auditEntries(
    since: Int64 = 0, after: Int64 = 0, target: String? = nil, actor: Identifier? = nil, limit: Int = 1_000
  ) throws -> [StoredAuditEntry] {
    try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          \(AuditTrail.select) WHERE id > ?1 AND at >= ?2 AND (?3 IS NULL OR target = ?3) AND (?4 IS NULL OR actor = ?4)
          ORDER BY id LIMIT ?5
          """, arguments: [after, since, target, actor.databaseValue, limit])
      var entries: [StoredAuditEntry] = []
      while let row = try rows.next() { entries.append(try StoredAuditEntry(row)) }
      return entries
    }
  }

  /// The latest entries about a target, the last first: who changed it before.
  public func latestAuditEntries(target: String, limit: Int = 10) throws -> [StoredAuditEntry] {
    try read { db in
      let sql = "\(AuditTrail.select) WHERE target = ? ORDER BY id DESC LIMIT ?"
      return try Row.fetchAll(db, sql: sql, arguments: [target, limit]).map { try StoredAuditEntry($0) }
    }
  }
}
