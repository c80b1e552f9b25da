extension ImportRun {
  /// What would be left pointing at a removed row, and courses that were taught.
  mutating func checkRemovals() {
    let removed = Dictionary(grouping: plan.changes.removed, by: \.id).mapValues { $0[0].sheet }
    guard !removed.isEmpty else { return }
    func stays<Value: SheetValue>(_ table: ImportTable<Value>) -> [Value] {
      table.values.values.filter { removed[$0.id] == nil }.sorted { $0.id < $1.id }
    }
    for value in stays(tables.institutions) { check([value.parent, value.successor], of: value, removed) }
    for value in stays(tables.rooms) { check([value.institution], of: value, removed) }
    for value in stays(tables.persons) { check([value.institution], of: value, removed) }
    for value in stays(tables.classes) { check([value.institution, value.homeRoom], of: value, removed) }
    for value in stays(tables.clusters) { check(value.members.map(\.institution), of: value, removed) }
    for value in stays(tables.bells) { check([value.institution], of: value, removed) }
    for value in stays(tables.courses) {
      let parties = [value.lead] + value.receivers
      check(
        [value.cluster, tables.terms.keys[value.term]] + parties.flatMap { [$0.room, $0.schoolClass, $0.teacher] },
        of: value, removed)
    }
    for term in tables.terms.values.values where removed[term.id] == nil {
      check(term.deviations.map(\.institution), by: .terms, term.code, removed)
    }
    let goneTotals = Set(plan.changes.removedRosterTotals)
    for total in base.rosterTotals where !goneTotals.contains(total) {
      check([total.institution], by: .rosterTotals, total.title(tables), removed)
    }
    let rewritten = Dictionary(grouping: plan.changes.localTimetables, by: \.schoolClass)
    for lesson in base.localLessons where removed[lesson.schoolClass] != nil || removed[lesson.institution] != nil {
      guard rewritten[lesson.schoolClass] == nil else { continue }
      check([lesson.schoolClass, lesson.institution], by: .localLessons, lesson.term, removed)
    }
    for course in base.courses where removed[course.id] != nil && base.taughtCourses.contains(course.id) {
      issues.add(ImportIssue(.courseHasLessons, sheet: .courses, value: course.title(tables)))
    }
  }

  private func check<Value: SheetValue>(
    _ references: [Identifier?], of value: Value, _ removed: [Identifier: SheetKind]
  ) {
    check(references, by: Value.sheet, value.title(tables), removed)
  }

  private func check(
    _ references: [Identifier?], by sheet: SheetKind, _ key: String, _ removed: [Identifier: SheetKind]
  ) {
    for id in references {
      guard let id, let kind = removed[id] else { continue }
      issues.add(
        ImportIssue(
          .stillReferenced, sheet: kind, value: title(of: id, kind), arguments: ["sheet": sheet.rawValue, "key": key]))
    }
  }

  private func title(of id: Identifier, _ kind: SheetKind) -> String {
    switch kind {
    case .institutions: tables.text(institution: id)
    case .rooms: tables.text(room: id)
    case .persons: tables.persons.values[id]?.title(tables) ?? ""
    case .classes: tables.text(schoolClass: id)
    case .clusters: tables.clusters.values[id]?.number ?? ""
    case .bells: tables.bells.values[id]?.title(tables) ?? ""
    case .terms: tables.terms.values[id]?.code ?? ""
    case .courses: tables.courses.values[id]?.title(tables) ?? ""
    case .rosterTotals, .localLessons, .spaces: ""
    }
  }
}

extension ImportBase {
  /// The rows of a sheet as text under their header, in the form that an import reads back without a change; columns
  /// that no row fills are left out unless they are required.
  ///
  /// `inEnglish` is about the header alone. How cells are quoted is the writer's to say. Cost: one pass over the rows.
  public func table(of sheet: SheetKind, inEnglish: Bool = false) -> [[String]] {
    let tables = ImportTables(self)
    let rows: [[SheetField: String]] =
      switch sheet {
      case .institutions: institutions.map { $0.cells(tables) }
      case .rooms: rooms.map { $0.cells(tables) }
      case .persons: persons.map { $0.cells(tables) }
      case .classes: classes.map { $0.cells(tables) }
      case .clusters: clusters.map { $0.cells(tables) }
      case .bells: bells.map { $0.cells(tables) }
      case .terms: terms.flatMap { $0.rows(tables) }
      case .courses: courses.map { $0.cells(tables) }
      case .rosterTotals: rosterTotals.map { $0.cells(tables) }
      case .localLessons: localLessons.map { $0.cells(tables) }
      case .spaces: spaces.map { $0.cells(tables) }
      }
    let columns = sheet.columns.filter { column in
      column.isRequired || rows.contains { !($0[column.field] ?? "").isEmpty }
    }
    return [columns.map { inEnglish ? $0.english : $0.chinese }]
      + rows.map { row in columns.map { row[$0.field] ?? "" } }
  }
}
