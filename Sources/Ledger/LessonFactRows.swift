internal import Classroom
internal import GRDB

/// Facts in their tables, and made anew.
extension LessonFactBuilder {
  /// A lesson's facts by its events, as of `now` while it is open. Cost: O(its events).
  static func make(_ db: Database, _ id: Identifier, now: Int64) throws -> (fact: LessonFact, start: Int64) {
    let lesson = try startingPoint(db, id)
    let start = lesson.plannedStart
    let isOpen = lesson.state.isOpen
    var builder = LessonFactBuilder(lesson)
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: "SELECT id, at, kind, lesson, seat, payload, hash FROM events WHERE lesson = ? ORDER BY id"),
      arguments: [id.databaseValue])
    var last = now
    while let row = try rows.next() {
      let event = try StoredEvent(row: row)
      builder.take(event)
      if !isOpen { last = event.at }
    }
    var running: [Identifier: Int64] = [:]
    if isOpen {
      let rows = try Row.fetchAll(
        db, sql: "SELECT seat, effectiveMilliseconds FROM attendance WHERE lesson = ?", arguments: [id.databaseValue])
      for row in rows {
        var columns = ColumnReader(row)
        let seat = try columns.identifier()
        running[seat] = try columns.integer()
      }
    }
    var fact = builder.finish(at: last, running: running)
    // Of a lesson moved or published again after its last bell the catalogue says where it stands.
    if !fact.state.isFinal, lesson.state == .published || lesson.state == .planned {
      fact.state = lesson.state
      fact.plannedStart = lesson.plannedStart
      fact.plannedEnd = lesson.plannedEnd
    }
    return (fact, start)
  }

  /// What the catalogue says of it.
  private static func startingPoint(_ db: Database, _ id: Identifier) throws -> LessonFact {
    guard let lesson = try Lesson.fetch(db, id: id) else { throw LedgerError.notFound }
    let course = try lesson.course.flatMap { try Course.fetch(db, id: $0) }
    var fact = LessonFact(
      id: id, course: lesson.course, cluster: lesson.cluster, term: course?.term ?? "",
      subject: course?.subject ?? "", grades: course?.grades ?? [], mode: course?.mode ?? .sync,
      teacher: lesson.teacher ?? course?.lead.teacher, plannedStart: lesson.plannedStart,
      plannedEnd: lesson.plannedEnd, state: lesson.state, thresholdsVersion: lesson.thresholdsVersion)
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT seats.id, seats.role, seats.room, seats.schoolClass, rooms.institution
          FROM seats LEFT JOIN rooms ON rooms.id = seats.room WHERE seats.lesson = ? ORDER BY seats.rowid
          """), arguments: [id.databaseValue])
    while let row = try rows.next() { fact.seats.append(try SeatFact(place: row)) }
    return fact
  }

  /// Makes the rows of a lesson, or makes them anew; of an always-live one there are none.
  static func keep(_ db: Database, _ id: Identifier) throws {
    let isAlwaysLive = try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT isAlwaysLive FROM lessons WHERE id = ?"), arguments: [id.databaseValue])
    guard isAlwaysLive == false else { return }
    let (fact, start) = try make(db, id, now: 0)
    try db.cachedStatement(sql: "DELETE FROM seatFacts WHERE lesson = ?").execute(arguments: [id.databaseValue])
    try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO lessonFacts (lesson, events, definitions, course, cluster, term, subject, grades, mode,
          teacher, plannedStart, plannedEnd, state, liveMilliseconds, endedAt, thresholdsVersion, isExcluded,
          corrections) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      id.databaseValue, fact.events, FigureDefinitions.current.version, fact.course.databaseValue,
      fact.cluster.databaseValue, fact.term, fact.subject, fact.grades.map(String.init).joined(separator: ","),
      fact.mode.rawValue, fact.teacher.databaseValue, fact.plannedStart, fact.plannedEnd, fact.state.rawValue,
      fact.liveMilliseconds, fact.endedAt, fact.thresholdsVersion, fact.isExcluded, fact.corrections,
    ])
    let attended = fact.attended
    let isTaught = fact.mode == .sync && fact.outcome(attended: attended.count) == .taught
    let counted = Set(isTaught ? attended.map(\.seat) : [])
    let insert = try db.cachedStatement(sql: SeatFact.insert)
    for seat in fact.seats {
      try insert.execute(
        arguments: StatementArguments(seat.values(of: id, start: start, isCounted: counted.contains(seat.seat))))
    }
  }
}

extension SeatFact {
  /// All columns in the order they are read.
  static let columns = """
    lesson, seat, role, institution, schoolClass, room, effectiveMilliseconds, correctedFrom, joins, leaves,
    reconnects, hands, calls, spokenMilliseconds, headCount, minutes, fairMinutes, poorMinutes, loss, roundTrip,
    jitter, bitrate, freezes, frozenMilliseconds, degradedMilliseconds
    """
  /// Those that counts need.
  static let countedColumns = "lesson, seat, role, institution, schoolClass, room, effectiveMilliseconds"

  static let insert = """
    INSERT INTO seatFacts (\(columns), start, counted)
    VALUES (\(Array(repeating: "?", count: 27).joined(separator: ", ")))
    """

  func values(of lesson: Identifier, start: Int64, isCounted: Bool) -> [DatabaseValue] {
    [
      lesson.databaseValue, seat.databaseValue, role.rawValue.databaseValue, institution.databaseValue,
      schoolClass.databaseValue, room.databaseValue, effectiveMilliseconds.databaseValue,
      correctedFrom?.databaseValue ?? .null, joins.databaseValue, leaves.databaseValue, reconnects.databaseValue,
      hands.databaseValue, calls.databaseValue, spokenMilliseconds.databaseValue, headCount?.databaseValue ?? .null,
      line.minutes.databaseValue, line.fairMinutes.databaseValue, line.poorMinutes.databaseValue,
      line.loss.databaseValue, line.roundTrip.databaseValue, line.jitter.databaseValue, line.bitrate.databaseValue,
      line.freezes.databaseValue, line.frozenMilliseconds.databaseValue, line.degradedMilliseconds.databaseValue,
      start.databaseValue, isCounted.databaseValue,
    ]
  }

  /// A seat of the catalogue: `id, role, room, schoolClass, institution`.
  init(place row: Row) throws {
    var columns = ColumnReader(row)
    self.init(
      seat: try columns.identifier(), role: try columns.choice(), room: try columns.optionalIdentifier())
    schoolClass = try columns.optionalIdentifier()
    institution = try columns.optionalIdentifier()
  }

  /// The columns after the lesson.
  init(_ columns: inout ColumnReader, isWhole: Bool) throws {
    self.init(
      seat: try columns.identifier(), role: try columns.choice(), institution: try columns.optionalIdentifier(),
      schoolClass: try columns.optionalIdentifier(), room: try columns.optionalIdentifier(),
      effectiveMilliseconds: try columns.integer())
    guard isWhole else { return }
    correctedFrom = try columns.optionalInteger()
    joins = try columns.integer()
    leaves = try columns.integer()
    reconnects = try columns.integer()
    hands = try columns.integer()
    calls = try columns.integer()
    spokenMilliseconds = try columns.integer()
    headCount = try columns.optionalInteger()
    line.minutes = try columns.integer()
    line.fairMinutes = try columns.integer()
    line.poorMinutes = try columns.integer()
    line.loss = try columns.integer()
    line.roundTrip = try columns.integer()
    line.jitter = try columns.integer()
    line.bitrate = try columns.integer()
    line.freezes = try columns.integer()
    line.frozenMilliseconds = try columns.integer()
    line.degradedMilliseconds = try columns.integer()
  }
}
