internal import Classroom
internal import GRDB

extension LedgerTransaction {
  /// Takes a row out of the catalogue; false when there is none.
  ///
  /// Throws `referenced` when anything names it, such as lessons a course, seats a room; and `immutable` for lessons,
  /// seats and resources, which are cancelled or kept. Cost: the courses, clusters and terms are read through once for
  /// each call, so that many rows are better removed by `remove(_:)`.
  @discardableResult
  public func remove(_ row: LedgerRow) throws -> Bool { try remove([row]) == 1 }

  /// Takes rows out in the order given, courses before what they name; returns how many there were. Throws as the
  /// removal of one does.
  @discardableResult
  public func remove(_ rows: [LedgerRow]) throws -> Int {
    var named: NamedRows?
    var removed = 0
    for row in rows {
      guard ![.lessons, .seats, .resourceFiles].contains(row.table) else { throw LedgerError.immutable }
      guard let old = try row.fetch(db) else { continue }
      if let term = old as? Term { try refuseReferencedTerm(term) }
      for (table, column) in Self.referrers(of: row.table) {
        if let other = try referrer(table, column, row.id) { throw LedgerError.referenced(row, by: other) }
      }
      if [.institutions, .rooms, .classes, .persons].contains(row.table) {
        let names = try named ?? NamedRows(db)
        named = names
        if let other = names.referrers[row.id] { throw LedgerError.referenced(row, by: other) }
      }
      if [.courses, .clusters, .terms].contains(row.table) { named = nil }
      try db.cachedStatement(sql: "DELETE FROM \(row.table) WHERE id = ?").execute(arguments: [row.id.databaseValue])
      removed += 1
    }
    return removed
  }

  /// Columns that name rows of a table, each with an index.
  private static func referrers(of table: CatalogueTable) -> [(CatalogueTable, String)] {
    switch table {
    case .institutions:
      [
        (.institutions, "parent"), (.institutions, "successor"), (.rooms, "institution"), (.classes, "institution"),
        (.persons, "institution"), (.bells, "institution"), (.rosterTotals, "institution"),
      ]
    case .rooms: [(.classes, "homeRoom"), (.seats, "room")]
    case .classes: [(.seats, "schoolClass"), (.localTimetables, "schoolClass"), (.resourceFiles, "schoolClass")]
    case .persons: [(.lessons, "teacher")]
    case .clusters: [(.courses, "cluster"), (.lessons, "cluster")]
    case .courses: [(.lessons, "course")]
    default: []
    }
  }

  private func referrer(_ table: CatalogueTable, _ column: String, _ id: Identifier) throws -> LedgerRow? {
    let name = table == .localTimetables ? "schoolClass" : table == .rosterTotals ? "institution" : "id"
    let find = try db.cachedStatement(sql: "SELECT \(name) FROM \(table) WHERE \(column) = ? LIMIT 1")
    guard let row = try Row.fetchOne(find, arguments: [id.databaseValue]) else { return nil }
    var columns = ColumnReader(row)
    return LedgerRow(table, try columns.identifier())
  }

  /// Courses and local timetables name a term by its code.
  func refuseReferencedTerm(_ term: Term) throws {
    for (table, name) in [(CatalogueTable.courses, "id"), (.localTimetables, "schoolClass")] {
      let find = try db.cachedStatement(sql: "SELECT \(name) FROM \(table) WHERE term = ? LIMIT 1")
      guard let row = try Row.fetchOne(find, arguments: [term.code]) else { continue }
      var columns = ColumnReader(row)
      throw LedgerError.referenced(LedgerRow(.terms, term.id), by: LedgerRow(table, try columns.identifier()))
    }
  }
}

/// Rows named where SQLite has no index: inside JSON lists, by seats' persons, by local lessons of others.
private struct NamedRows {
  private(set) var referrers: [Identifier: LedgerRow] = [:]

  init(_ db: Database) throws {
    for course in try LedgerStore.all(db) as [Course] {
      let row = LedgerRow(.courses, course.id)
      for reference in course.references { referrers[reference.id] = row }
      for teacher in course.teachers { referrers[teacher] = row }
    }
    for cluster in try LedgerStore.all(db) as [Cluster] {
      for reference in cluster.references { referrers[reference.id] = LedgerRow(.clusters, cluster.id) }
    }
    for term in try LedgerStore.all(db) as [Term] {
      for reference in term.references { referrers[reference.id] = LedgerRow(.terms, term.id) }
    }
    try take(db, "SELECT person, id FROM seats WHERE person IS NOT NULL GROUP BY person", .seats)
    for column in ["institution", "schoolClass", "teacher"] {
      let sql = "SELECT \(column), schoolClass FROM localLessons WHERE \(column) IS NOT NULL GROUP BY \(column)"
      try take(db, sql, .localTimetables)
    }
  }

  private mutating func take(_ db: Database, _ sql: String, _ table: CatalogueTable) throws {
    let rows = try Row.fetchCursor(db, sql: sql)
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let named = try columns.identifier()
      referrers[named] = LedgerRow(table, try columns.identifier())
    }
  }
}
