public import Classroom
internal import GRDB

/// A recorded lesson that a site missed.
public struct MissedLesson: Hashable, Sendable {
  public var lesson: Lesson
  /// The site's.
  public var seat: Seat
  /// Milliseconds that it was there all the same.
  public var attended: Int64
}

extension LedgerStore {
  /// Live lessons of courses that ended within `ReplayRule.ownSeatsSpan` before `now`, were recorded, and that a
  /// receiving seat did not attend and has not made up; the latest first. Cost: the lessons of those days.
  /// - Parameter room: of the seat; nil is every site's.
  public func missedLessons(now: Int64, room: Identifier? = nil, limit: Int) throws -> [MissedLesson] {
    let earliest = now.subtractingReportingOverflow(ReplayRule.ownSeatsSpan).partialValue
    let columns =
      Lesson.form.columns.map { "lessons.\($0)" } + Seat.form.columns.map { "seats.\($0)" }
    return try read { db in
      let sql = """
        SELECT coalesce(attendance.effectiveMilliseconds, 0), \(columns.joined(separator: ", "))
        FROM lessons INDEXED BY lessonsByStart
          CROSS JOIN courses ON courses.id = lessons.course
          CROSS JOIN seats ON seats.lesson = lessons.id
          LEFT JOIN attendance ON attendance.seat = seats.id
        WHERE lessons.plannedStart BETWEEN ?1 - \(Limits.plannedMilliseconds) AND ?2
          AND lessons.plannedEnd >= ?1 AND lessons.state = 'ended'
          AND courses.mode = 'sync' AND seats.role = 'receiver' AND seats.room IS NOT NULL
          AND (?3 IS NULL OR seats.room = ?3)
          AND EXISTS (SELECT 1 FROM resourceFiles
            WHERE resourceFiles.lesson = lessons.id AND kind = 'recording' AND resourceFiles.state = 'verified')
          AND NOT EXISTS (SELECT 1 FROM lessonPlaybacks
              JOIN lessons AS other ON other.id = lessonPlaybacks.lesson
              JOIN seats AS place ON place.lesson = other.id
            WHERE lessonPlaybacks.source = lessons.id AND place.room = seats.room
              AND other.state NOT IN ('cancelled', 'notHeld'))
        ORDER BY lessons.plannedStart DESC, seats.rowid
        """
      let rows = try Row.fetchCursor(
        db, sql: sql, arguments: [max(0, earliest), now, room.databaseValue])
      var missed: [MissedLesson] = []
      while missed.count < limit, let row = try rows.next() {
        var reader = ColumnReader(row)
        let attended: Int64 = try reader.integer()
        let found = MissedLesson(lesson: try Lesson(&reader), seat: try Seat(&reader), attended: attended)
        let thresholds = AttendanceThresholds.version(found.lesson.thresholdsVersion) ?? .current
        let hasAttended = thresholds.isAttended(
          effectiveMilliseconds: attended, plannedMilliseconds: found.lesson.plannedMilliseconds)
        if !hasAttended { missed.append(found) }
      }
      return missed
    }
  }
}

extension Course {
  /// What a site makes a lesson of this course up in: recorded, for its party alone, at no weekly time.
  ///
  /// `number` is kept out: two courses of a term have no one number.
  public func makeUp(for party: Party, id: Identifier) -> Course {
    var course = self
    (course.id, course.number, course.mode) = (id, "", .asyncDual)
    (course.receivers, course.weeklyTimes) = ([party], [])
    return course
  }
}

extension LedgerTransaction {
  /// 补课: an asynchronous lesson in which a site sees a recorded lesson that it missed, with its seat alone.
  ///
  /// The course, made by `Course.makeUp`, is kept when one like it is not there yet. Throws `badRange` for a time that
  /// is over, `notFound`, `ReplayRule.Refusal`.
  public func makeUp(
    _ missed: MissedLesson, in course: Course, span: Range<Int64>, reason: String, by actor: Identifier
  ) throws -> Lesson {
    guard span.upperBound > now else { throw ClassroomError.badRange }
    try Limits.checkName(reason)
    try ReplayRule.check(
      rooms: Set([missed.seat.room].compactMap(\.self)), seated: Set([missed.seat.room].compactMap(\.self)),
      endedAt: missed.lesson.plannedEnd, isPublished: false, now: span.lowerBound)
    let known = try Course.fetch(
      db, where: "term = ? AND mode = 'asyncDual' AND cluster = ?",
      [course.term.databaseValue, course.cluster.databaseValue]
    ).first { course.makeUp(for: course.receivers[0], id: $0.id) == $0 }
    if known == nil { try upsert(course) }
    var random = SystemRandomNumberGenerator()
    func identifier() -> Identifier { Identifier(milliseconds: now, using: &random) }
    let lesson = Lesson(
      id: identifier(), registration: identifier(), course: (known ?? course).id, cluster: course.cluster,
      title: missed.lesson.title, plannedStart: span.lowerBound, plannedEnd: span.upperBound, state: .published)
    try lesson.put(db)
    try Seat(
      id: identifier(), lesson: lesson.id, role: .receiver, room: missed.seat.room,
      schoolClass: missed.seat.schoolClass, person: missed.seat.person
    ).put(db)
    let facts = [
      ("newStart", String(lesson.plannedStart)), ("newEnd", String(lesson.plannedEnd)),
      ("makesUpFor", "\(missed.lesson.id)"),
    ]
    try LessonChangeWriter(db: db, now: now, actor: actor, reason: reason)
      .note(lesson, .lessonAdded, byHand: true, facts)
    try db.execute(
      sql: "INSERT INTO lessonPlaybacks (lesson, source) VALUES (?, ?)",
      arguments: [lesson.id.databaseValue, missed.lesson.id.databaseValue])
    return lesson
  }
}
