extension Person: SheetValue {
  static var sheet: SheetKind { .persons }
  static var table: WritableKeyPath<ImportTables, ImportTable<Person>> { \.persons }
  static var changes: WritableKeyPath<ImportChanges, [Person]> { \.persons }

  var keys: [String] { Self.keys(institution, CellText.plain(staffNumber), issuer, subject) }
  /// Administrators of bureaus stand in no school's list.
  var group: String { institution == nil ? "bureau" : "" }

  /// By staff number, by account, and by the account within the institution, which others may refer to.
  private static func keys(
    _ institution: Identifier?, _ staffNumber: String, _ issuer: String, _ subject: String
  ) -> [String] {
    var keys: [String] = []
    let place = institution?.description ?? ""
    if !staffNumber.isEmpty { keys.append(ImportTables.joined(place, staffNumber)) }
    if !subject.isEmpty { keys.append(ImportTables.joined("account", issuer, subject)) }
    return keys
  }

  static func keys(of row: SheetRow, _ run: ImportRun) -> [String] {
    let institution = row.isBlank(.institution) ? nil : row.value(.institution, run.tables.institution)
    if institution == nil, !row.isBlank(.institution) { return [] }
    let staffNumber = row.value(.staffNumber, CellText.code) ?? ""
    let (issuer, account) = (row.text(.issuer), row.text(.account))
    if row.isBlank(.staffNumber), account.isEmpty {
      row.issue(.missingKey, .staffNumber, suggestion: .fillCell)
      return []
    }
    if issuer.isEmpty != account.isEmpty {
      row.issue(.missingValue, issuer.isEmpty ? .issuer : .account, suggestion: .fillCell)
    }
    return keys(institution, staffNumber, issuer, account)
  }

  static func read(_ row: SheetRow, id: Identifier, old: Person?, _ run: ImportRun) -> Person? {
    var value = old ?? Person(id: id, institution: nil, name: "")
    if row.has(.institution) { value.institution = try? run.tables.institution(row.text(.institution)) }
    if row.has(.staffNumber) { value.staffNumber = CellText.plain(row.text(.staffNumber)) }
    row.update(&value.name, .name, blank: nil, CellText.name)
    // A sheet that was filled before people had accounts does not take them away.
    if !row.isBlank(.issuer) { row.update(&value.issuer, .issuer, blank: "", CellText.name) }
    if !row.isBlank(.account) { row.update(&value.subject, .account, blank: "", CellText.name) }
    return value
  }

  func cells(_ tables: ImportTables) -> [SheetField: String] {
    [
      .institution: tables.text(institution: institution), .staffNumber: staffNumber, .name: name, .issuer: issuer,
      .account: subject,
    ]
  }

  func title(_ tables: ImportTables) -> String {
    "\(tables.text(institution: institution)) \(staffNumber.isEmpty ? subject : staffNumber)"
  }

  static func field(of error: ClassroomError) -> SheetField { error == .badCode ? .staffNumber : .name }
}

extension SchoolClass: SheetValue {
  static var sheet: SheetKind { .classes }
  static var table: WritableKeyPath<ImportTables, ImportTable<SchoolClass>> { \.classes }
  static var changes: WritableKeyPath<ImportChanges, [SchoolClass]> { \.classes }

  var keys: [String] { number.isEmpty ? [] : [CellText.plain(number)] }
  var group: String { "" }

  static func keys(of row: SheetRow, _ run: ImportRun) -> [String] {
    row.required(.number, CellText.code).map { [$0] } ?? []
  }

  static func read(_ row: SheetRow, id: Identifier, old: SchoolClass?, _ run: ImportRun) -> SchoolClass? {
    let institution = row.required(.institution, run.tables.institution)
    guard let institution = institution ?? old?.institution else { return nil }
    let number = CellText.plain(row.text(.number))
    var value = old ?? SchoolClass(id: id, number: number, institution: institution, name: "")
    (value.institution, value.number) = (institution, number)
    row.update(&value.name, .name, blank: nil, CellText.name)
    row.update(&value.typeCode, .typeCode, blank: "") { text throws(CellProblem) in try CellText.code(text) }
    row.update(&value.homeRoom, .homeRoom, blank: .some(nil)) { text throws(CellProblem) in
      try run.tables.room(text)
    }
    row.update(&value.consentRecord, .consentRecord, blank: "", CellText.name)
    readCohorts(row, &value, run)
    return value
  }

  /// Entry years, or grades in the school year of the options, and a head count for each of them in their order.
  private static func readCohorts(_ row: SheetRow, _ value: inout SchoolClass, _ run: ImportRun) {
    var years: [Int]? = nil
    var field = SheetField.entryYears
    if !row.isBlank(.entryYears) {
      years = row.value(.entryYears) { text throws(CellProblem) in
        try CellText.list(text).map { item throws(CellProblem) in try CellText.schoolYear(item.replacingSuffix("级")) }
      }
      guard years != nil else { return }
    } else if !row.isBlank(.grades) {
      field = .grades
      guard let now = run.options.schoolYear else {
        row.issue(.missingColumn, .entryYears)
        return
      }
      guard let grades = row.value(.grades, CellText.grades) else { return }
      years = grades.map { now - $0 + 1 }
    }
    var counts: [Int]? = nil
    if !row.isBlank(.headCounts) {
      counts = row.value(.headCounts) { text throws(CellProblem) in
        try CellText.list(text).map { item throws(CellProblem) in try CellText.number(item, in: 0...Limits.headCount) }
      }
      guard counts != nil else { return }
    }
    let kept = Dictionary(value.cohorts.map { ($0.entryYear, $0.headCount) }) { first, _ in first }
    let isGiven = years != nil || row.has(.entryYears) || row.has(.grades)
    let all = isGiven ? years ?? [] : value.cohorts.map(\.entryYear)
    guard counts == nil || counts?.count == all.count else {
      row.issue(
        .unequalLists, .headCounts, arguments: ["expected": "\(all.count)", "found": "\(counts?.count ?? 0)"])
      return
    }
    guard Set(all).count == all.count else {
      row.issue(.duplicateEntry, field)
      return
    }
    value.cohorts = all.enumerated().map { index, year in
      Cohort(entryYear: year, headCount: counts?[index] ?? (row.has(.headCounts) ? 0 : kept[year] ?? 0))
    }
  }

  func cells(_ tables: ImportTables) -> [SheetField: String] {
    [
      .number: number, .institution: tables.text(institution: institution), .name: name, .typeCode: typeCode,
      .entryYears: cohorts.map { "\($0.entryYear)" }.joined(separator: "、"),
      .headCounts: cohorts.map { "\($0.headCount)" }.joined(separator: "、"),
      .homeRoom: tables.text(room: homeRoom), .consentRecord: consentRecord,
    ]
  }

  func title(_ tables: ImportTables) -> String { number }

  static func field(of error: ClassroomError) -> SheetField {
    switch error {
    case .badRange, .duplicate, .tooMany: .entryYears
    default: .name
    }
  }
}

extension String {
  /// Without an ending, where it has it.
  fileprivate func replacingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
