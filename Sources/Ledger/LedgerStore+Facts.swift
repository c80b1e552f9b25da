public import Classroom
internal import GRDB

/// How much of each seat is read.
public enum FactDetail: Sendable {
  /// Of taught lessons the seats that attended, as long as counts need them: a term of a county in a moment.
  case counts
  /// Every seat with all that is known of it.
  case whole
}

extension LedgerStore {
  /// Facts of the lessons planned to start in a span of UTC milliseconds, by their start; always-live ones have none.
  ///
  /// Lessons whose rows are not what their events say are counted anew first, and kept unless they are open. Reads
  /// lessons and seats once each: O(their number).
  public func lessonFacts(_ span: Range<Int64>, detail: FactDetail) throws -> [LessonFact] {
    guard !span.isEmpty else { return [] }
    let open = try refreshFacts(span)
    let now = clock()
    return try read { db in
      var (facts, places) = try Self.readLessons(db, span)
      try Self.readSeats(db, span, detail) { lesson, seat in
        if let place = places[lesson] { facts[place].seats.append(seat) }
      }
      if detail == .whole {
        try Self.readPlannedSeats(db, span) { lesson, seat in
          if let place = places[lesson], facts[place].events == 0 { facts[place].seats.append(seat) }
        }
      }
      for id in open {
        if let place = places[id] { facts[place] = try LessonFactBuilder.make(db, id, now: now).fact }
      }
      return facts
    }
  }

