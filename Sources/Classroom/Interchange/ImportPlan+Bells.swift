extension BellSchedule: SheetValue {
  static var sheet: SheetKind { .bells }
  static var table: WritableKeyPath<ImportTables, ImportTable<BellSchedule>> { \.bells }
  static var changes: WritableKeyPath<ImportChanges, [BellSchedule]> { \.bells }

  var keys: [String] { [ImportTables.joined(institution.description, name)] }
  var group: String { institution.description }

  static func keys(of row: SheetRow, _ run: ImportRun) -> [String] {
    let institution = row.required(.institution, run.tables.institution)
    let name = row.required(.name, CellText.name)
    guard let institution, let name else { return [] }
    return [ImportTables.joined(institution.description, name)]
  }

  static func read(_ row: SheetRow, id: Identifier, old: BellSchedule?, _ run: ImportRun) -> BellSchedule? {
    guard let institution = try? run.tables.institution(row.text(.institution)) else { return nil }
    var value = old ?? BellSchedule(id: id, institution: institution, name: row.text(.name), periods: [])
    row.update(&value.from, .from, blank: .some(nil)) { text throws(CellProblem) in try CellText.date(text) }
    row.update(&value.through, .through, blank: .some(nil)) { text throws(CellProblem) in try CellText.date(text) }
    if let from = value.from, let through = value.through, through < from { row.issue(.outOfRange, .through) }
    row.update(&value.weekdays, .weekdays, blank: Array(1...7), CellText.weekdays)
    var periods: [Period] = []
    for (index, field) in SheetField.periodColumns.enumerated() {
      guard row.has(field) else {
        periods += value.periods.filter { $0.number == index + 1 }
        continue
      }
      guard let (start, end) = row.value(field, CellText.timeSpan) else { continue }
      if let before = periods.last, start < before.end {
        row.issue(.overlappingPeriods, field, arguments: ["other": "\(before.number)"])
      }
      periods.append(Period(number: index + 1, start: start, end: end))
    }
    value.periods = periods
    return value
  }

  func cells(_ tables: ImportTables) -> [SheetField: String] {
    var cells: [SheetField: String] = [
      .institution: tables.text(institution: institution), .name: name, .from: from.map { "\($0)" } ?? "",
      .through: through.map { "\($0)" } ?? "",
      .weekdays: weekdays.map { CellText.weekdayName($0) }.joined(separator: "、"),
    ]
    for period in periods where SheetField.periodColumns.indices.contains(period.number - 1) {
      cells[SheetField.periodColumns[period.number - 1]] = "\(period.start)-\(period.end)"
    }
    return cells
  }

  func title(_ tables: ImportTables) -> String { "\(tables.text(institution: institution)) \(name)" }

  static func field(of error: ClassroomError) -> SheetField {
    switch error {
    case .badRange: .period1
    case .duplicate: .weekdays
    default: .name
    }
  }
}
