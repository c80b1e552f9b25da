public import Classroom
internal import GRDB

extension LedgerStore {
  /// What waits for a platform, the oldest first; at most `limit` statements and `byteLimit` bytes, and at least one.
  public func waitingStatements(platform: String, limit: Int, byteLimit: Int) throws -> [WaitingStatement] {
    try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT number, id, body FROM statements
          WHERE state = 'waiting' AND platform = ? AND body IS NOT NULL ORDER BY number LIMIT ?
          """, arguments: [platform, limit])
      var statements: [WaitingStatement] = []
      var bytes = 0
      while let row = try rows.next() {
        var columns = ColumnReader(row)
        let statement = WaitingStatement(
          number: try columns.integer(), id: try columns.identifier(), body: try columns.bytes())
        bytes += statement.body.count + 1
        if !statements.isEmpty, bytes > byteLimit { break }
        statements.append(statement)
      }
      return statements
    }
  }

  /// Keeps what a platform's answers mean, in one transaction. What is settled already stays as it is.
  ///
  /// Throws `inUse` for whoever does not hold the outbox.
  public func settle(_ settlements: [StatementSettlement], holder: OutboxHolder) throws {
    guard !settlements.isEmpty else { return }
    let now = clock()
    try write { db in
      try Self.require(holder, db)
      var sent = 0
      for settlement in settlements {
        let (state, reason): (StatementState, String) =
          switch settlement.outcome {
          case .sent: (.sent, "")
          case .parked(let reason): (.parked, String(reason.prefix(200)))
          }
        try db.cachedStatement(
          sql: """
            UPDATE statements SET state = ?, reason = ?, settledAt = ? WHERE number = ? AND state = 'waiting'
            """
        ).execute(arguments: [state.rawValue, reason, now, settlement.number])
        if state == .sent { sent += db.changesCount }
      }
      try db.execute(sql: "UPDATE outbox SET sent = sent + ? WHERE id = 1", arguments: [sent])
    }
  }

  /// Stops or goes on with sending; statements are made all the same. Throws `notFound` before there is an outbox.
  public func pauseOutbox(_ isPaused: Bool) throws {
    try write { db in
      try db.execute(sql: "UPDATE outbox SET isPaused = ? WHERE id = 1", arguments: [isPaused])
      guard db.changesCount == 1 else { throw LedgerError.notFound }
    }
  }

  public func isOutboxPaused() throws -> Bool {
    try read { try Bool.fetchOne($0, sql: "SELECT isPaused FROM outbox WHERE id = 1") ?? false }
  }

  /// Lets what is parked wait again, all of it or one; returns how many.
  public func retryParked(_ id: Identifier? = nil) throws -> Int {
    try write { db in
      try db.execute(
        sql: """
          UPDATE statements SET state = 'waiting', reason = '', settledAt = NULL
          WHERE state = 'parked' AND body IS NOT NULL AND (?1 IS NULL OR id = ?1)
          """, arguments: [id.databaseValue])
      return db.changesCount
    }
  }

  // MARK: Telling

  /// The outbox in figures; nil before it was opened. Cost: what waits, is held and is parked is counted.
  public func outboxStatus() throws -> OutboxStatus? { try read { try Self.outboxStatus($0) } }

  static func outboxStatus(_ db: Database) throws -> OutboxStatus? {
    let sql = "SELECT activityBase, cursor, isPaused, passedOver, sent, host, heldUntil FROM outbox WHERE id = 1"
    guard let row = try Row.fetchOne(db, sql: sql) else { return nil }
    var columns = ColumnReader(row)
    var status = OutboxStatus()
    status.activityBase = try columns.text()
    status.cursor = try columns.integer()
    status.isPaused = try columns.truth()
    status.passedOver = try columns.integer()
    status.sent = try columns.integer()
    status.host = try columns.text()
    status.heldUntil = try columns.integer()
    status.events = try EventChain.head(db).events
    let waiting = try Row.fetchAll(
      db, sql: "SELECT platform, COUNT(*), MIN(madeAt) FROM statements WHERE state = 'waiting' GROUP BY platform")
    for row in waiting {
      var columns = ColumnReader(row)
      let platform = try columns.text()
      let count: Int = try columns.integer()
      let oldest: Int64 = try columns.integer()
      status.waitingByPlatform[platform] = count
      status.waiting += count
      status.oldestWaiting = min(status.oldestWaiting ?? oldest, oldest)
    }
    status.held = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM statements WHERE state = 'held'") ?? 0
    status.parked = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM statements WHERE state = 'parked'") ?? 0
    return status
  }

  /// Whose statements are held, those with most of them first; at most 10,000.
  public func heldOwners() throws -> [HeldOwner] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT owner, reason, COUNT(*) AS count, MIN(madeAt) FROM statements WHERE state = 'held'
          GROUP BY owner, reason ORDER BY count DESC, owner LIMIT 10000
          """)
      return try rows.map { row in
        var columns = ColumnReader(row)
        return HeldOwner(
          owner: try columns.text(), reason: try columns.text(), count: try columns.integer(),
          since: try columns.integer())
      }
    }
  }

  /// Statements of one state, the latest first, below number `before`.
  public func statements(
    in state: StatementState, before: Int64 = .max, limit: Int = 1_000
  ) throws -> [StatementLine] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT number, id, event, lesson, owner, platform, state, reason, madeAt, settledAt FROM statements
          WHERE state = '\(state.rawValue)' AND number < ? ORDER BY number DESC LIMIT ?
          """, arguments: [before, limit])
      return try rows.map { row in
        var columns = ColumnReader(row)
        return StatementLine(
          number: try columns.integer(), id: try columns.identifier(), event: try columns.integer(),
          lesson: try columns.optionalIdentifier(), owner: try columns.text(), platform: try columns.text(),
          state: try columns.choice(), reason: try columns.text(), madeAt: try columns.integer(),
          settledAt: try columns.optionalInteger())
      }
    }
  }

  // MARK: Days

  /// Days whose files are out of date: those of lessons that events of the last while are about, and how far the events
  /// go. At most `limit` events are looked at.
  public func changedDays(
    of kinds: Set<EventKind>, limit: Int = 20_000
  ) throws -> (days: [CivilDate], through: Int64, isMore: Bool) {
    try read { db in
      let cursor = try Int64.fetchOne(db, sql: "SELECT dropCursor FROM outbox WHERE id = 1") ?? 0
      let list = kinds.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
      let head = try EventChain.head(db).events
      let through = min(head, cursor &+ Int64(limit))
      let starts = try Int64.fetchAll(
        db,
        sql: """
          SELECT DISTINCT plannedStart FROM lessons WHERE id IN
            (SELECT lesson FROM events WHERE id > ? AND id <= ? AND kind IN (\(list)))
          """, arguments: [cursor, through])
      return (Set(starts.map { CivilTime.date(of: $0) }).sorted(), through, through < head)
    }
  }

  /// Under which spaces a lesson's seats are counted, in the order the seats were made.
  public func usageSeats(lesson id: Identifier) throws -> [UsageSeat] {
    try read { db in
      var reader = UsageReader(db: db)
      return try reader.seats(of: id)
    }
  }

  /// Notes that the files of all days are written up to an event.
  public func noteDays(through event: Int64, holder: OutboxHolder) throws {
    try write { db in
      try Self.require(holder, db)
      try db.execute(sql: "UPDATE outbox SET dropCursor = ? WHERE id = 1", arguments: [event])
    }
  }
}