  /// Makes kept facts those of the events. Returns lessons that are open, whose facts are not kept.
  private func refreshFacts(_ span: Range<Int64>) throws -> [Identifier] {
    let stale = try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT lessons.id, lessons.state FROM lessons LEFT JOIN lessonFacts ON lessonFacts.lesson = lessons.id
          WHERE lessons.plannedStart >= ? AND lessons.plannedStart < ? AND lessons.eventCount > 0
            AND lessons.isAlwaysLive = 0
            AND (lessonFacts.events IS NOT lessons.eventCount OR lessonFacts.definitions IS NOT ?)
          """, arguments: [span.lowerBound, span.upperBound, FigureDefinitions.current.version])
      var stale: [(id: Identifier, state: LessonState)] = []
      while let row = try rows.next() {
        var columns = ColumnReader(row)
        stale.append((try columns.identifier(), try columns.choice()))
      }
      return stale
    }
    let closed = stale.filter { !$0.state.isOpen }
    // Lessons that run are written to in between.
    for start in stride(from: 0, to: closed.count, by: 100) {
      try write { db in
        for lesson in closed[start..<min(start + 100, closed.count)] { try LessonFactBuilder.keep(db, lesson.id) }
      }
    }
    return stale.filter(\.state.isOpen).map(\.id)
  }

  private static func readLessons(
    _ db: Database, _ span: Range<Int64>
  ) throws -> (facts: [LessonFact], places: [Identifier: Int]) {
    var courses: [Identifier: Course] = [:]
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT l.id, l.course, l.cluster, l.plannedStart, l.plannedEnd, l.state, l.thresholdsVersion, l.teacher,
          f.events, f.course, f.cluster, f.term, f.subject, f.grades, f.mode, f.teacher, f.plannedStart, f.plannedEnd,
          f.state, f.liveMilliseconds, f.endedAt, f.thresholdsVersion, f.isExcluded, f.corrections
        FROM lessons l LEFT JOIN lessonFacts f ON f.lesson = l.id
        WHERE l.plannedStart >= ? AND l.plannedStart < ? AND l.isAlwaysLive = 0 ORDER BY l.plannedStart, l.rowid
        """, arguments: [span.lowerBound, span.upperBound])
    var facts: [LessonFact] = []
    var places: [Identifier: Int] = [:]
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      var fact = LessonFact(
        id: try columns.identifier(), course: try columns.optionalIdentifier(), cluster: try columns.identifier(),
        plannedStart: try columns.integer(), plannedEnd: try columns.integer(), state: try columns.choice())
      fact.thresholdsVersion = try columns.integer()
      fact.teacher = try columns.optionalIdentifier()
      if let events: Int = try columns.optionalInteger() {
        fact.events = events
        try fact.read(&columns)
      } else if let id = fact.course {
        // Nothing happened to it yet: the catalogue knows it alone.
        if courses[id] == nil { courses[id] = try Course.fetch(db, id: id) }
        if let course = courses[id] { fact.take(course) }
      }
      places[fact.id] = facts.count
      facts.append(fact)
    }
    return (facts, places)
  }

  private static func readSeats(
    _ db: Database, _ span: Range<Int64>, _ detail: FactDetail, _ take: (Identifier, SeatFact) -> Void
  ) throws {
    let isWhole = detail == .whole
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT \(isWhole ? SeatFact.columns : SeatFact.countedColumns) FROM seatFacts
        WHERE start >= ? AND start < ? \(isWhole ? "" : "AND counted = 1") ORDER BY start
        """, arguments: [span.lowerBound, span.upperBound])
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let lesson = try columns.identifier()
      take(lesson, try SeatFact(&columns, isWhole: isWhole))
    }
  }

  /// Seats of lessons that nothing happened to yet.
  private static func readPlannedSeats(
    _ db: Database, _ span: Range<Int64>, _ take: (Identifier, SeatFact) -> Void
  ) throws {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT seats.id, seats.role, seats.room, seats.schoolClass, rooms.institution, seats.lesson
        FROM lessons JOIN seats ON seats.lesson = lessons.id LEFT JOIN rooms ON rooms.id = seats.room
        WHERE lessons.plannedStart >= ? AND lessons.plannedStart < ? AND lessons.eventCount = 0
          AND lessons.isAlwaysLive = 0
        """, arguments: [span.lowerBound, span.upperBound])
    while let row = try rows.next() {
      guard let bytes = RowReading.blob(row[5]), let lesson = Identifier(bytes: bytes) else {
        throw LedgerError.corruptRow
      }
      take(lesson, try SeatFact(place: row))
    }
  }

  /// Facts of one lesson, counted from its events now. Throws `notFound`.
  public func lessonFact(_ id: Identifier) throws -> LessonFact {
    let now = clock()
    return try read { try LessonFactBuilder.make($0, id, now: now).fact }
  }

  /// How many taught lessons each institution attended in a span. Cost: O(them), by an index of its own.
  public func attendedLessons(_ span: Range<Int64>) throws -> [Identifier: Int] {
    _ = try refreshFacts(span)
    return try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT institution, COUNT(*) FROM seatFacts WHERE counted = 1 AND start >= ? AND start < ?
            AND institution IS NOT NULL GROUP BY institution
          """, arguments: [span.lowerBound, span.upperBound])
      var counts: [Identifier: Int] = [:]
      while let row = try rows.next() {
        var columns = ColumnReader(row)
        let institution = try columns.identifier()
        counts[institution] = try columns.integer()
      }
      return counts
    }
  }

  /// When the first lesson was planned to start that anybody was taught in; nil before it.
  public func firstAttended() throws -> Int64? {
    try read { try Int64.fetchOne($0, sql: "SELECT MIN(start) FROM seatFacts WHERE counted = 1") }
  }
}

extension LessonFact {
  fileprivate mutating func read(_ columns: inout ColumnReader) throws {
    course = try columns.optionalIdentifier()
    cluster = try columns.identifier()
    term = try columns.text()
    subject = try columns.text()
    grades = try columns.text().split(separator: ",").compactMap { Int($0) }
    mode = try columns.choice()
    teacher = try columns.optionalIdentifier()
    plannedStart = try columns.integer()
    plannedEnd = try columns.integer()
    state = try columns.choice()
    liveMilliseconds = try columns.integer()
    endedAt = try columns.optionalInteger()
    thresholdsVersion = try columns.integer()
    isExcluded = try columns.truth()
    corrections = try columns.integer()
  }

  fileprivate mutating func take(_ row: Course) {
    term = row.term
    subject = row.subject
    grades = row.grades
    mode = row.mode
    teacher = teacher ?? row.lead.teacher
  }
}
