public import Classroom
internal import GRDB

/// What the clock of lessons asks: each call reads no more than what is due.
extension LedgerStore {
  /// Published lessons planned to start by an instant and not over at `now`, soonest first; UTC milliseconds.
  public func lessonsToArm(startingBy latest: Int64, now: Int64, limit: Int) throws -> [Lesson] {
    // The index is named: by the state alone a term's lessons would be looked through each second.
    try lessons(
      """
      INDEXED BY lessonsToArm WHERE state = 'published' AND isAlwaysLive = 0
        AND plannedStart <= ? AND plannedEnd > ? ORDER BY plannedStart LIMIT ?
      """, [latest, now, limit])
  }

  /// Lessons planned to end by an instant that nobody has taught, or whose teaching was interrupted; latest first.
  public func lessonsWithoutEnd(plannedEndBy latest: Int64, limit: Int) throws -> [Lesson] {
    try lessons(
      """
      INDEXED BY lessonsWithoutEnd WHERE state IN ('planned', 'published', 'armed', 'interrupted')
        AND isAlwaysLive = 0 AND plannedEnd <= ? ORDER BY plannedEnd DESC LIMIT ?
      """, [latest, limit])
  }

  private func lessons(_ condition: String, _ arguments: StatementArguments) throws -> [Lesson] {
    let columns = Lesson.form.columns.joined(separator: ", ")
    return try read { db in
      let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM lessons \(condition)")
      return try Row.fetchAll(statement, arguments: arguments).map { row in
        var reader = ColumnReader(row)
        return try Lesson(&reader)
      }
    }
  }

  /// How many lessons with a window are armed, live or interrupted.
  public func openLessonCount() throws -> Int {
    try read { db in
      let sql = """
        SELECT COUNT(*) FROM lessons INDEXED BY lessonsByState
        WHERE state IN ('armed', 'live', 'interrupted') AND isAlwaysLive = 0
        """
      return try Int.fetchOne(db.cachedStatement(sql: sql)) ?? 0
    }
  }

  /// Seats of lessons that end after a bell and start before `span` milliseconds have passed since it, at most 50,000.
  /// The lead's seat of a recorded lesson takes nothing and is left out. Cost: the lessons of a day.
  public func bookings(atBell bell: Int64, within span: Int64) throws -> [BookedAtBell.Entry] {
    let (until, overflow) = bell.addingReportingOverflow(span)
    let columns = Seat.form.columns.map { "seats.\($0)" }.joined(separator: ", ")
    return try read { db in
      let sql = """
        SELECT lessons.plannedStart, courses.mode, \(columns)
        FROM lessons INDEXED BY lessonsByStart
          CROSS JOIN seats ON seats.lesson = lessons.id LEFT JOIN courses ON courses.id = lessons.course
        WHERE lessons.plannedStart BETWEEN ? AND ? AND lessons.plannedEnd > ? AND lessons.isAlwaysLive = 0
          AND lessons.state NOT IN ('ended', 'cancelled', 'notHeld') LIMIT 50000
        """
      let first = max(0, bell.subtractingReportingOverflow(Limits.plannedMilliseconds).partialValue)
      let rows = try Row.fetchCursor(
        db.cachedStatement(sql: sql), arguments: [first, overflow ? Limits.latestTime : until - 1, bell])
      var entries: [BookedAtBell.Entry] = []
      while let row = try rows.next() {
        var reader = ColumnReader(row)
        let start: Int64 = try reader.integer()
        let mode = try reader.optionalText().flatMap { Course.Mode(rawValue: $0) }
        let seat = try Seat(&reader)
        if mode == .asyncDual, seat.role == .lead { continue }
        entries.append(BookedAtBell.Entry(start: start, seat: seat, takesClass: mode != .research))
      }
      return entries
    }
  }

  /// Why a lesson ended, as its event says; nil for one that has not.
  public func endReason(lesson: Identifier) throws -> String? {
    try read { db in
      let sql = """
        SELECT payload FROM events WHERE lesson = ? AND kind IN ('lessonEnded', 'lessonNotHeld')
        ORDER BY id DESC LIMIT 1
        """
      guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [lesson.databaseValue]) else {
        return nil
      }
      var reader = ColumnReader(row)
      return try PayloadCoding.decode(try reader.text()).first { $0.0 == "reason" }?.1
    }
  }
}

/// A seat with what people call its place.
public struct SeatPlace: Hashable, Sendable {
  public var seat: Seat
  /// The room's number; empty for a seat without a room.
  public var room: String
  /// The school's name; empty for a seat without a room.
  public var institution: String
}

extension LedgerStore {
  /// The seats of a lesson with their places: the lead's first, then by the numbers of the rooms.
  public func seatPlaces(lesson: Identifier) throws -> [SeatPlace] {
    let columns = Seat.form.columns.map { "seats.\($0)" }.joined(separator: ", ")
    return try read { db in
      let sql = """
        SELECT COALESCE(rooms.number, ''), COALESCE(institutions.name, ''), \(columns)
        FROM seats LEFT JOIN rooms ON rooms.id = seats.room
          LEFT JOIN institutions ON institutions.id = rooms.institution
        WHERE seats.lesson = ? ORDER BY seats.role <> 'lead', rooms.number, seats.rowid
        """
      return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [lesson.databaseValue]).map { row in
        var reader = ColumnReader(row)
        let room = try reader.text()
        let institution = try reader.text()
        return SeatPlace(seat: try Seat(&reader), room: room, institution: institution)
      }
    }
  }
}
