/// A value that is one row of a sheet and has an identifier.
protocol SheetValue: Hashable, Sendable {
  static var sheet: SheetKind { get }
  static var table: WritableKeyPath<ImportTables, ImportTable<Self>> { get }
  static var changes: WritableKeyPath<ImportChanges, [Self]> { get }

  var id: Identifier { get }
  /// What it is found by; the first wins.
  var keys: [String] { get }
  var name: String { get }
  /// What a file is about as a whole: it lacks a value only if it has others of its group.
  var group: String { get }

  /// What a row is found by; empty, and the issue noted, when it has no key.
  static func keys(of row: SheetRow, _ run: ImportRun) -> [String]
  /// The value of a row over what it was; nil only when nothing can be made of it. What is wrong is noted.
  static func read(_ row: SheetRow, id: Identifier, old: Self?, _ run: ImportRun) -> Self?
  /// Its columns as text, in the form that `read` takes.
  func cells(_ tables: ImportTables) -> [SheetField: String]
  /// Its key as people say it.
  func title(_ tables: ImportTables) -> String
  func validate() throws(ClassroomError)
  /// The column an error of `validate` is most likely about.
  static func field(of error: ClassroomError) -> SheetField
}

/// One import while it is planned.
struct ImportRun {
  let sheets: [ImportSheet]
  let base: ImportBase
  let options: ImportOptions
  let newIdentifier: () -> Identifier
  let issues = IssueList()
  var tables: ImportTables
  var plan = ImportPlan()

  init(
    sheets: [ImportSheet], base: ImportBase, options: ImportOptions, newIdentifier: @escaping () -> Identifier
  ) {
    self.sheets = sheets
    self.base = base
    self.options = options
    self.newIdentifier = newIdentifier
    tables = ImportTables(base)
    for issue in sheets.flatMap(\.issues) { issues.add(issue) }
  }

  /// Kinds in an order in which each refers to earlier ones and to itself.
  mutating func readAll() {
    let institutions = claim(Institution.self)
    take(institutions)
    checkParents(institutions)
    tables.indexInstitutionNames()
    take(claim(Room.self))
    take(claim(Person.self))
    tables.indexNames()
    take(claim(SchoolClass.self))
    take(claim(Cluster.self))
    take(claim(BellSchedule.self))
    readTerms()
    take(claim(Course.self))
    readRosterTotals()
    readLocalLessons()
    readSpaces()
    checkRemovals()
  }

  func rows(of kind: SheetKind) -> [SheetRow] {
    sheets.filter { $0.kind == kind }.flatMap { sheet in
      sheet.rows.map { SheetRow(sheet: sheet, row: $0, issues: issues) }
    }
  }

  func has(_ kind: SheetKind) -> Bool { sheets.contains { $0.kind == kind } }

  // MARK: Rows that are one value

  /// A row, the identifier it has or gets, and the value it had.
  struct Claim<Value: SheetValue> {
    var row: SheetRow
    var id: Identifier
    var old: Value?
    /// Whether nothing was wrong with its key.
    var isSound: Bool
  }

  /// Gives every row of a kind its identifier by its keys, so that rows can refer to later ones.
  private mutating func claim<Value: SheetValue>(_ type: Value.Type) -> [Claim<Value>] {
    var claims: [Claim<Value>] = []
    var taken: [Identifier: Int] = [:]
    for row in rows(of: Value.sheet) {
      let count = issues.count
      let keys = Value.keys(of: row, self)
      guard !keys.isEmpty else { continue }
      let known = keys.compactMap { tables[keyPath: Value.table].keys[$0] }
      let field = Value.sheet.columns.first { $0.isKey && !row.isBlank($0.field) }?.field ?? .number
      if let first = known.first, known.contains(where: { $0 != first }) {
        row.issue(.keyConflict, field)
        continue
      }
      let id = known.first ?? newIdentifier()
      if let other = taken[id] {
        row.issue(.duplicateRow, field, arguments: ["row": "\(other)"], suggestion: .removeRow)
        continue
      }
      taken[id] = row.number
      for key in keys { tables[keyPath: Value.table].keys[key] = id }
      claims.append(
        Claim(row: row, id: id, old: tables[keyPath: Value.table].values[id], isSound: issues.count == count))
    }
    return claims
  }

  /// Reads the rows and lays them beside what they were.
  private mutating func take<Value: SheetValue>(_ claims: [Claim<Value>]) {
    guard has(Value.sheet) else { return }
    let before = tables
    for claim in claims {
      let count = issues.count
      guard let value = Value.read(claim.row, id: claim.id, old: claim.old, self) else { continue }
      if claim.isSound, issues.count == count, claim.row.sheet.issues.isEmpty {
        do { try value.validate() } catch { claim.row.note(error, Value.field(of: error)) }
      }
      tables[keyPath: Value.table].values[claim.id] = value
    }
    for claim in claims {
      guard let value = tables[keyPath: Value.table].values[claim.id] else { continue }
      var action = ImportPlan.Action.same
      if let old = claim.old {
        if old != value { action = .change(Self.differences(old.cells(before), value.cells(tables), Value.sheet)) }
      } else {
        action = .add
      }
      if action != .same { plan.changes[keyPath: Value.changes].append(value) }
      add(Value.sheet, claim.row.number, value.title(tables), value.name, action)
    }
    noteAbsent(claims)
  }

  private mutating func noteAbsent<Value: SheetValue>(_ claims: [Claim<Value>]) {
    let values = tables[keyPath: Value.table].values
    let present = Set(claims.map(\.id))
    let groups = Set(claims.compactMap { values[$0.id]?.group })
    let absent = values.values.filter { !present.contains($0.id) && groups.contains($0.group) }
    for value in absent.sorted(by: { $0.id < $1.id }) {
      if options.deleteMissing {
        plan.changes.removed.append(ImportChanges.Removal(sheet: Value.sheet, id: value.id))
      }
      add(Value.sheet, 0, value.title(tables), value.name, options.deleteMissing ? .remove : .absent)
    }
  }

  mutating func add(
    _ sheet: SheetKind, _ row: Int, _ key: String, _ name: String, _ action: ImportPlan.Action
  ) {
    plan.lines.append(ImportPlan.Line(sheet: sheet, row: row, key: key, name: name, action: action))
  }

  static func differences(
    _ old: [SheetField: String], _ new: [SheetField: String], _ sheet: SheetKind
  ) -> [ImportPlan.FieldChange] {
    sheet.columns.compactMap { column in
      let (before, after) = (old[column.field] ?? "", new[column.field] ?? "")
      return before == after ? nil : ImportPlan.FieldChange(column.field, old: before, new: after)
    }
  }
}

extension SheetRow {
  /// What `validate` found, as an issue of a column.
  func note(_ error: ClassroomError, _ field: SheetField) {
    switch error {
    case .badName: issue(.badText, field, arguments: ["limit": "\(Limits.nameScalars)"])
    case .badCode: issue(.badCode, field)
    case .missingParent: issue(.missingParent, field, suggestion: .fillCell)
    case .badRange: issue(.outOfRange, field)
    case .tooMany: issue(.tooManyEntries, field)
    case .duplicate: issue(.duplicateEntry, field)
    }
  }
}
