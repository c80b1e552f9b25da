public import Classroom
internal import GRDB

/// Who delivers from an outbox: one process of one machine at a time.
public struct OutboxHolder: Hashable, Sendable {
  /// Of the process, new with each start.
  public var id: Identifier
  /// The machine; another process of the same one is kept out by a lock on the folder, so what it left is taken over.
  public var host: String

  public init(id: Identifier, host: String) {
    self.id = id
    self.host = host
  }
}

extension LedgerStore {
  /// Milliseconds that a holder of the outbox is believed after it last said so.
  public static let outboxLease: Int64 = 60_000

  /// Opens the outbox; the first call gives it the base of its activities for good. Returns the base it has.
  @discardableResult
  public func openOutbox(activityBase: String) throws -> String {
    try Limits.checkName(activityBase)
    return try write { db in
      if let base = try String.fetchOne(db, sql: "SELECT activityBase FROM outbox WHERE id = 1") { return base }
      try db.execute(sql: "INSERT INTO outbox (id, activityBase) VALUES (1, ?)", arguments: [activityBase])
      return activityBase
    }
  }

  /// Takes the outbox for a minute, or goes on with it. Throws `inUse` while another machine has it, and `notFound`
  /// before it was opened.
  public func holdOutbox(_ holder: OutboxHolder) throws {
    let now = clock()
    try write { db in
      guard let row = try Row.fetchOne(db, sql: "SELECT holder, host, heldUntil FROM outbox WHERE id = 1") else {
        throw LedgerError.notFound
      }
      var columns = ColumnReader(row)
      let (other, host) = (try columns.optionalIdentifier(), try columns.text())
      let until: Int64 = try columns.integer()
      // A clock that was put back would keep it taken for good.
      let isTaken = until > now && until <= now &+ 10 * Self.outboxLease
      if let other, other != holder.id, host != holder.host, isTaken { throw LedgerError.inUse }
      try db.execute(
        sql: "UPDATE outbox SET holder = ?, host = ?, heldUntil = ? WHERE id = 1",
        arguments: [holder.id.databaseValue, String(holder.host.prefix(200)), now &+ Self.outboxLease])
    }
  }

  /// Lets it go, if it is still held.
  public func releaseOutbox(_ holder: OutboxHolder) throws {
    try write { db in
      try db.execute(
        sql: "UPDATE outbox SET holder = NULL, heldUntil = 0 WHERE holder = ?", arguments: [holder.id.databaseValue])
    }
  }

  static func require(_ holder: OutboxHolder, _ db: Database) throws {
    let id = try Row.fetchOne(db.cachedStatement(sql: "SELECT holder FROM outbox WHERE id = 1"))
    guard let id, RowReading.blob(id["holder"]) == holder.id.bytes else { throw LedgerError.inUse }
  }

  // MARK: Making

  /// Makes statements of the next events, at most `limit` of them, and moves the cursor in the same transaction: what
  /// was made once is never made again. Returns whether more events wait.
  ///
  /// Throws `inUse` for whoever does not hold the outbox. Cost: some 100 µs an event while other writers wait.
  public func makeStatements(
    _ maker: some StatementMaking, holder: OutboxHolder, limit: Int = 200
  ) throws -> Bool {
    let now = clock()
    return try write { db in
      try Self.require(holder, db)
      let cursor = try Int64.fetchOne(db, sql: "SELECT cursor FROM outbox WHERE id = 1") ?? 0
      let head = try EventChain.head(db).events
      guard cursor < head else { return false }
      var reader = UsageReader(db: db)
      let events = try reader.events(of: maker.kinds.union([.lessonCorrected]), after: cursor, limit: limit)
      let writer = StatementWriting(db: db, now: now)
      for event in events {
        if event.kind == .lessonCorrected {
          try writer.correct(event, maker, &reader)
        } else {
          try writer.make(event, maker, &reader, correction: nil)
        }
      }
      let isMore = events.count == limit
      let reached = isMore ? events.last?.id ?? head : head
      try db.execute(sql: "UPDATE outbox SET cursor = ? WHERE id = 1", arguments: [reached])
      return isMore
    }
  }

  /// Makes the statements whose owner has a space now, or for whose space there is a platform now; returns how many.
  public func makeHeld(_ maker: some StatementMaking, holder: OutboxHolder, limit: Int = 500) throws -> Int {
    let now = clock()
    return try write { db in
      try Self.require(holder, db)
      let rows = try Row.fetchAll(
        db, sql: "SELECT owner, reason FROM statements WHERE state = 'held' GROUP BY owner, reason LIMIT 100000")
      var made = 0
      for row in rows where made < limit {
        var columns = ColumnReader(row)
        let (owner, reason) = (try columns.text(), try columns.text())
        guard let known = Space.Owner(text: owner) else { continue }
        if reason == "unmapped", try Self.space(db, of: known) == nil { continue }
        made += try Self.makeHeld(db, of: owner, maker, now: now, limit: limit - made)
      }
      return made
    }
  }

  private static func makeHeld(
    _ db: Database, of owner: String, _ maker: some StatementMaking, now: Int64, limit: Int
  ) throws -> Int {
    let held = try Row.fetchAll(
      db,
      sql: """
        SELECT number, event, place, correction FROM statements
        WHERE state = 'held' AND owner = ? ORDER BY number LIMIT ?
        """, arguments: [owner, limit])
    var reader = UsageReader(db: db)
    var made = 0
    for row in held {
      var columns = ColumnReader(row)
      let (number, id): (Int64, Int64) = (try columns.integer(), try columns.integer())
      let (place, correction): (Int, Int64?) = (try columns.integer(), try columns.optionalInteger())
      guard let event = try reader.event(id),
        let draft = maker.statements(of: try reader.usage(event, correction: correction))?
          .first(where: { $0.place == place })
      else { continue }
      try db.cachedStatement(
        sql: """
          UPDATE statements SET state = ?, reason = ?, platform = ?, body = ?, hash = ?, madeAt = ? WHERE number = ?
          """
      ).execute(arguments: [
        draft.body == nil ? StatementState.held.rawValue : StatementState.waiting.rawValue, draft.reason,
        draft.platform, draft.body?.databaseValue, draft.body.map(StatementWriting.hash)?.databaseValue, now, number,
      ])
      if draft.body != nil { made += 1 }
    }
    return made
  }
}
