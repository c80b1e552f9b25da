import Classroom
import ControlAPI
import Ledger

/// One row as somebody wants it.
struct RowWish: Sendable {
  var kind: PlaceKind
  /// Texts of columns by their names, as a sheet has them.
  var fields: [String: String]
  /// The row that is changed, and the version it was read with; nil registers a new one.
  var old: (id: Identifier, version: String)?
}

extension ImportBase {
  fileprivate func value(_ id: Identifier, _ kind: PlaceKind) -> (place: Int, value: PlaceValue)? {
    func find<Value: CatalogueValue>(
      _ values: [Value], _ make: (Value) -> PlaceValue
    ) -> (place: Int, value: PlaceValue)? {
      values.firstIndex { $0.id == id }.map { ($0, make(values[$0])) }
    }
    return switch kind {
    case .institutions: find(institutions, PlaceValue.institution)
    case .rooms: find(rooms, PlaceValue.room)
    case .classes: find(classes, PlaceValue.schoolClass)
    case .persons: find(persons, PlaceValue.person)
    case .clusters: find(clusters, PlaceValue.cluster)
    }
  }
}

extension ImportChanges {
  fileprivate func values(_ kind: PlaceKind) -> [PlaceValue] {
    switch kind {
    case .institutions: institutions.map(PlaceValue.institution)
    case .rooms: rooms.map(PlaceValue.room)
    case .classes: classes.map(PlaceValue.schoolClass)
    case .persons: persons.map(PlaceValue.person)
    case .clusters: clusters.map(PlaceValue.cluster)
    }
  }
}

extension TimetableDesk {
  /// Registers or changes one row, by the same rules as a sheet of one row would.
  ///
  /// `isOwn` says which schools the caller may change, nil all; `require` is asked where the row lies, as it was and as
  /// it will be, and throws for whoever may not. Throws `importRefused` with everything that is wrong, `taken` for a
  /// new row whose key another has, `staleRow` for one that is another by now, `notFound`.
  nonisolated func write(
    _ wish: RowWish, language: Language, isOwn: (@Sendable (AccessPlace) -> Bool)?,
    require: @escaping @Sendable (AccessTarget) throws -> Void
  ) async throws -> (old: PlaceValue?, new: PlaceValue, target: AccessTarget) {
    // Behind imports, which would write what they read before.
    try await writing.run { try self.writeRow(wish, language, isOwn, require) }
  }

  private nonisolated func writeRow(
    _ wish: RowWish, _ language: Language, _ isOwn: (@Sendable (AccessPlace) -> Bool)?,
    _ require: @Sendable (AccessTarget) throws -> Void
  ) throws -> (old: PlaceValue?, new: PlaceValue, target: AccessTarget) {
    let whole = try store.importBase(subjects: subjects)
    let places = AccessPlaces(institutions: whole.institutions, rooms: whole.rooms)
    if let id = wish.old?.id, let old = whole.value(id, wish.kind) { try require(old.value.target(places)) }
    let base = isOwn.map { whole.limited(to: $0) } ?? whole
    let old = wish.old.flatMap { base.value($0.id, wish.kind) }
    if let wanted = wish.old {
      guard let old else { throw Problem(.notFound) }
      try refuseStale(old, wanted.version, wish.kind, base, language)
    }
    let plan = try plan(wish, old?.place, base, language)
    // One row: it is new, changed, or what it was.
    guard let line = plan.lines.first(where: { $0.row > 0 }) else { throw Problem(.badJSON) }
    let new = plan.changes.values(wish.kind).first
    switch (old, line.action) {
    case (nil, .add): break
    case (nil, _): throw Problem(.taken, arguments: ["value": line.key])
    case (let old?, .same): return (old.value, old.value, old.value.target(places))
    case (let old?, _) where new?.id == old.value.id: break
    default: throw Problem(.badQuery, arguments: ["name": "number", "value": line.key])
    }
    guard let new else { throw Problem(.badJSON) }
    var after = whole
    after.apply(plan.changes)
    let target = new.target(AccessPlaces(institutions: after.institutions, rooms: after.rooms))
    try require(target)
    defer { changed() }
    try tellingProblems {
      do { try store.transaction { try new.write($0, ifVersion: wish.old?.version) } } catch LedgerError.stale {
        // Between reading and writing; whoever asks again is told more.
        throw Problem(.staleTable)
      }
    }
    return (old?.value, new, target)
  }

