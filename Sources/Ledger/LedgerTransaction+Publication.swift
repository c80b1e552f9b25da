public import Classroom
internal import GRDB

extension LedgerTransaction {
  /// Makes the lessons of a term, or makes those there are agree with the timetable, and publishes it under the next
  /// version.
  ///
  /// A lesson is found again by its course and origin, so that its identifier and registration stay. Lessons that were
  /// changed by hand, are open, were taught or lapsed stay as they are; what the timetable lacks is cancelled. What
  /// starts before `from` (UTC milliseconds) is neither made nor changed. One event tells of it, and one each of the
  /// lessons that it changes. Throws `stale` when terms, courses, bells, or where rooms and schools lie, are not as
  /// the timetable has them any more, `changed` then naming the tables; `notFound` for an unknown term; `full`.
  @discardableResult
  public func publish(
    _ publication: Publication, by actor: Identifier, from start: Int64 = 0
  ) throws -> PublicationSummary {
    var term = try current(publication.timetable)
    let (version, overflow) = term.version.addingReportingOverflow(1)
    guard !overflow else { throw LedgerError.full }
    term.state = .published
    term.version = version
    var run = try PublicationRun(db: db, now: now, actor: actor, start: start, term: term)
    for course in publication.courses { try run.publish(course) }
    try run.cancelRest()
    run.summary.undated = publication.undated.count
    try term.put(db)
    let summary = run.summary
    let figures = [
      ("made", summary.made), ("changed", summary.changed), ("cancelled", summary.cancelled),
      ("reinstated", summary.reinstated), ("kept", summary.kept),
    ]
    try append(
      LedgerEvent(
        kind: .termPublished,
        payload: [("term", term.code), ("version", String(version)), ("by", actor.description)]
          + figures.map { ($0, String($1)) }))
    return summary
  }

  /// The term as it stands, if everything that lessons follow from is as the timetable has it.
  private func current(_ timetable: Timetable) throws -> Term {
    guard let term = try Term.fetch(db, id: timetable.term.id) else { throw LedgerError.notFound }
    var changed: [String] = []
    if term != timetable.term { changed.append("terms") }
    let courses = try LedgerStore.courses(term.code, db)
    if Set(courses) != Set(timetable.courses) { changed.append("courses") }
    let bells = Dictionary(grouping: try LedgerStore.all(db) as [BellSchedule], by: \.institution)
    if bells.mapValues(SchoolBells.init) != timetable.bells { changed.append("bells") }
    let leads = Set(courses.map(\.lead.room))
    for id in leads where try Room.fetch(db, id: id)?.institution != timetable.rooms[id]?.institution {
      changed.append("rooms")
      break
    }
    for id in Set(leads.compactMap { timetable.rooms[$0]?.institution })
    where try Institution.fetch(db, id: id)?.region != timetable.institutions[id]?.region {
      changed.append("institutions")
      break
    }
    guard changed.isEmpty else { throw LedgerError.stale(current: try RowVersion(term).text, changed: changed) }
    return term
  }
}

extension LedgerStore {
  /// Publishes a term as its timetable stands, in a transaction of its own; see `LedgerTransaction.publish`. Seconds
  /// for 30,000 lessons, while other writers wait.
  @discardableResult
  public func publish(
    _ timetable: Timetable, by actor: Identifier, from start: Int64 = 0, title: (Course) -> String
  ) throws -> PublicationSummary {
    let publication = Publication(timetable, title: title)
    return try transaction { try $0.publish(publication, by: actor, from: start) }
  }
}

/// One publication under way.
private struct PublicationRun {
  private struct Key: Hashable {
    let course: Identifier
    let origin: LessonOrigin
  }

  private struct Known {
    let lesson: Lesson
    let isByHand: Bool
    var isAskedFor = false

    /// Whether publications may still say what it is.
    var isPublications: Bool {
      !isByHand && (lesson.state == .planned || lesson.state == .published || lesson.state == .cancelled)
    }
  }

  private let db: Database
  private let now: Int64
  private let start: Int64
  private let writer: LessonChangeWriter
  private var known: [Key: Known] = [:]
  private var seats: [Identifier: [Seat]] = [:]
  private var random = SystemRandomNumberGenerator()
  private var room: Int
  var summary: PublicationSummary

