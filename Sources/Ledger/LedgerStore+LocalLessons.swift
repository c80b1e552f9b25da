public import Classroom
internal import GRDB

extension LedgerTransaction {
  /// Lessons of one local timetable: more than every period of every day in both kinds of weeks.
  public static let localLessonLimit = 400

  /// Puts a local timetable in the place of the one before, also an empty one, which makes it known.
  ///
  /// `isWhole` is false for what one teacher's file told: the class has those lessons, and may have others.
  /// Throws `ClassroomError`; `badRange` for a lesson of another class or term, `tooMany` past 400; `notFound` for a
  /// class, school or teacher that does not exist.
  public func replaceLocalLessons(
    of schoolClass: Identifier, term: String, _ lessons: [LocalLesson], isWhole: Bool = true
  ) throws {
    try Limits.checkName(term, limit: Limits.codeScalars)
    guard lessons.count <= Self.localLessonLimit else { throw ClassroomError.tooMany }
    for lesson in lessons {
      try lesson.validate()
      guard lesson.schoolClass == schoolClass, lesson.term == term else { throw ClassroomError.badRange }
    }
    try removeLocalLessons(of: schoolClass, term: term)
    try db.cachedStatement(
      sql: "INSERT INTO localTimetables (term, schoolClass, importedAt, isWhole) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [term, schoolClass.databaseValue, now, isWhole])
    let timetable = db.lastInsertedRowID
    let insert = try db.cachedStatement(
      sql: """
        INSERT INTO localLessons (timetable, place, institution, schoolClass, teacher, subject, weekday, period,
          startMinute, endMinute, weeks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    for (place, lesson) in lessons.enumerated() {
      let (period, start, end): (Int?, Int?, Int?) =
        switch lesson.time {
        case .period(let number): (number, nil, nil)
        case .clock(let start, let end): (nil, start.minute, end.minute)
        }
      try insert.execute(arguments: [
        timetable, place, lesson.institution.databaseValue, lesson.schoolClass.databaseValue,
        lesson.teacher.databaseValue, lesson.subject, lesson.weekday, period, start, end,
        Int64(bitPattern: lesson.weeks.bits),
      ])
    }
  }

  /// Forgets a local timetable, so that it is not known again; false when it was not known.
  @discardableResult
  public func removeLocalLessons(of schoolClass: Identifier, term: String) throws -> Bool {
    let find = try db.cachedStatement(sql: "SELECT id FROM localTimetables WHERE schoolClass = ? AND term = ?")
    guard let id = try Int64.fetchOne(find, arguments: [schoolClass.databaseValue, term]) else { return false }
    try db.cachedStatement(sql: "DELETE FROM localLessons WHERE timetable = ?").execute(arguments: [id])
    try db.cachedStatement(sql: "DELETE FROM localTimetables WHERE id = ?").execute(arguments: [id])
    return true
  }
}

extension LedgerStore {
  /// A local timetable as it was imported, in its order; nil when none was, which is "not known".
  public func localLessons(of schoolClass: Identifier, term: String) throws -> [LocalLesson]? {
    try read { db in
      let id = try Int64.fetchOne(
        db, sql: "SELECT id FROM localTimetables WHERE schoolClass = ? AND term = ?",
        arguments: [schoolClass.databaseValue, term])
      guard let id else { return nil }
      return try LocalLessonReader.read(db, where: "timetable = ?", [id], term: term).map(\.lesson)
    }
  }

  /// When a local timetable was imported, UTC milliseconds; nil when none was.
  public func localLessonsImportedAt(of schoolClass: Identifier, term: String) throws -> Int64? {
    try read { db in
      try Int64.fetchOne(
        db, sql: "SELECT importedAt FROM localTimetables WHERE schoolClass = ? AND term = ?",
        arguments: [schoolClass.databaseValue, term])
    }
  }
}

/// Reads the rows of local lessons, which are no rows of the catalogue: their timetable is.
enum LocalLessonReader {
  static func read(
    _ db: Database, where condition: String, _ arguments: StatementArguments, term: String
  ) throws -> [(timetable: Int64, lesson: LocalLesson)] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT timetable, institution, schoolClass, teacher, subject, weekday, period, startMinute, endMinute, weeks
        FROM localLessons WHERE \(condition) ORDER BY timetable, place
        """, arguments: arguments)
    var lessons: [(timetable: Int64, lesson: LocalLesson)] = []
    // Few sets of weeks are in use, and making one walks all weeks.
    var weekSets: [Int64: WeekSet] = [Int64(bitPattern: WeekSet.all.bits): .all]
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let timetable: Int64 = try columns.integer()
      let (institution, schoolClass) = (try columns.identifier(), try columns.identifier())
      let teacher = try columns.optionalIdentifier()
      let subject = try columns.text()
      let weekday: Int = try columns.integer()
      let time = try time(&columns)
      let bits: Int64 = try columns.integer()
      let weeks: WeekSet
      if let known = weekSets[bits] {
        weeks = known
      } else {
        weeks = WeekSet(WeekSet.weeks.lazy.filter { bits & 1 << Int64($0) != 0 })
        weekSets[bits] = weeks
      }
      lessons.append(
        (
          timetable,
          LocalLesson(
            institution: institution, term: term, schoolClass: schoolClass, teacher: teacher, subject: subject,
            weekday: weekday, time: time, weeks: weeks)
        ))
    }
    return lessons
  }

  private static func time(_ columns: inout ColumnReader) throws -> LocalLesson.Time {
    let period: Int? = try columns.optionalInteger()
    let start: Int? = try columns.optionalInteger()
    let end: Int? = try columns.optionalInteger()
    if let period { return .period(period) }
    guard let start = start.flatMap(ClockTime.init(minute:)), let end = end.flatMap(ClockTime.init(minute:)) else {
      throw LedgerError.corruptRow
    }
    return .clock(start, end)
  }
}
