/// The values of one kind while an import is read: those of the base, and over them those of its files.
struct ImportTable<Value: Sendable>: Sendable {
  var values: [Identifier: Value] = [:]
  /// By every key that a value or a row has, broken rows among them, so that one fault is told once.
  var keys: [String: Identifier] = [:]
}

/// All values an import can refer to.
struct ImportTables: Sendable {
  var institutions = ImportTable<Institution>()
  var rooms = ImportTable<Room>()
  var persons = ImportTable<Person>()
  var classes = ImportTable<SchoolClass>()
  var clusters = ImportTable<Cluster>()
  var bells = ImportTable<BellSchedule>()
  var terms = ImportTable<Term>()
  var courses = ImportTable<Course>()
  /// Persons by institution and name, for those who are referred to by name.
  var namesakes: [String: [Identifier]] = [:]
  /// Numbers of institutions by name, to say which was meant.
  var institutionNames: [String: [String]] = [:]
  let subjects: SubjectTable

  init(_ base: ImportBase) {
    subjects = base.subjects
    institutions = table(base.institutions)
    rooms = table(base.rooms)
    persons = table(base.persons)
    classes = table(base.classes)
    clusters = table(base.clusters)
    bells = table(base.bells)
    courses = table(base.courses)
    terms.values = Dictionary(base.terms.map { ($0.id, $0) }) { $1 }
    terms.keys = Dictionary(base.terms.map { (CellText.plain($0.code), $0.id) }) { first, _ in first }
  }

  private func table<Value: SheetValue>(_ values: [Value]) -> ImportTable<Value> {
    var table = ImportTable<Value>()
    table.values = Dictionary(values.map { ($0.id, $0) }) { $1 }
    // The first of two that share a key keeps it: the base is not ours to judge.
    for value in values { for key in value.keys where table.keys[key] == nil { table.keys[key] = value.id } }
    return table
  }

  static func joined(_ parts: String...) -> String { parts.joined(separator: "\u{1F}") }

  /// To be called when all institutions are read; of a name that many have, twenty are kept.
  mutating func indexInstitutionNames() {
    institutionNames = [:]
    for value in institutions.values.values where institutionNames[value.name, default: []].count < 20 {
      institutionNames[value.name, default: []].append(text(institution: value.id))
    }
  }

  /// To be called when all persons are read.
  mutating func indexNames() {
    for person in persons.values.values {
      let place = person.institution?.description ?? ""
      // An account stands for who has no staff number.
      for name in Set([person.name, person.staffNumber.isEmpty ? person.subject : person.name]) {
        namesakes[Self.joined(place, name), default: []].append(person.id)
      }
    }
  }

  // MARK: Texts of what values refer to

  func text(institution id: Identifier?) -> String {
    guard let value = id.flatMap({ institutions.values[$0] }) else { return "" }
    return value.number.isEmpty ? value.code ?? "" : value.number
  }

  func text(room id: Identifier?) -> String { id.flatMap { rooms.values[$0] }?.number ?? "" }
  func text(schoolClass id: Identifier?) -> String { id.flatMap { classes.values[$0] }?.number ?? "" }

  /// The staff number, with its institution before it where that is another than the one expected.
  func text(person id: Identifier?, at institution: Identifier?) -> String {
    guard let person = id.flatMap({ persons.values[$0] }) else { return "" }
    let own = person.staffNumber.isEmpty ? person.subject : person.staffNumber
    return person.institution == institution ? own : "\(text(institution: person.institution))/\(own)"
  }

  // MARK: What cells refer to

  private func find(_ keys: [String: Identifier], _ text: String) throws(CellProblem) -> Identifier {
    let code = try CellText.code(text)
    guard let id = keys[code] else { throw CellProblem(.unknownReference) }
    return id
  }

  /// By number or the ministry's code; a name is told as one.
  func institution(_ text: String) throws(CellProblem) -> Identifier {
    do { return try find(institutions.keys, text) } catch {
      guard error.code == .unknownReference else { throw error }
      let numbers = institutions.values.values.filter { $0.name == text }.map { self.text(institution: $0.id) }
        .sorted()
      guard !numbers.isEmpty else { throw error }
      throw CellProblem(
        .unknownReference, arguments: ["candidates": numbers.prefix(20).joined(separator: "、")], suggestion: .useNumber
      )
    }
  }

  func room(_ text: String) throws(CellProblem) -> Identifier { try find(rooms.keys, text) }
  func schoolClass(_ text: String) throws(CellProblem) -> Identifier { try find(classes.keys, text) }
  func cluster(_ text: String) throws(CellProblem) -> Identifier { try find(clusters.keys, text) }

  /// The code of a term that there is.
  func term(_ text: String) throws(CellProblem) -> String {
    let code = try CellText.code(text)
    guard terms.keys[code] != nil else { throw CellProblem(.unknownReference) }
    return code
  }

  func subject(_ text: String) throws(CellProblem) -> String {
    guard let subject = subjects.subject(named: text) ?? subjects.subject(named: CellText.plain(text)) else {
      let names = subjects.subjects.map(\.name).joined(separator: "、")
      throw CellProblem(.unknownSubject, arguments: ["choices": names], suggestion: .chooseOne)
    }
    return subject.key
  }

  /// A person by staff number in an institution, by `institution/staff number` (`/staff number` for a bureau's), by
  /// account, or by a name that only one person of the institution has.
  func person(_ text: String, at institution: Identifier?) throws(CellProblem) -> Identifier {
    var (own, institution) = (text, institution)
    let parts = CellText.plain(text).split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2 {
      institution = parts[0].isEmpty ? nil : try self.institution(String(parts[0]))
      own = String(parts[1])
    }
    let place = institution?.description ?? ""
    let plain = CellText.plain(own)
    if let id = persons.keys[Self.joined(place, plain)] { return id }
    let found = namesakes[Self.joined(place, own)] ?? []
    guard found.count <= 1 else {
      let numbers = found.map { self.text(person: $0, at: institution) }.sorted()
      throw CellProblem(
        .ambiguousName, arguments: ["candidates": numbers.prefix(20).joined(separator: "、")],
        suggestion: .useStaffNumber)
    }
    guard let id = found.first else {
      let isSpoilt = CellText.isScientific(plain)
      throw CellProblem(
        isSpoilt ? .numberBecameScientific : .unknownReference, suggestion: isSpoilt ? .formatAsText : .useStaffNumber)
    }
    return id
  }
}
