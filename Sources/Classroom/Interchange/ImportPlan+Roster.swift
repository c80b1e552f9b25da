extension RosterTotal {
  /// What there is one of.
  struct Key: Hashable {
    var institution: Identifier
    var schoolYear: Int
    var grade: Int?
  }

  var key: Key { Key(institution: institution, schoolYear: schoolYear, grade: grade) }

  func cells(_ tables: ImportTables) -> [SheetField: String] {
    [
      .institution: tables.text(institution: institution), .schoolYear: "\(schoolYear)-\(schoolYear + 1)",
      .grade: grade.map { "\($0)" } ?? "", .pupils: "\(pupils)", .teacherCount: "\(teachers)",
    ]
  }

  func title(_ tables: ImportTables) -> String {
    "\(tables.text(institution: institution)) \(schoolYear)-\(schoolYear + 1)" + (grade.map { " \($0)" } ?? "")
  }
}

extension ImportRun {
  mutating func readRosterTotals() {
    guard has(.rosterTotals) else { return }
    let before = Dictionary(base.rosterTotals.map { ($0.key, $0) }) { $1 }
    var present: [RosterTotal.Key: Int] = [:]
    var years: Set<Int> = []
    for row in rows(of: .rosterTotals) {
      let institution = row.required(.institution, tables.institution)
      let year = row.required(.schoolYear, CellText.schoolYear)
      let grade = row.value(.grade, CellText.grade)
      let pupils = row.required(.pupils, Self.total)
      let teachers = row.value(.teacherCount, Self.total)
      guard let institution, let year, let pupils, grade != nil || row.isBlank(.grade) else { continue }
      let key = RosterTotal.Key(institution: institution, schoolYear: year, grade: grade)
      if let other = present.updateValue(row.number, forKey: key) {
        row.issue(.duplicateRow, .institution, arguments: ["row": "\(other)"], suggestion: .removeRow)
        continue
      }
      years.insert(year)
      let old = before[key]
      let kept = row.has(.teacherCount) ? 0 : old?.teachers ?? 0
      let value = RosterTotal(
        institution: institution, schoolYear: year, grade: grade, pupils: pupils, teachers: teachers ?? kept)
      var action = ImportPlan.Action.add
      if let old {
        action =
          old == value ? .same : .change(Self.differences(old.cells(tables), value.cells(tables), .rosterTotals))
      }
      if action != .same { plan.changes.rosterTotals.append(value) }
      add(.rosterTotals, row.number, value.title(tables), "", action)
    }
    for value in base.rosterTotals where years.contains(value.schoolYear) && present[value.key] == nil {
      if options.deleteMissing { plan.changes.removedRosterTotals.append(value) }
      add(.rosterTotals, 0, value.title(tables), "", options.deleteMissing ? .remove : .absent)
    }
  }

  private static func total(_ text: String) throws(CellProblem) -> Int {
    try CellText.number(text, in: 0...RosterTotal.limit)
  }
}
