extension Institution: SheetValue {
  static var sheet: SheetKind { .institutions }
  static var table: WritableKeyPath<ImportTables, ImportTable<Institution>> { \.institutions }
  static var changes: WritableKeyPath<ImportChanges, [Institution]> { \.institutions }

  static let kinds = CellText.Choice<Kind>(words: [
    (.school, ["学校", "school", "小学", "中学", "中心校", "中心小学"]),
    (.teachingPoint, ["教学点", "teachingpoint", "teaching point"]),
  ])
  static let settings = CellText.Choice<Setting>(words: [
    (.urban, ["城区", "urban", "城市", "城"]), (.town, ["镇区", "town", "县镇", "镇"]),
    (.rural, ["乡村", "rural", "农村", "乡"]),
  ])

  var keys: [String] { [number, code ?? ""].filter { !$0.isEmpty }.map(CellText.plain) }
  var group: String { "" }

  static func keys(of row: SheetRow, _ run: ImportRun) -> [String] {
    let number = row.value(.number, CellText.code)
    let code = row.value(.code, CellText.schoolCode) ?? nil
    let keys = [number, code].compactMap { $0 }
    if keys.isEmpty, row.isBlank(.number), row.isBlank(.code) {
      row.issue(.missingKey, .number, suggestion: .fillCell)
    }
    return keys
  }

  static func read(_ row: SheetRow, id: Identifier, old: Institution?, _ run: ImportRun) -> Institution? {
    var value = old ?? Institution(id: id, kind: .school, name: "")
    // What is wrong with keys was told when they were claimed.
    if row.has(.number) { value.number = CellText.plain(row.text(.number)) }
    if row.has(.code) { value.code = row.isBlank(.code) ? nil : CellText.plain(row.text(.code)) }
    row.update(&value.name, .name, blank: nil, CellText.name)
    row.update(&value.kind, .kind, blank: .school, kinds.read)
    row.update(&value.parent, .parent, blank: .some(nil)) { text throws(CellProblem) in
      try run.tables.institution(text)
    }
    row.update(&value.setting, .setting, blank: .rural, settings.read)
    row.update(&value.region, .region, blank: "", CellText.name)
    row.updateDay(&value.validFrom, .validFrom)
    row.updateDay(&value.validUntil, .validUntil)
    row.update(&value.successor, .successor, blank: .some(nil)) { text throws(CellProblem) in
      try run.tables.institution(text)
    }
    return value
  }

  func cells(_ tables: ImportTables) -> [SheetField: String] {
    [
      .number: number, .code: code ?? "", .name: name, .kind: Self.kinds.text(kind),
      .parent: tables.text(institution: parent), .setting: Self.settings.text(setting), .region: region,
      .validFrom: SheetRow.day(validFrom), .validUntil: SheetRow.day(validUntil),
      .successor: tables.text(institution: successor),
    ]
  }

  func title(_ tables: ImportTables) -> String { number.isEmpty ? code ?? "" : number }

  static func field(of error: ClassroomError) -> SheetField {
    switch error {
    case .badCode: .code
    case .missingParent, .duplicate: .parent
    case .badRange: .validUntil
    default: .name
    }
  }
}

extension SheetRow {
  /// A day for a time that is kept to the millisecond: one of the same day stays as it is.
  func updateDay(_ target: inout Int64?, _ field: SheetField) {
    guard has(field) else { return }
    guard !isBlank(field) else {
      target = nil
      return
    }
    guard let date = value(field, CellText.date), let midnight = ClockTime(minute: 0) else { return }
    if let kept = target, CivilTime.date(of: kept) == date { return }
    let instant = CivilTime.instant(date, midnight)
    if instant < 0 { issue(.impossibleDate, field) } else { target = instant }
  }

  static func day(_ instant: Int64?) -> String { instant.map { "\(CivilTime.date(of: $0))" } ?? "" }
}

extension ImportRun {
  /// Parents and successors that lead back to where they started; each institution is visited once.
  mutating func checkParents(_ claims: [Claim<Institution>]) {
    for (field, next) in [(SheetField.parent, \Institution.parent), (.successor, \Institution.successor)] {
      let values = tables.institutions.values
      var visited: Set<Identifier> = []
      var circles: Set<Identifier> = []
      for claim in claims where !visited.contains(claim.id) {
        var path: [Identifier] = []
        var place: Identifier? = claim.id
        while let here = place, visited.insert(here).inserted {
          path.append(here)
          place = values[here]?[keyPath: next]
        }
        // Where the path ends in itself, it is a circle from there on.
        if let here = place, let start = path.firstIndex(of: here) { circles.formUnion(path[start...]) }
      }
      for claim in claims where circles.contains(claim.id) { claim.row.issue(.cyclicReference, field) }
    }
  }
}

extension Room: SheetValue {
  static var sheet: SheetKind { .rooms }
  static var table: WritableKeyPath<ImportTables, ImportTable<Room>> { \.rooms }
  static var changes: WritableKeyPath<ImportChanges, [Room]> { \.rooms }

  var keys: [String] { [CellText.plain(number)] }
  var group: String { "" }

  static func keys(of row: SheetRow, _ run: ImportRun) -> [String] {
    row.required(.number, CellText.code).map { [$0] } ?? []
  }

  static func read(_ row: SheetRow, id: Identifier, old: Room?, _ run: ImportRun) -> Room? {
    let institution = row.required(.institution, run.tables.institution)
    guard let institution = institution ?? old?.institution else { return nil }
    let number = CellText.plain(row.text(.number))
    var value = old ?? Room(id: id, institution: institution, number: number, name: number)
    (value.institution, value.number) = (institution, number)
    row.update(&value.name, .name, blank: number, CellText.name)
    row.update(&value.equipment, .equipment, blank: "", CellText.name)
    row.updateDay(&value.acceptedAt, .acceptedOn)
    for (field, rate) in [(SheetField.downlink, \Room.downlink), (.uplink, \Room.uplink)] {
      row.update(&value[keyPath: rate], field, blank: .some(nil)) { text throws(CellProblem) in
        try CellText.number(text, in: 0...100_000_000)
      }
    }
    return value
  }

  func cells(_ tables: ImportTables) -> [SheetField: String] {
    [
      .number: number, .institution: tables.text(institution: institution), .name: name, .equipment: equipment,
      .acceptedOn: SheetRow.day(acceptedAt), .downlink: downlink.map { "\($0)" } ?? "",
      .uplink: uplink.map { "\($0)" } ?? "",
    ]
  }

  func title(_ tables: ImportTables) -> String { number }

  static func field(of error: ClassroomError) -> SheetField { error == .badRange ? .acceptedOn : .name }
}
