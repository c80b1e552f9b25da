public import Classroom
internal import GRDB

/// A seat's running attendance, as it is written each second and taken up again after a crash.
public struct AttendanceCounter: Hashable, Sendable {
  public var lesson: Identifier
  public var seat: Identifier
  /// Milliseconds counted so far, as `AttendanceTracker.effectiveMilliseconds`.
  public var effectiveMilliseconds: Int64
  /// Whether a connection of the seat stands; what is connected when the process dies is closed by `recover`.
  public var connected: Bool

  public init(lesson: Identifier, seat: Identifier, effectiveMilliseconds: Int64, connected: Bool) {
    self.lesson = lesson
    self.seat = seat
    self.effectiveMilliseconds = effectiveMilliseconds
    self.connected = connected
  }

  public init(lesson: Identifier, seat: Identifier, tracker: AttendanceTracker) {
    self.init(
      lesson: lesson, seat: seat, effectiveMilliseconds: tracker.effectiveMilliseconds,
      connected: tracker.isConnected)
  }

  /// Whole seconds.
  public var effectiveSeconds: Int { Int(effectiveMilliseconds / 1000) }
}

extension LedgerStore {
  /// Keeps running counters durably, all in one transaction; to be called each second while a lesson is live, and
  /// once before `lessonEnded` is appended. Figures never fall; counters of a lesson in a final state are ignored.
  ///
  /// Throws `notFound`, and keeps nothing, when a seat is not one of its lesson.
  public func checkpoint(_ counters: [AttendanceCounter]) throws {
    guard !counters.isEmpty else { return }
    let now = clock()
    let final = LessonState.allCases.filter(\.isFinal).map { "'\($0.rawValue)'" }.joined(separator: ", ")
    try write { db in
      let find = try db.cachedStatement(
        sql: """
          SELECT lessons.state IN (\(final)) FROM seats JOIN lessons ON lessons.id = seats.lesson
          WHERE seats.id = ? AND lessons.id = ?
          """)
      let keep = try db.cachedStatement(
        sql: """
          INSERT INTO attendance (seat, lesson, effectiveMilliseconds, isConnected, seenAt) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (seat) DO UPDATE SET
            effectiveMilliseconds = MAX(effectiveMilliseconds, excluded.effectiveMilliseconds),
            isConnected = excluded.isConnected, seenAt = excluded.seenAt
          """)
      for counter in counters {
        let seat = counter.seat.databaseValue
        let lesson = counter.lesson.databaseValue
        guard let isFinal = try Bool.fetchOne(find, arguments: [seat, lesson]) else { throw LedgerError.notFound }
        if isFinal { continue }
        try keep.execute(
          arguments: [seat, lesson, max(0, counter.effectiveMilliseconds), counter.connected, now])
      }
    }
  }

  /// The counters of a lesson's seats as last checkpointed, for trackers to go on from.
  public func attendance(lesson: Identifier) throws -> [AttendanceCounter] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: "SELECT seat, effectiveMilliseconds, isConnected FROM attendance WHERE lesson = ? ORDER BY rowid",
        arguments: [lesson.databaseValue])
      return try rows.map { row in
        AttendanceCounter(
          lesson: lesson, seat: try RowReading.identifier(row, "seat"),
          effectiveMilliseconds: try RowReading.value(row, "effectiveMilliseconds"),
          connected: try RowReading.value(row, "isConnected"))
      }
    }
  }

  /// Closes what a crash left open, each with an `interrupted` event: seats still connected, with the attendance of
  /// their last checkpoint, and lessons still live. Returns the number of events; 0 after an orderly stop.
  ///
  /// To be called once at start-up, before peers are let in. An always-live lesson stays live.
  public func recover() throws -> Int {
    let now = clock()
    return try write { db in
      let writer = EventWriter(db: db, now: now)
      var closed = 0
      let open = try Row.fetchAll(
        db,
        sql: """
          SELECT id, isAlwaysLive, state FROM lessons WHERE (state = 'live' AND isAlwaysLive = 0)
            OR id IN (SELECT lesson FROM attendance WHERE isConnected = 1) ORDER BY rowid
          """)
      for row in open {
        let lesson = try RowReading.identifier(row, "id")
        let isAlwaysLive: Bool = try RowReading.value(row, "isAlwaysLive")
        let state: LessonState = try RowReading.choice(row, "state")
        let seenAt = try Self.lastSign(db, of: lesson) ?? now
        closed += try writer.closeSeats(of: lesson, kind: .interrupted, reason: "restart")
        if state == .live, !isAlwaysLive {
          _ = try writer.append(
            LedgerEvent(
              kind: .interrupted, lesson: lesson, payload: [("reason", "restart"), ("seenAt", String(seenAt))]))
          closed += 1
        }
      }
      return closed
    }
  }

  /// When the lesson last showed life: its latest event or checkpoint. The time the relay was down
  /// is nobody's.
  private static func lastSign(_ db: Database, of lesson: Identifier) throws -> Int64? {
    try Int64.fetchOne(
      db,
      sql: """
        SELECT MAX(at) FROM (
          SELECT at FROM events WHERE id = (SELECT MAX(id) FROM events WHERE lesson = ?1)
          UNION ALL SELECT MAX(seenAt) FROM attendance WHERE lesson = ?1)
        """, arguments: [lesson.databaseValue])
  }
}
