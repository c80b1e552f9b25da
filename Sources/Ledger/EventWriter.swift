internal import Classroom
internal import GRDB

/// Appends events with all that follows from them, inside one transaction.
struct EventWriter {
  let db: Database
  let now: Int64

  /// The lesson columns that events need.
  private struct LessonRow {
    var state: LessonState
    var isAlwaysLive: Bool
    var plannedStart: Int64
    var plannedEnd: Int64
    var thresholdsVersion: Int
    var eventCount: Int
  }

  func append(_ event: LedgerEvent) throws -> Int64 {
    var event = event
    if let seat = event.seat, let lesson = event.lesson { try check(seat, isOf: lesson) }
    if let lesson = event.lesson {
      let row = try lessonRow(lesson)
      let step = event.seat == nil ? event.kind.step : nil
      guard step != nil || row.eventCount < LedgerStore.eventsPerLesson else { throw LedgerError.full }
      if let step { try take(step, lesson: lesson, row: row, event: &event) }
    }
    let sealed = try sealing(&event)
    try nameSeat(&event)
    let id = try record(event)
    try followSeat(event, sealed: sealed)
    try followResource(event)
    if let lesson = event.lesson, LessonFactBuilder.closing.contains(event.kind) {
      try LessonFactBuilder.keep(db, lesson)
    }
    return id
  }

  /// Chains the event and counts it with its lesson.
  private func record(_ event: LedgerEvent) throws -> Int64 {
    let id = try EventChain.append(db, event, at: now)
    if let lesson = event.lesson {
      try db.cachedStatement(sql: "UPDATE lessons SET eventCount = eventCount + 1 WHERE id = ?")
        .execute(arguments: [lesson.databaseValue])
    }
    return id
  }

  // MARK: Lesson

