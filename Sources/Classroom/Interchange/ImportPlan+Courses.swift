extension Cluster: SheetValue {
  static var sheet: SheetKind { .clusters }
  static var table: WritableKeyPath<ImportTables, ImportTable<Cluster>> { \.clusters }
  static var changes: WritableKeyPath<ImportChanges, [Cluster]> { \.clusters }

  var keys: [String] { number.isEmpty ? [] : [CellText.plain(number)] }
  var group: String { "" }

  static func keys(of row: SheetRow, _ run: ImportRun) -> [String] {
    row.required(.number, CellText.code).map { [$0] } ?? []
  }

  static func read(_ row: SheetRow, id: Identifier, old: Cluster?, _ run: ImportRun) -> Cluster? {
    var value = old ?? Cluster(id: id, name: "", members: [])
    value.number = CellText.plain(row.text(.number))
    row.update(&value.name, .name, blank: nil, CellText.name)
    var leads = value.members.filter(\.leads).map(\.institution)
    var receivers = value.members.filter { !$0.leads }.map(\.institution)
    func institutions(_ text: String) throws(CellProblem) -> [Identifier] {
      try row.list(text, limit: Limits.clusterMembers, run.tables.institution).compactMap { $0 }
    }
    row.update(&leads, .leads, blank: nil) { text throws(CellProblem) in
      let leads = try institutions(text)
      guard !leads.isEmpty else { throw CellProblem(.missingValue, suggestion: .fillCell) }
      return leads
    }
    row.update(&receivers, .receivers, blank: [], institutions)
    for (field, list) in [(SheetField.leads, leads), (.receivers, receivers)] where Set(list).count != list.count {
      row.issue(.duplicateEntry, field)
    }
    // Who leads may receive as well; naming it twice says no more.
    let members =
      leads.map { Member(institution: $0, leads: true) }
      + receivers.filter { !leads.contains($0) }.map { Member(institution: $0, leads: false) }
    // The order of members means nothing; that of a row already there stays.
    if Set(members) != Set(value.members) || members.count != value.members.count { value.members = members }
    return value
  }

  func cells(_ tables: ImportTables) -> [SheetField: String] {
    func text(_ leads: Bool) -> String {
      members.filter { $0.leads == leads }.map { tables.text(institution: $0.institution) }.joined(separator: "、")
    }
    return [.number: number, .name: name, .leads: text(true), .receivers: text(false)]
  }

  func title(_ tables: ImportTables) -> String { number }

  static func field(of error: ClassroomError) -> SheetField {
    switch error {
    case .tooMany, .duplicate: .receivers
    default: .name
    }
  }
}

extension SheetRow {
  /// A list whose items are each read; an empty one, `-` or 无 is nil. Nothing follows an item that cannot be read.
  func list<Value>(
    _ text: String, limit: Int, _ reader: (String) throws(CellProblem) -> Value
  ) throws(CellProblem) -> [Value?] {
    let items = CellText.list(text)
    guard items.count <= limit else { throw CellProblem(.tooManyEntries, arguments: ["limit": "\(limit)"]) }
    var values: [Value?] = []
    for item in items {
      if item.isEmpty || item == "-" || item == "无" {
        values.append(nil)
        continue
      }
      do throws(CellProblem) { values.append(try reader(item)) } catch {
        var problem = error
        problem.arguments["item"] = ImportIssue.cut(item)
        throw problem
      }
    }
    return values
  }
}

extension Course: SheetValue {
  static var sheet: SheetKind { .courses }
  static var table: WritableKeyPath<ImportTables, ImportTable<Course>> { \.courses }
  static var changes: WritableKeyPath<ImportChanges, [Course]> { \.courses }

