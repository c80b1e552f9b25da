public import Classroom
internal import GRDB

extension LedgerStore {
  /// Rows of one kind in a timetable: more than any table but those of lessons may hold.
  static let snapshotLimit = 1_000_000

  /// Everything a term's timetable is computed from, as it stands at one moment; nil for a term that does not exist.
  ///
  /// Institutions, rooms, classes, persons, clusters and bells are all there are; courses and local timetables those of
  /// the term, lessons those of its courses, in all states. Well under a second for a county of 3,000 institutions;
  /// writing goes on meanwhile.
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
    Timetable(
      term: term, policy: policy, subjects: subjects, institutions: try all(db), rooms: try all(db),
      classes: try all(db), persons: try all(db), clusters: try all(db), courses: try courses(term.code, db),
      bells: try all(db), localLessons: try localLessons(term.code, db),
      lessons: term.state == .draft ? [] : try lessons(of: term.code, in: 0...Limits.latestTime, snapshotLimit, db))
  }

  static func all<R: CatalogueRow>(_ db: Database) throws -> [R] {
    try R.fetch(db, where: "1 ORDER BY rowid LIMIT ?", [snapshotLimit])
  }

  static func courses(_ term: String, _ db: Database) throws -> [Course] {
    try Course.fetch(db, where: "term = ? ORDER BY number, rowid", [term])
  }

  /// By class, those known to be empty too.
  private static func localLessons(_ term: String, _ db: Database) throws -> [Identifier: [LocalLesson]] {
    var classes: [Int64: Identifier] = [:]
    var lessons: [Identifier: [LocalLesson]] = [:]
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, schoolClass FROM localTimetables WHERE term = ?", arguments: [term])
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let id: Int64 = try columns.integer()
      let schoolClass = try columns.identifier()
      classes[id] = schoolClass
      lessons[schoolClass] = []
    }
    let condition = "timetable IN (SELECT id FROM localTimetables WHERE term = ?)"
    for (timetable, lesson) in try LocalLessonReader.read(db, where: condition, [term], term: term) {
      guard let schoolClass = classes[timetable] else { continue }
      lessons[schoolClass, default: []].append(lesson)
    }
    return lessons
  }
}
