extension Space {
  static let kinds = CellText.Choice<Kind>(words: [
    (.teacher, ["教师", "teacher", "老师", "教师空间"]), (.masterTeacher, ["名师", "masterteacher", "名师空间"]),
    (.manager, ["管理者", "manager", "管理员"]), (.schoolClass, ["班级", "class", "班级空间"]),
    (.school, ["学校", "school", "机构", "学校空间"]), (.region, ["区域", "region", "区域空间"]), (.club, ["社团", "club"]),
  ])

  /// The columns that say whose it is, and what it is.
  func cells(_ tables: ImportTables) -> [SheetField: String] {
    var cells: [SheetField: String] = [
      .kind: Self.kinds.text(kind), .homePage: homePage, .spaceNumber: name,
    ]
    switch owner {
    case .person(let id):
      let school = tables.persons.values[id]?.institution
      cells[.institution] = tables.text(institution: school)
      cells[.teacher] = (school == nil ? "/" : "") + tables.text(person: id, at: school)
    case .schoolClass(let id):
      cells[.institution] = tables.text(institution: tables.classes.values[id]?.institution)
      cells[.schoolClass] = tables.text(schoolClass: id)
    case .institution(let id): cells[.institution] = tables.text(institution: id)
    case .region(let name): cells[.region] = name
    }
    return cells
  }

  /// As people say whose it is.
  func title(_ tables: ImportTables) -> String {
    switch owner {
    case .person(let id): tables.text(person: id, at: nil)
    case .schoolClass(let id): tables.text(schoolClass: id)
    case .institution(let id): tables.text(institution: id)
    case .region(let name): name
    }
  }

  /// The column an error of `validate` is most likely about.
  static func field(of error: ClassroomError) -> SheetField {
    switch error {
    case .badCode: .homePage
    case .badRange: .kind
    default: .spaceNumber
    }
  }
}

extension ImportRun {
  mutating func readSpaces() {
    guard has(.spaces) else { return }
    let before = Dictionary(base.spaces.map { ($0.owner, $0) }) { $1 }
    var present: [Space.Owner: Int] = [:]
    for row in rows(of: .spaces) {
      let kind = row.required(.kind, Space.kinds.read)
      let homePage = row.required(.homePage, CellText.name)
      let name = row.required(.spaceNumber, CellText.name)
      guard let kind, let owner = owner(of: row, kind), let homePage, let name else { continue }
      if let other = present.updateValue(row.number, forKey: owner) {
        row.issue(.duplicateRow, .kind, arguments: ["row": "\(other)"], suggestion: .removeRow)
        continue
      }
      let value = Space(owner: owner, kind: kind, homePage: homePage, name: name)
      do { try value.validate() } catch {
        row.note(error, Space.field(of: error))
        continue
      }
      var action = ImportPlan.Action.add
      if let old = before[owner] {
        action = old == value ? .same : .change(Self.differences(old.cells(tables), value.cells(tables), .spaces))
      }
      if action != .same { plan.changes.spaces.append(value) }
      add(.spaces, row.number, value.title(tables), name, action)
    }
    guard !present.isEmpty else { return }
    for value in base.spaces where present[value.owner] == nil {
      if options.deleteMissing { plan.changes.removedSpaces.append(value) }
      add(.spaces, 0, value.title(tables), value.name, options.deleteMissing ? .remove : .absent)
    }
  }

  /// Whose space a row is about; nil, and the issue noted, when it does not say.
  private func owner(of row: SheetRow, _ kind: Space.Kind) -> Space.Owner? {
    func needed<Value>(
      _ field: SheetField, _ reader: (String) throws(CellProblem) -> Value
    ) -> Value? {
      guard !row.isBlank(field) else {
        row.issue(.missingValue, field, suggestion: .fillCell)
        return nil
      }
      return row.value(field, reader)
    }
    switch kind {
    case .teacher, .masterTeacher, .manager:
      let school = row.value(.institution, tables.institution)
      guard school != nil || row.isBlank(.institution) else { return nil }
      return needed(.teacher) { text throws(CellProblem) in try tables.person(text, at: school) }.map { .person($0) }
    case .schoolClass, .club: return needed(.schoolClass, tables.schoolClass).map { .schoolClass($0) }
    case .school: return needed(.institution, tables.institution).map { .institution($0) }
    case .region: return needed(.region, CellText.name).map { .region($0) }
    }
  }
}
