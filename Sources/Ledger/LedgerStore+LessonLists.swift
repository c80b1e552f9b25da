public import Classroom
internal import GRDB

/// Lessons in the order they are planned to start, bounded by `limit`.
extension LedgerStore {
  /// Lessons planned to start in a span of UTC milliseconds; of one cluster or of all.
  public func lessons(
    cluster: Identifier? = nil, startingIn span: ClosedRange<Int64> = 0...Limits.latestTime,
    limit: Int = listLimit
  ) throws -> [Lesson] {
    try read { db in
      guard let cluster else {
        return try Lesson.fetch(
          db, where: "plannedStart BETWEEN ? AND ? ORDER BY plannedStart, rowid LIMIT ?",
          [span.lowerBound, span.upperBound, limit])
      }
      return try Lesson.fetch(
        db, where: "cluster = ? AND plannedStart BETWEEN ? AND ? ORDER BY plannedStart, rowid LIMIT ?",
        [cluster.databaseValue, span.lowerBound, span.upperBound, limit])
    }
  }

  /// Lessons in a state.
  public func lessons(in state: LessonState, limit: Int = listLimit) throws -> [Lesson] {
    try read { db in
      try Lesson.fetch(db, where: "state = ? ORDER BY plannedStart, rowid LIMIT ?", [state.rawValue, limit])
    }
  }

  /// Lessons of a course planned to start in a span.
  public func lessons(
    course: Identifier, startingIn span: ClosedRange<Int64> = 0...Limits.latestTime, limit: Int = listLimit
  ) throws -> [Lesson] {
    try read { db in
      try Lesson.fetch(
        db, where: "course = ? AND plannedStart BETWEEN ? AND ? ORDER BY plannedStart, rowid LIMIT ?",
        [course.databaseValue, span.lowerBound, span.upperBound, limit])
    }
  }

  /// Lessons in which a room has a seat, planned to start in a span: what it has at 10:10.
  public func lessons(
    room: Identifier, startingIn span: ClosedRange<Int64> = 0...Limits.latestTime, limit: Int = listLimit
  ) throws -> [Lesson] {
    try read { db in
      try Lesson.fetch(
        db,
        where: """
          id IN (SELECT lesson FROM seats WHERE room = ?) AND plannedStart BETWEEN ? AND ?
          ORDER BY plannedStart, rowid LIMIT ?
          """, [room.databaseValue, span.lowerBound, span.upperBound, limit])
    }
  }

  /// Lessons of a term's courses, in all states.
  public func lessons(
    term: String, startingIn span: ClosedRange<Int64> = 0...Limits.latestTime, limit: Int = listLimit
  ) throws -> [Lesson] {
    try read { try Self.lessons(of: term, in: span, limit, $0) }
  }

  static func lessons(
    of term: String, in span: ClosedRange<Int64>, _ limit: Int, _ db: Database
  ) throws -> [Lesson] {
    try Lesson.fetch(
      db,
      where: """
        course IN (SELECT id FROM courses WHERE term = ?) AND plannedStart BETWEEN ? AND ?
        ORDER BY plannedStart, rowid LIMIT ?
        """, [term, span.lowerBound, span.upperBound, limit])
  }

  /// Seats of lessons, each lesson's in the order they were made; as `seats(lesson:)`, for a page of a list at once.
  public func seats(lessons ids: [Identifier]) throws -> [Identifier: [Seat]] {
    try read { db in
      var seats: [Identifier: [Seat]] = [:]
      for start in stride(from: 0, to: ids.count, by: Self.pageLimit) {
        let page = ids[start..<min(start + Self.pageLimit, ids.count)]
        let places = page.map { _ in "?" }.joined(separator: ", ")
        let found = try Seat.fetch(
          db, where: "lesson IN (\(places)) ORDER BY rowid", StatementArguments(page.map(\.databaseValue)))
        for seat in found { seats[seat.lesson, default: []].append(seat) }
      }
      return seats
    }
  }

  /// What people call rooms or courses, for a page of a list at once; rows that do not exist are left out.
  public func numbers(of table: CatalogueTable, _ ids: some Collection<Identifier>) throws -> [Identifier: String] {
    guard table == .rooms || table == .courses else { return [:] }
    let ids = Array(ids)
    return try read { db in
      var numbers: [Identifier: String] = [:]
      for start in stride(from: 0, to: ids.count, by: Self.pageLimit) {
        let page = ids[start..<min(start + Self.pageLimit, ids.count)]
        let places = page.map { _ in "?" }.joined(separator: ", ")
        let rows = try Row.fetchCursor(
          db, sql: "SELECT id, number FROM \(table) WHERE id IN (\(places))",
          arguments: StatementArguments(page.map(\.databaseValue)))
        while let row = try rows.next() {
          var columns = ColumnReader(row)
          numbers[try columns.identifier()] = try columns.text()
        }
      }
      return numbers
    }
  }

  /// Places of one statement, which has 32,766 at most.
  private static let pageLimit = 500
}
