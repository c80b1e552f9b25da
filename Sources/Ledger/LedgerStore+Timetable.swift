public import Classroom
internal import GRDB

extension LedgerStore {
  /// Rows of one kind in a timetable: more than any table but those of lessons may hold.
  static let snapshotLimit = 1_000_000

  /// Everything a term's timetable is computed from, as it stands at one moment; nil for a term that does not exist.
  ///
  /// Institutions, rooms, classes, persons, clusters and bells are all there are; courses and local timetables those of
  /// the term, lessons those of its courses, in all states, of a draft those that were added beside its weekly times.
  /// Well under a second for a county of 3,000 institutions; writing goes on meanwhile.
  public func timetable(
    term code: String, policy: TimetablePolicy = .standard, subjects: [Subject] = []
  ) throws -> Timetable? {
    try read { db in
      guard let term = try Term.fetch(db, where: "code = ?", [code]).first else { return nil }
      return try Self.timetable(term, policy, subjects, db)
    }
  }

  static func timetable(
    _ term: Term, _ policy: TimetablePolicy, _ subjects: [Subject], _ db: Database
  ) throws -> Timetable {
    let locals = try localLessons(term.code, db)
    return Timetable(
      term: term, policy: policy, subjects: subjects, institutions: try all(db), rooms: try all(db),
      classes: try all(db), persons: try all(db), clusters: try all(db), courses: try courses(term.code, db),
      bells: try all(db), localLessons: locals.lessons, partialLocals: locals.partial,
      lessons: try lessons(of: term, db), roomChanges: try roomChanges("term = ?", [term.code], db))
  }

  private static func lessons(of term: Term, _ db: Database) throws -> [Lesson] {
    guard term.state == .draft else { return try lessons(of: term.code, in: 0...Limits.latestTime, snapshotLimit, db) }
    return try Lesson.fetch(
      db,
      where: """
        course IN (SELECT id FROM courses WHERE term = ?) AND originDate IS NULL ORDER BY plannedStart, rowid LIMIT ?
        """, [term.code, snapshotLimit])
  }

  /// What the dated lessons of one course have become, in all states, and the rooms they have in place of its own: what
  /// a timetable that was read before lacks after a change of one of them.
  public func datedLessons(
    course: Identifier
  ) throws -> (lessons: [Lesson], roomChanges: [Identifier: [RoomChange]]) {
    try read { db in
      let lessons = try Lesson.fetch(
        db, where: "course = ? ORDER BY plannedStart, rowid LIMIT ?", [course.databaseValue, Self.snapshotLimit])
      return (lessons, try Self.roomChanges("id = ?", [course.databaseValue], db))
    }
  }

  /// By lesson, of courses with a condition. A seat that is back in its first room has none.
  private static func roomChanges(
    _ condition: String, _ arguments: StatementArguments, _ db: Database
  ) throws -> [Identifier: [RoomChange]] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT changes.lesson, events.seat, events.payload, seats.room FROM lessonChanges AS changes
        JOIN events ON events.id = changes.event JOIN seats ON seats.id = events.seat
        WHERE changes.kind = 'lessonRoomChanged' AND seats.room IS NOT NULL AND changes.lesson IN (
          SELECT id FROM lessons WHERE course IN (SELECT id FROM courses WHERE \(condition)))
        ORDER BY changes.id
        """, arguments: arguments)
    var seen: Set<Identifier> = []
    var changes: [Identifier: [RoomChange]] = [:]
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let (lesson, seat) = (try columns.identifier(), try columns.identifier())
      let payload = try PayloadCoding.decode(try columns.text())
      let room = try columns.identifier()
      // The first change of a seat says where it was meant to be.
      guard seen.insert(seat).inserted, let old = payload.first(where: { $0.0 == "old" }),
        let from = Identifier(old.1), from != room
      else { continue }
      changes[lesson, default: []].append(RoomChange(from: from, to: room))
    }
    return changes
  }

  static func all<R: CatalogueRow>(_ db: Database) throws -> [R] {
    try R.fetch(db, where: "1 ORDER BY rowid LIMIT ?", [snapshotLimit])
  }

  static func courses(_ term: String, _ db: Database) throws -> [Course] {
    try Course.fetch(db, where: "term = ? ORDER BY number, rowid", [term])
  }

  /// By class, those known to be empty too; and the classes of which only some lessons are known.
  private static func localLessons(
    _ term: String, _ db: Database
  ) throws -> (lessons: [Identifier: [LocalLesson]], partial: Set<Identifier>) {
    var classes: [Int64: Identifier] = [:]
    var partial: Set<Identifier> = []
    var lessons: [Identifier: [LocalLesson]] = [:]
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, schoolClass, isWhole FROM localTimetables WHERE term = ?", arguments: [term])
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let id: Int64 = try columns.integer()
      let schoolClass = try columns.identifier()
      classes[id] = schoolClass
      lessons[schoolClass] = []
      if try !columns.truth() { partial.insert(schoolClass) }
    }
    let condition = "timetable IN (SELECT id FROM localTimetables WHERE term = ?)"
    for (timetable, lesson) in try LocalLessonReader.read(db, where: condition, [term], term: term) {
      guard let schoolClass = classes[timetable] else { continue }
      lessons[schoolClass, default: []].append(lesson)
    }
    return (lessons, partial)
  }
}
