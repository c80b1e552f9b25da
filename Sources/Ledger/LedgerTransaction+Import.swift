public import Classroom
internal import GRDB

extension LedgerTransaction {
  /// Writes what an import was planned to change: all of it, or nothing.
  ///
  /// Rows may name rows that come later in the same plan. Lessons and their seats are not touched: what courses lose or
  /// gain shows in them at the next publication, and never in those taught. Throws as `upsert` and `remove` do;
  /// `notFound` when something that is named is missing at the end.
  public func apply(_ changes: ImportChanges) throws {
    try db.execute(sql: "PRAGMA defer_foreign_keys = ON")
    for value in changes.institutions { try upsert(value) }
    for value in changes.rooms { try upsert(value) }
    for value in changes.persons { try upsert(value) }
    for value in changes.classes { try upsert(value) }
    for value in changes.clusters { try upsert(value) }
    for value in changes.bells { try upsert(value) }
    for value in changes.terms { try upsert(value) }
    for value in changes.courses { try upsert(value) }
    for total in changes.rosterTotals { try upsert(total) }
    for timetable in changes.localTimetables {
      try replaceLocalLessons(
        of: timetable.schoolClass, term: timetable.term, timetable.lessons, isWhole: timetable.isWhole)
    }
    for space in changes.spaces { try upsert(space) }
    for total in changes.removedRosterTotals { try remove(total) }
    for space in changes.removedSpaces { try remove(spaceOf: space.owner) }
    // What names others goes first.
    let order: [SheetKind] = [.courses, .terms, .clusters, .bells, .classes, .rooms, .persons, .institutions]
    for sheet in order {
      guard let table = CatalogueTable(rawValue: sheet.rawValue) else { continue }
      var rows = changes.removed.filter { $0.sheet == sheet }.map { LedgerRow(table, $0.id) }
      if sheet == .institutions { rows = try branchesFirst(rows) }
      try remove(rows)
    }
  }

  /// Teaching points before the schools they belong to.
  private func branchesFirst(_ rows: [LedgerRow]) throws -> [LedgerRow] {
    let depths = try rows.map { row in
      try Int.fetchOne(
        db.cachedStatement(
          sql: """
            WITH RECURSIVE above(id, depth) AS (
              SELECT ?, 0 UNION SELECT parent, depth + 1 FROM institutions JOIN above USING (id)
              WHERE parent IS NOT NULL AND depth < 100)
            SELECT MAX(depth) FROM above
            """), arguments: [row.id.databaseValue]) ?? 0
    }
    return zip(rows, depths).enumerated().sorted { ($1.element.1, $0.offset) < ($0.element.1, $1.offset) }
      .map(\.element.0)
  }

  /// Makes the total of an institution, school year and grade, or changes it. Throws `ClassroomError`, and `notFound`
  /// for an unknown institution.
  public func upsert(_ total: RosterTotal) throws {
    try total.validate()
    try db.cachedStatement(
      sql: """
        INSERT INTO rosterTotals (institution, schoolYear, grade, pupils, teachers) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (institution, schoolYear, grade) DO UPDATE
          SET pupils = excluded.pupils, teachers = excluded.teachers
        """
    ).execute(arguments: [
      total.institution.databaseValue, total.schoolYear, total.grade ?? 0, total.pupils, total.teachers,
    ])
  }

  /// Takes the total of its institution, school year and grade away; false when there is none.
  @discardableResult
  public func remove(_ total: RosterTotal) throws -> Bool {
    try db.cachedStatement(
      sql: "DELETE FROM rosterTotals WHERE institution = ? AND schoolYear = ? AND grade = ?"
    ).execute(arguments: [total.institution.databaseValue, total.schoolYear, total.grade ?? 0])
    return db.changesCount > 0
  }
}

extension LedgerStore {
  /// Writes what an import was planned to change, in a transaction of its own; see `LedgerTransaction.apply`. Under 5 s
  /// for a large county, while other writers wait.
  public func apply(_ changes: ImportChanges) throws { try transaction { try $0.apply(changes) } }

  /// What there is, for an import to be planned onto; everything of all terms, at one moment.
  public func importBase(subjects: SubjectTable = .standard) throws -> ImportBase {
    try read { db in
      let terms = try Self.all(db) as [Term]
      let taught = try Row.fetchAll(
        db,
        sql: """
          SELECT id FROM courses WHERE EXISTS (SELECT 1 FROM lessons
            WHERE course = courses.id AND state IN ('live', 'ended', 'interrupted'))
          """)
      let condition = "timetable IN (SELECT id FROM localTimetables WHERE term = ?)"
      return ImportBase(
        subjects: subjects, institutions: try Self.all(db), rooms: try Self.all(db), persons: try Self.all(db),
        classes: try Self.all(db), clusters: try Self.all(db), bells: try Self.all(db), terms: terms,
        courses: try Self.all(db), rosterTotals: try Self.rosterTotals(nil, db),
        localLessons: try terms.flatMap { term in
          try LocalLessonReader.read(db, where: condition, [term.code], term: term.code).map(\.lesson)
        },
        spaces: try Self.spaces(db),
        taughtCourses: Set(
          try taught.map { row in
            var columns = ColumnReader(row)
            return try columns.identifier()
          }), partialLocals: try Self.partialLocals(db))
    }
  }

  /// Classes and terms of which only some lessons are known.
  private static func partialLocals(_ db: Database) throws -> Set<ImportBase.LocalClass> {
    let rows = try Row.fetchAll(db, sql: "SELECT schoolClass, term FROM localTimetables WHERE isWhole = 0")
    return Set(
      try rows.map { row in
        var columns = ColumnReader(row)
        return ImportBase.LocalClass(schoolClass: try columns.identifier(), term: try columns.text())
      })
  }

  /// Roster totals of one institution or of all, by institution, school year and grade.
  public func rosterTotals(institution: Identifier? = nil) throws -> [RosterTotal] {
    try read { try Self.rosterTotals(institution, $0) }
  }

  private static func rosterTotals(_ institution: Identifier?, _ db: Database) throws -> [RosterTotal] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT institution, schoolYear, grade, pupils, teachers FROM rosterTotals
        WHERE ?1 IS NULL OR institution = ?1 ORDER BY institution, schoolYear, grade LIMIT ?2
        """, arguments: [institution.databaseValue, snapshotLimit])
    var totals: [RosterTotal] = []
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let (institution, schoolYear): (Identifier, Int) = (try columns.identifier(), try columns.integer())
      let grade: Int = try columns.integer()
      totals.append(
        RosterTotal(
          institution: institution, schoolYear: schoolYear, grade: grade == 0 ? nil : grade,
          pupils: try columns.integer(), teachers: try columns.integer()))
    }
    return totals
  }
}