  static let modes = CellText.Choice<Mode>(words: [
    (.sync, ["同步", "sync", "同步课堂"]), (.asyncDual, ["异步双师", "asyncdual", "异步", "双师"]), (.research, ["教研", "research"]),
  ])
  static let labels = CellText.Choice<Label>(words: [
    (.dedicated, ["专递课堂", "dedicated", "专递"]), (.masterTeacher, ["名师课堂", "masterteacher", "名师"]),
    (.leadingSchool, ["名校网络课堂", "leadingschool", "名校"]),
  ])
  static let audios = CellText.Choice<Audio>(words: [
    (.speech, ["语音", "speech", "人声"]), (.music, ["音乐", "music"]),
  ])

  var keys: [String] { number.isEmpty ? [] : [ImportTables.joined(term, CellText.plain(number))] }
  var name: String { subject }
  var group: String { term }

  static func keys(of row: SheetRow, _ run: ImportRun) -> [String] {
    guard let number = row.required(.number, CellText.code), let term = row.term(run) else { return [] }
    return [ImportTables.joined(term, number)]
  }

  static func read(_ row: SheetRow, id: Identifier, old: Course?, _ run: ImportRun) -> Course? {
    let term = row.isBlank(.term) ? run.options.term : try? run.tables.term(row.text(.term))
    let cluster = row.required(.cluster, run.tables.cluster) ?? old?.cluster
    let room = row.required(.leadRoom, run.tables.room) ?? old?.lead.room
    // The other cells are read even if these say nothing, so that everything wrong is told at once.
    var value =
      old
      ?? Course(
        id: id, cluster: cluster ?? id, term: term ?? "", subject: "", grades: [], lead: Party(room: room ?? id),
        receivers: [])
    value.number = CellText.plain(row.text(.number))
    value.cluster = cluster ?? value.cluster
    row.update(&value.subject, .subject, blank: nil, run.tables.subject)
    row.update(&value.grades, .grades, blank: nil, CellText.grades)
    row.update(&value.textbook, .textbook, blank: "", CellText.name)
    row.update(&value.mode, .mode, blank: .sync, modes.read)
    row.update(&value.label, .label, blank: .dedicated, labels.read)
    row.update(&value.audio, .audio, blank: .speech, audios.read)
    value.lead.room = room ?? value.lead.room
    row.update(&value.lead.schoolClass, .leadClass, blank: .some(nil)) { text throws(CellProblem) in
      try run.tables.schoolClass(text)
    }
    let school = run.tables.rooms.values[value.lead.room]?.institution
    if room != nil {
      row.update(&value.lead.teacher, .leadTeacher, blank: .some(nil)) { text throws(CellProblem) in
        try run.tables.person(text, at: school)
      }
    }
    readReceivers(row, &value, run)
    readTimes(row, &value)
    readAdoption(row, &value, run)
    return term == nil || cluster == nil || room == nil ? nil : value
  }

  /// Rooms, and classes and teachers in the same places of their lists.
  private static func readReceivers(_ row: SheetRow, _ value: inout Course, _ run: ImportRun) {
    var rooms: [Identifier?] = value.receivers.map(\.room)
    let limit = Limits.seats
    let count = row.issues.count
    row.update(&rooms, .rooms, blank: []) { text throws(CellProblem) in
      try row.list(text, limit: limit, run.tables.room)
    }
    guard row.issues.count == count else { return }
    guard !rooms.contains(nil), Set(rooms).count == rooms.count else {
      row.issue(rooms.contains(nil) ? .missingValue : .duplicateEntry, .rooms)
      return
    }
    if rooms.contains(value.lead.room) {
      row.issue(.duplicateEntry, .rooms, value: run.tables.text(room: value.lead.room))
    }
    let kept = Dictionary(value.receivers.map { ($0.room, $0) }) { first, _ in first }
    var receivers = rooms.compactMap { $0 }.map { kept[$0] ?? Party(room: $0) }
    func places<Found>(_ field: SheetField, _ found: [Found?]?) -> [Found?]? {
      guard let found, found.count != receivers.count else { return found }
      row.issue(
        .unequalLists, field, arguments: ["expected": "\(receivers.count)", "found": "\(found.count)"])
      return nil
    }
    if row.has(.classes) {
      let classes = row.value(.classes) { text throws(CellProblem) in
        try row.list(text, limit: limit, run.tables.schoolClass)
      }
      let found = places(.classes, classes)
      for index in receivers.indices { receivers[index].schoolClass = found?[index] }
    }
    if row.has(.teachers) {
      let teachers = row.value(.teachers) { text throws(CellProblem) in
        try row.list(text, limit: limit) { item throws(CellProblem) in item }
      }
      for (index, name) in (places(.teachers, teachers) ?? []).enumerated() {
        let school = run.tables.rooms.values[receivers[index].room]?.institution
        receivers[index].teacher = name.flatMap { name in
          row.read(.teachers, name) { text throws(CellProblem) in try run.tables.person(text, at: school) }
        }
      }
    }
    value.receivers = receivers
  }