  /// The one row as a sheet, laid beside what there is.
  private nonisolated func plan(
    _ wish: RowWish, _ place: Int?, _ base: ImportBase, _ language: Language
  ) throws(Problem) -> ImportPlan {
    let columns = wish.kind.sheet.columns
    var cells: [SheetField: String] = [:]
    if let place { cells = base.cells(of: place, wish.kind.sheet) }
    for (name, text) in wish.fields.sorted(by: { $0.key < $1.key }) {
      guard let column = columns.first(where: { $0.forms.contains(SheetColumn.form(name)) }) else {
        throw Problem(.badQuery, arguments: ["name": "column", "value": name.onOneLine(limit: 40)])
      }
      cells[column.field] = text
    }
    let used = columns.filter { cells[$0.field] != nil || $0.isRequired }
    var table = CSVWriter(header: used.map { language == .chinese ? $0.chinese : $0.english })
    table.add(used.map { .text(cells[$0.field] ?? "") })
    var random = SystemRandomNumberGenerator()
    let now = clock()
    let sheet: ImportSheet
    do throws(ImportIssue) {
      sheet = try ImportSheet([UInt8](table.text.utf8), kind: wish.kind.sheet)
    } catch { throw Self.refusal([error], more: 0, language) }
    do throws(ImportRefusal) {
      return try ImportPlan.make([sheet], onto: base) { Identifier(milliseconds: now, using: &random) }
    } catch { throw Self.refusal(error.issues, more: error.more, language) }
  }

  /// Nobody who changes one row by a command has a second row in mind.
  private static func refusal(_ issues: [ImportIssue], more: Int, _ language: Language) -> Problem {
    let told = issues.map { issue in
      var issue = issue
      issue.row = 0
      return ImportIssueReply(issue, file: "", language: language)
    }
    var problem = Problem(
      .rowRefused,
      arguments: ["count": "\(issues.count + more)", "issues": told.map(\.text).joined(separator: " ")])
    problem.issues = told
    problem.more = more
    return problem
  }

  /// Tells what a row has become since it was read.
  private nonisolated func refuseStale(
    _ row: (place: Int, value: PlaceValue), _ version: String, _ kind: PlaceKind, _ base: ImportBase,
    _ language: Language
  ) throws {
    let current = try row.value.version()
    guard current != version else { return }
    let cells = base.cells(of: row.place, kind.sheet)
    let changed = try row.value.columns(changedSince: version).flatMap(Self.fields)
    let texts = kind.sheet.columns.filter { changed.contains($0.field) }.map { column in
      let title = language == .chinese ? column.chinese : column.english
      // Whose account it is stays in the ledger.
      let isPersonal = column.field == .issuer || column.field == .account
      return isPersonal
        ? title
        : Text.of(
          "place.now", in: language, ["column": title, "value": (cells[column.field] ?? "").onOneLine(limit: 80)])
    }
    var problem = Problem(
      .staleRow, arguments: ["changes": texts.joined(separator: language.semicolon)])
    problem.tag = current
    throw problem
  }

  /// The columns of a sheet that a column of the ledger stands in.
  private static func fields(_ column: String) -> [SheetField] {
    switch column {
    case "acceptedAt": [.acceptedOn]
    case "cohorts": [.entryYears, .headCounts]
    case "members": [.leads, .receivers]
    case "subject": [.account]
    default: SheetField(rawValue: column).map { [$0] } ?? []
    }
  }
}

extension ImportBase {
  /// The cells of one row as its sheet has them, the blank ones left out.
  fileprivate func cells(of place: Int, _ sheet: SheetKind) -> [SheetField: String] {
    let rows = table(of: sheet, inEnglish: true)
    guard rows.indices.contains(place + 1) else { return [:] }
    let fields = Dictionary(sheet.columns.map { ($0.english, $0.field) }) { first, _ in first }
    var cells: [SheetField: String] = [:]
    for (title, text) in zip(rows[0], rows[place + 1]) where !text.isEmpty {
      if let field = fields[title] { cells[field] = text }
    }
    return cells
  }
}