  init(db: Database, now: Int64, actor: Identifier, start: Int64, term: Term) throws {
    self.db = db
    self.now = now
    self.start = start
    writer = LessonChangeWriter(db: db, now: now, actor: actor, reason: "publication")
    summary = PublicationSummary(term: term.code, version: term.version)
    room = Lesson.form.limit - (try Int.fetchOne(db, sql: Lesson.form.count) ?? 0)
    let ofTerm = "course IN (SELECT id FROM courses WHERE term = ?)"
    let columns = Lesson.form.columns.joined(separator: ", ")
    let rows = try Row.fetchCursor(
      db, sql: "SELECT \(columns), isByHand FROM lessons WHERE \(ofTerm) AND originDate IS NOT NULL",
      arguments: [term.code])
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let lesson = try Lesson(&columns)
      guard let course = lesson.course, let origin = lesson.origin else { continue }
      known[Key(course: course, origin: origin)] = Known(lesson: lesson, isByHand: try columns.truth())
    }
    guard !known.isEmpty else { return }
    let all = try Seat.fetch(
      db, where: "lesson IN (SELECT id FROM lessons WHERE \(ofTerm)) ORDER BY rowid", [term.code])
    seats = Dictionary(grouping: all, by: \.lesson)
  }

  mutating func publish(_ wanted: Publication.CourseLessons) throws {
    try Limits.checkName(wanted.title)
    var new: [Occurrence] = []
    var asked: Set<LessonOrigin> = []
    // Two weekly times of overlapping weeks ask for one lesson.
    for occurrence in wanted.occurrences where asked.insert(occurrence.origin).inserted {
      let key = Key(course: wanted.course.id, origin: occurrence.origin)
      guard var found = known[key] else {
        if occurrence.span.lowerBound < start { summary.past += 1 } else { new.append(occurrence) }
        continue
      }
      found.isAskedFor = true
      known[key] = found
      let isPast = min(occurrence.span.lowerBound, found.lesson.plannedStart) < start
      if found.isPublications, !isPast {
        try agree(found.lesson, wanted, occurrence)
      } else {
        summary.kept += 1
      }
    }
    try make(new, wanted)
  }

  /// Cancels what nothing asked for.
  mutating func cancelRest() throws {
    let rest = known.values.filter { !$0.isAskedFor }.sorted { $0.lesson.plannedStart < $1.lesson.plannedStart }
    for known in rest {
      var lesson = known.lesson
      if lesson.state == .cancelled, !known.isByHand { continue }
      guard known.isPublications, lesson.plannedStart >= start, lesson.take(.cancel) else {
        summary.kept += 1
        continue
      }
      let facts = [("oldState", known.lesson.state.rawValue)]
      try writer.keep(&lesson, .lessonCancelled, byHand: false, facts)
      summary.cancelled += 1
    }
  }

  // MARK: New lessons

  /// Identifiers in order, which the tables' indexes take faster.
  private mutating func identifiers(_ count: Int) -> [Identifier] {
    (0..<count).map { _ in Identifier(milliseconds: now, using: &random) }.sorted()
  }

  private mutating func make(_ occurrences: [Occurrence], _ wanted: Publication.CourseLessons) throws {
    guard !occurrences.isEmpty else { return }
    room -= occurrences.count
    guard room >= 0 else { throw LedgerError.full }
    let insertLesson = try db.cachedStatement(sql: Lesson.form.insert)
    let insertSeat = try db.cachedStatement(sql: Seat.form.insert)
    let (lessons, registrations) = (identifiers(occurrences.count), identifiers(occurrences.count))
    var seatIDs = identifiers(occurrences.count * (wanted.course.receivers.count + 1))[...]
    for (index, occurrence) in occurrences.enumerated() {
      let lesson = Lesson(
        id: lessons[index], registration: registrations[index], course: wanted.course.id,
        cluster: wanted.course.cluster, title: wanted.title, plannedStart: occurrence.span.lowerBound,
        plannedEnd: occurrence.span.upperBound, state: .published, origin: occurrence.origin)
      try lesson.check()
      try insertLesson.execute(arguments: StatementArguments(lesson.values()))
      for var seat in wanted.course.seats(of: lesson) {
        seat.id = seatIDs.removeFirst()
        try insertSeat.execute(arguments: StatementArguments(seat.values()))
      }
    }
    summary.made += occurrences.count
  }

  // MARK: Lessons there are

  private mutating func agree(
    _ old: Lesson, _ wanted: Publication.CourseLessons, _ occurrence: Occurrence
  ) throws {
    var lesson = Lesson(
      id: old.id, registration: old.registration, course: wanted.course.id, cluster: wanted.course.cluster,
      title: wanted.title, plannedStart: occurrence.span.lowerBound, plannedEnd: occurrence.span.upperBound,
      state: .published, isAlwaysLive: old.isAlwaysLive, thresholdsVersion: old.thresholdsVersion,
      origin: occurrence.origin, teacher: old.teacher, revision: old.revision)
    let areSeatsChanged = try agreeSeats(of: lesson, wanted.course)
    guard lesson != old || areSeatsChanged else {
      summary.unchanged += 1
      return
    }
    let facts = LessonChangeWriter.moved(from: old, to: lesson)
    let isMoved = lesson.plannedStart != old.plannedStart || lesson.plannedEnd != old.plannedEnd
    if old.state == .cancelled {
      // No step of the lesson's machine leads here: the publication takes back its own cancellation.
      try writer.keep(&lesson, .lessonReinstated, byHand: false, facts)
      summary.reinstated += 1
    } else {
      try writer.keep(&lesson, isMoved ? .lessonMoved : .lessonRevised, byHand: false, isMoved ? facts : [])
      summary.changed += 1
    }
  }

  /// Makes the lead's and the receivers' seats those of the course, keeping each by its room; true when any changed.
  private mutating func agreeSeats(of lesson: Lesson, _ course: Course) throws -> Bool {
    var left = (seats[lesson.id] ?? []).filter { $0.role == .lead || $0.role == .receiver }
    var isChanged = false
    for var wanted in course.seats(of: lesson) {
      let place = left.firstIndex { $0.role == wanted.role && (wanted.role == .lead || $0.room == wanted.room) }
      if let place {
        let old = left.remove(at: place)
        wanted.id = old.id
        if wanted == old { continue }
      } else {
        wanted.id = Identifier(milliseconds: now, using: &random)
      }
      try wanted.put(db)
      isChanged = true
    }
    for seat in left {
      // A seat that the log tells of stays: the chain names it.
      try db.cachedStatement(
        sql: """
          DELETE FROM seats WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM events WHERE seat = ?1)
            AND NOT EXISTS (SELECT 1 FROM attendance WHERE seat = ?1)
          """
      ).execute(arguments: [seat.id.databaseValue])
      if db.changesCount > 0 { isChanged = true }
    }
    return isChanged
  }
}