  private static func readTimes(_ row: SheetRow, _ value: inout Course) {
    guard row.has(.times) else { return }
    let weeks = row.value(.weeks, CellText.weeks)
    let kept = value.weeklyTimes
    row.update(&value.weeklyTimes, .times, blank: []) { text throws(CellProblem) in
      try CellText.weeklyTimes(text, weeks: weeks ?? .all)
    }
    // What receiving schools agreed to stays with the time it was agreed for where the sheet does not say it.
    for index in value.weeklyTimes.indices {
      let time = value.weeklyTimes[index]
      // Of two that differ in their weeks alone, each keeps its own.
      let same =
        kept.first { $0.weekday == time.weekday && $0.period == time.period && $0.weeks == time.weeks }
        ?? kept.first { $0.weekday == time.weekday && $0.period == time.period }
      value.weeklyTimes[index].adoptedBy = same?.adoptedBy ?? []
    }
  }

  func cells(_ tables: ImportTables) -> [SheetField: String] {
    func school(_ room: Identifier) -> Identifier? { tables.rooms.values[room]?.institution }
    func list(_ texts: [String]) -> String {
      texts.allSatisfy(\.isEmpty) ? "" : texts.map { $0.isEmpty ? "-" : $0 }.joined(separator: "、")
    }
    return [
      .number: number, .term: term, .cluster: tables.clusters.values[cluster]?.number ?? "",
      .subject: tables.subjects[subject]?.name ?? subject, .grades: grades.map { "\($0)" }.joined(separator: "、"),
      .textbook: textbook, .leadRoom: tables.text(room: lead.room),
      .leadClass: tables.text(schoolClass: lead.schoolClass),
      .leadTeacher: tables.text(person: lead.teacher, at: school(lead.room)),
      .rooms: list(receivers.map { tables.text(room: $0.room) }),
      .classes: list(receivers.map { tables.text(schoolClass: $0.schoolClass) }),
      .teachers: list(receivers.map { tables.text(person: $0.teacher, at: school($0.room)) }),
      .mode: Self.modes.text(mode), .label: Self.labels.text(label), .audio: Self.audios.text(audio),
      .times: weeklyTimes.map(CellText.text).joined(separator: "、"), .adoptedBy: adoptionText(tables),
    ]
  }

  func title(_ tables: ImportTables) -> String { "\(term) \(number)" }

  static func field(of error: ClassroomError) -> SheetField {
    switch error {
    case .badRange: .times
    case .tooMany, .duplicate: .rooms
    default: .textbook
    }
  }
}

extension SheetRow {
  /// The term a row names or the import is about; nil, and the issue noted, where there is none.
  func term(_ run: ImportRun) -> String? {
    if let term = value(.term, run.tables.term) { return term }
    guard isBlank(.term) else { return nil }
    guard let term = run.options.term else {
      issue(has(.term) ? .missingValue : .missingColumn, .term, suggestion: .fillCell)
      return nil
    }
    guard run.tables.terms.keys[CellText.plain(term)] != nil else {
      issue(.unknownReference, .term, value: term)
      return nil
    }
    return term
  }
}