  private func lessonRow(_ lesson: Identifier) throws -> LessonRow {
    let sql = """
      SELECT state, isAlwaysLive, plannedStart, plannedEnd, thresholdsVersion, eventCount FROM lessons WHERE id = ?
      """
    guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [lesson.databaseValue]) else {
      throw LedgerError.notFound
    }
    return LessonRow(
      state: try RowReading.choice(row, "state"), isAlwaysLive: try RowReading.value(row, "isAlwaysLive"),
      plannedStart: try RowReading.value(row, "plannedStart"), plannedEnd: try RowReading.value(row, "plannedEnd"),
      thresholdsVersion: try RowReading.value(row, "thresholdsVersion"),
      eventCount: try RowReading.value(row, "eventCount"))
  }

  private func take(
    _ step: LessonStep, lesson: Identifier, row: LessonRow, event: inout LedgerEvent
  ) throws {
    if let next = row.state.after(step) {
      // An always-live lesson has no end; a restart finds it live.
      if row.isAlwaysLive, step == .end || step == .interrupt { throw LedgerError.badTransition }
      try db.execute(
        sql: "UPDATE lessons SET state = ? WHERE id = ?", arguments: [next.rawValue, lesson.databaseValue])
    } else if !LessonState.allCases.contains(where: { $0.after(step) == row.state }) {
      throw LedgerError.badTransition
    }
    switch step {
    case .arm:
      // The plan goes into the chain, so that no later change of the catalogue changes what is counted against it.
      add("plannedStart", String(row.plannedStart), to: &event)
      add("plannedEnd", String(row.plannedEnd), to: &event)
      add("thresholdsVersion", String(row.thresholdsVersion), to: &event)
      try addCourse(of: lesson, to: &event)
    case .end:
      try closeSeats(of: lesson, kind: .seatLeft, reason: "lessonEnded")
    case .lapse:
      try closeSeats(of: lesson, kind: .seatLeft, reason: "lessonNotHeld")
    default: break
    }
  }

  /// What figures count a lesson under, as it was that day.
  private func addCourse(of lesson: Identifier, to event: inout LedgerEvent) throws {
    let sql = """
      SELECT lessons.cluster, lessons.course, lessons.teacher, courses.mode, courses.term, courses.subject,
        courses.grades, courses.lead
      FROM lessons LEFT JOIN courses ON courses.id = lessons.course WHERE lessons.id = ?
      """
    guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [lesson.databaseValue]) else { return }
    var columns = ColumnReader(row)
    add("cluster", "\(try columns.identifier())", to: &event)
    guard let course = try columns.optionalIdentifier() else { return }
    var teacher = try columns.optionalIdentifier()
    add("course", "\(course)", to: &event)
    add("mode", try columns.text(), to: &event)
    add("term", try columns.text(), to: &event)
    add("subject", try columns.text(), to: &event)
    let grades: [Int] = try columns.decoded()
    add("grades", grades.map(String.init).joined(separator: ","), to: &event)
    let lead: Course.Party = try columns.decoded()
    teacher = teacher ?? lead.teacher
    if let teacher { add("teacher", "\(teacher)", to: &event) }
  }

  /// Whose seat it is that day: institutions merge, classes move.
  private func nameSeat(_ event: inout LedgerEvent) throws {
    guard event.kind == .seatJoined, let seat = event.seat else { return }
    let sql = """
      SELECT seats.role, seats.room, seats.schoolClass, rooms.institution
      FROM seats LEFT JOIN rooms ON rooms.id = seats.room WHERE seats.id = ?
      """
    guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [seat.databaseValue]) else { return }
    var columns = ColumnReader(row)
    add("role", try columns.text(), to: &event)
    for key in ["room", "class", "institution"] {
      if let value = try columns.optionalIdentifier() { add(key, "\(value)", to: &event) }
    }
  }

  private func add(_ key: String, _ value: String, to event: inout LedgerEvent) {
    if event[key] == nil { event.payload.append((key, value)) }
  }

  // MARK: Resources

  /// Makes the row of what people review at a lesson's first file, and keeps that the files have gone.
  private func followResource(_ event: LedgerEvent) throws {
    guard let lesson = event.lesson else { return }
    switch event.kind {
    case .resourceMade: try ResourceRow.make(db, lesson: lesson, at: now)
    case .resourceExpired:
      try db.execute(sql: "UPDATE resources SET isExpired = 1 WHERE lesson = ?", arguments: [lesson.databaseValue])
    default: break
    }
  }

  // MARK: Seats

  private func check(_ seat: Identifier, isOf lesson: Identifier) throws {
    let known = try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM seats WHERE id = ? AND lesson = ?)"),
      arguments: [seat.databaseValue, lesson.databaseValue])
    guard known == true else { throw LedgerError.notFound }
  }

  /// Adds the attendance so far to events that close a seat; returns the figure that the chain then knows.
  private func sealing(_ event: inout LedgerEvent) throws -> Int64? {
    guard let seat = event.seat, event.kind == .seatLeft || event.kind == .interrupted else { return nil }
    if let given = event["effectiveMilliseconds"] { return Int64(given) }
    let effective = try Int64.fetchOne(
      db, sql: "SELECT effectiveMilliseconds FROM attendance WHERE seat = ?", arguments: [seat.databaseValue])
    guard let effective else { return nil }
    add("effectiveMilliseconds", String(effective), to: &event)
    return effective
  }

  /// Keeps the row that says which seats a crash would leave open.
  private func followSeat(_ event: LedgerEvent, sealed: Int64?) throws {
    guard let seat = event.seat, let lesson = event.lesson else { return }
    switch event.kind {
    case .seatJoined, .peerConnected:
      try db.execute(
        sql: """
          INSERT INTO attendance (seat, lesson, isConnected, seenAt) VALUES (?, ?, 1, ?)
          ON CONFLICT (seat) DO UPDATE SET isConnected = 1, seenAt = excluded.seenAt
          """, arguments: [seat.databaseValue, lesson.databaseValue, now])
    case .seatLeft, .interrupted:
      try db.execute(
        sql: """
          UPDATE attendance SET isConnected = 0, sealedMilliseconds = MAX(sealedMilliseconds, ?),
            effectiveMilliseconds = MAX(effectiveMilliseconds, ?)
          WHERE seat = ?
          """, arguments: [sealed ?? 0, sealed ?? 0, seat.databaseValue])
    default: break
    }
  }

  /// Writes a closing event for each seat that is open, or whose attendance the chain does not know yet.
  @discardableResult
  func closeSeats(of lesson: Identifier, kind: EventKind, reason: String) throws -> Int {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT seat, effectiveMilliseconds, seenAt FROM attendance
        WHERE lesson = ? AND (isConnected = 1 OR effectiveMilliseconds <> sealedMilliseconds) ORDER BY rowid
        """, arguments: [lesson.databaseValue])
    for row in rows {
      let effective: Int64 = try RowReading.value(row, "effectiveMilliseconds")
      let seenAt: Int64 = try RowReading.value(row, "seenAt")
      let event = LedgerEvent(
        kind: kind, lesson: lesson, seat: try RowReading.identifier(row, "seat"),
        payload: [
          ("effectiveMilliseconds", String(effective)), ("reason", reason), ("seenAt", String(seenAt)),
        ])
      _ = try record(event)
      try followSeat(event, sealed: effective)
    }
    return rows.count
  }
}
