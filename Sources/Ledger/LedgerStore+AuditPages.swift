public import Classroom
internal import GRDB

/// Which entries of the audit trail are told; what is nil does not choose.
public struct AuditQuery: Hashable, Sendable {
  /// UTC milliseconds, both ends among them.
  public var span: ClosedRange<Int64>
  public var actor: Identifier?
  public var operation: String?
  public var outcome: AuditEntry.Outcome?
  /// Entries numbered below it.
  public var before: Int64?

  public init(
    span: ClosedRange<Int64> = 0...Limits.latestTime, actor: Identifier? = nil, operation: String? = nil,
    outcome: AuditEntry.Outcome? = nil, before: Int64? = nil
  ) {
    self.span = span
    self.actor = actor
    self.operation = operation
    self.outcome = outcome
    self.before = before
  }
}

extension LedgerStore {
  /// Entries of the audit trail, the latest first, at most `limit`; the last one's number is `before` of the next page.
  ///
  /// Cost: the entries that are passed over, back from `before`.
  public func auditEntries(_ query: AuditQuery, limit: Int) throws -> [StoredAuditEntry] {
    try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          \(AuditTrail.select) WHERE id < ?1 AND at BETWEEN ?2 AND ?3 AND (?4 IS NULL OR actor = ?4)
          AND (?5 IS NULL OR operation = ?5) AND (?6 IS NULL OR outcome = ?6) ORDER BY id DESC LIMIT ?7
          """,
        arguments: [
          query.before ?? .max, query.span.lowerBound, query.span.upperBound, query.actor.databaseValue,
          query.operation, query.outcome?.rawValue, limit,
        ])
      var entries: [StoredAuditEntry] = []
      while let row = try rows.next() { entries.append(try StoredAuditEntry(row)) }
      return entries
    }
  }
}
