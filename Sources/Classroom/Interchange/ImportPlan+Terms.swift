/// Whose calendar a row of a sheet of terms is about.
private enum CalendarScope: Hashable {
  case term
  case region(String)
  case institution(Identifier)
}

/// The rows of one term while they are gathered.
private struct TermRows {
  var first: SheetRow
  var value: Term
  var old: Term?
  /// Rows that gave the name, the first day and the number of weeks; further ones have to agree.
  var told: [SheetField: Int] = [:]
  /// Rows by what they are about.
  var taken: [String: Int] = [:]
  /// Rules of the file, by calendar, in its order.
  var rules: [(scope: CalendarScope, rule: CalendarRule)] = []
  var firstDays: [CalendarScope: CivilDate] = [:]
}

extension ImportRun {
  private static let parts = CellText.Choice<DayPart>(words: [
    (.whole, ["全天", "whole", "整天"]), (.morning, ["上午", "morning", "am"]), (.afternoon, ["下午", "afternoon", "pm"]),
  ])

  private enum RuleWord { case holiday, follows, ordinary }
  private static let words = CellText.Choice<RuleWord>(words: [
    (.holiday, ["放假", "holiday", "假期", "休息", "停课"]), (.follows, ["调休", "follows", "补课", "调课"]),
    (.ordinary, ["上课", "ordinary", "照常"]),
  ])

  /// Reads terms: the rows of one code together, whatever their order.
  mutating func readTerms() {
    guard has(.terms) else { return }
    var gathered: [TermRows] = []
    var places: [String: Int] = [:]
    for row in rows(of: .terms) {
      guard let code = row.required(.term, CellText.code) else { continue }
      let place = places[code] ?? gathered.count
      if place == gathered.count {
        places[code] = place
        gathered.append(begin(code, row))
      }
      gather(row, &gathered[place])
    }
    for rows in gathered { finish(rows) }
    noteAbsentTerms(Set(gathered.map(\.value.id)))
  }

  private mutating func begin(_ code: String, _ row: SheetRow) -> TermRows {
    let id = tables.terms.keys[code] ?? newIdentifier()
    tables.terms.keys[code] = id
    let old = tables.terms.values[id]
    // Any day will do: without one the term is refused.
    let value = old ?? Term(id: id, code: code, name: "", firstDay: CivilTime.date(of: 0), weeks: 0)
    return TermRows(first: row, value: value, old: old)
  }

  private func scope(of row: SheetRow) -> CalendarScope? {
    if !row.isBlank(.institution) {
      if !row.isBlank(.region) {
        row.issue(.keyConflict, .region)
        return nil
      }
      return row.value(.institution, tables.institution).map { .institution($0) }
    }
    guard !row.isBlank(.region) else { return .term }
    return row.value(.region, CellText.name).map { .region($0) }
  }

  private func gather(_ row: SheetRow, _ rows: inout TermRows) {
    let scope = scope(of: row)
    tell(row, .name, &rows, \.name, CellText.name)
    tell(row, .weekCount, &rows, \.weeks) { text throws(CellProblem) in
      try CellText.number(text, in: 1...Limits.termWeeks)
    }
    if scope == .term {
      tell(row, .firstDay, &rows, \.firstDay, CellText.date)
    } else if let scope, let day = row.value(.firstDay, CellText.date) {
      if let other = rows.firstDays.updateValue(day, forKey: scope), other != day {
        row.issue(.disagreeingRows, .firstDay)
      }
    }
    guard !row.isBlank(.from) else {
      for field in [SheetField.through, .rule, .followedWeekday, .followedWeek] where !row.isBlank(field) {
        row.issue(.missingValue, .from, suggestion: .fillCell)
        return
      }
      if let scope, scope != .term, row.isBlank(.firstDay) { row.issue(.missingValue, .from, suggestion: .fillCell) }
      return
    }
    guard let rule = rule(of: row), let scope else { return }
    let key = "\(scope) \(rule.from) \(rule.part)"
    if let other = rows.taken.updateValue(row.number, forKey: key) {
      row.issue(.duplicateRow, .from, arguments: ["row": "\(other)"], suggestion: .removeRow)
    }
    rows.rules.append((scope, rule))
  }

  /// A column of the term itself, which may stand in every row of it.
  private func tell<Value: Equatable>(
    _ row: SheetRow, _ field: SheetField, _ rows: inout TermRows, _ target: WritableKeyPath<Term, Value>,
    _ reader: (String) throws(CellProblem) -> Value
  ) {
    guard let value = row.value(field, reader) else { return }
    if let other = rows.told[field] {
      if rows.value[keyPath: target] != value { row.issue(.disagreeingRows, field, arguments: ["row": "\(other)"]) }
      return
    }
    rows.told[field] = row.number
    rows.value[keyPath: target] = value
  }

  private func rule(of row: SheetRow) -> CalendarRule? {
    guard let from = row.value(.from, CellText.date) else { return nil }
    let through = row.isBlank(.through) ? from : row.value(.through, CellText.date)
    let part = row.isBlank(.part) ? .whole : row.value(.part, Self.parts.read)
    let weekday = row.value(.followedWeekday, CellText.weekday)
    let week = row.value(.followedWeek) { text throws(CellProblem) in try CellText.number(text, in: 1...60) }
    let word =
      row.isBlank(.rule) ? (row.isBlank(.followedWeekday) ? .holiday : .follows) : row.value(.rule, Self.words.read)
    let note = row.isBlank(.note) ? "" : row.value(.note, CellText.name)
    guard let through, let part, let word, let note else { return nil }
    guard from <= through, through - from <= 366 else {
      row.issue(.outOfRange, .through)
      return nil
    }
    switch word {
    case .holiday: return CalendarRule(from: from, through: through, part: part, kind: .holiday, name: note)
    case .ordinary: return CalendarRule(from: from, through: through, part: part, kind: .ordinary, name: note)
    case .follows:
      guard let weekday else {
        if row.isBlank(.followedWeekday) { row.issue(.missingValue, .followedWeekday, suggestion: .fillCell) }
        return nil
      }
      let kind = CalendarRule.Kind.follows(weekday: weekday, week: week)
      return CalendarRule(from: from, through: through, part: part, kind: kind, name: note)
    }
  }

  private mutating func finish(_ rows: TermRows) {
    var term = rows.value
    let row = rows.first
    if rows.old == nil {
      for field in [SheetField.name, .firstDay, .weekCount] where rows.told[field] == nil {
        // Where a cell was given and could not be read, that was told.
        if row.isBlank(field) { row.issue(.missingValue, field, suggestion: .fillCell) }
      }
    }
    if options.deleteMissing {
      term.rules = []
      term.deviations = []
    }
    merge(rows, into: &term)
    if row.sheet.issues.isEmpty, issues.count == 0 {
      do { try term.validate() } catch { row.note(error, error == .badRange ? .weekCount : .from) }
    }
    tables.terms.values[term.id] = term
    var action = ImportPlan.Action.add
    if let old = rows.old {
      if options.deleteMissing { Self.reorder(&term, as: old) }
      tables.terms.values[term.id] = term
      action = term == old ? .same : .change(differences(old, term))
    }
    if action != .same { plan.changes.terms.append(term) }
    add(.terms, row.number, term.code, term.name, action)
  }

  /// Puts the rules of the file in the place of those about the same day, and behind the others.
  private func merge(_ rows: TermRows, into term: inout Term) {
    var places: [CalendarScope: Int] = [:]
    for (index, deviation) in term.deviations.enumerated() {
      if let region = deviation.region { places[.region(region)] = index }
      if let institution = deviation.institution { places[.institution(institution)] = index }
    }
    func place(_ scope: CalendarScope, _ term: inout Term) -> Int? {
      if let place = places[scope] { return place }
      switch scope {
      case .term: return nil
      case .region(let region): term.deviations.append(Term.Deviation(region: region))
      case .institution(let id): term.deviations.append(Term.Deviation(institution: id))
      }
      places[scope] = term.deviations.count - 1
      return term.deviations.count - 1
    }
    for (scope, day) in rows.firstDays.sorted(by: { $0.value < $1.value }) {
      if let place = place(scope, &term) { term.deviations[place].firstDay = day }
    }
    for (scope, rule) in rows.rules {
      if let place = place(scope, &term) {
        Self.put(rule, into: &term.deviations[place].rules)
      } else {
        Self.put(rule, into: &term.rules)
      }
    }
    // New ones come in no order of their own; those of counties are read first.
    term.deviations.sort { first, second in
      func place(_ deviation: Term.Deviation) -> (Int, String) {
        (deviation.region == nil ? 1 : 0, deviation.region ?? deviation.institution?.description ?? "")
      }
      return place(first) < place(second)
    }
  }

  private static func put(_ rule: CalendarRule, into rules: inout [CalendarRule]) {
    if let place = rules.firstIndex(where: { $0.from == rule.from && $0.part == rule.part }) {
      rules[place] = rule
    } else if rules.count <= Limits.calendarRules {
      // One too many is enough for the term to be refused.
      rules.append(rule)
    }
  }

  /// Rules keep the order they had, since among those of one day the last wins; only then are equal sets the same.
  private static func reorder(_ term: inout Term, as old: Term) {
    if Set(term.rules) == Set(old.rules), term.rules.count == old.rules.count { term.rules = old.rules }
    if Set(term.deviations) == Set(old.deviations), term.deviations.count == old.deviations.count {
      term.deviations = old.deviations
    }
  }

  private mutating func noteAbsentTerms(_ present: Set<Identifier>) {
    guard !present.isEmpty else { return }
    for term in base.terms where !present.contains(term.id) {
      if options.deleteMissing { plan.changes.removed.append(ImportChanges.Removal(sheet: .terms, id: term.id)) }
      add(.terms, 0, term.code, term.name, options.deleteMissing ? .remove : .absent)
    }
  }

  private func differences(_ old: Term, _ new: Term) -> [ImportPlan.FieldChange] {
    let columns = [SheetField.name, .firstDay, .weekCount].compactMap { field -> ImportPlan.FieldChange? in
      let (before, after) = (old.rows(tables)[0][field] ?? "", new.rows(tables)[0][field] ?? "")
      return before == after ? nil : ImportPlan.FieldChange(field, old: before, new: after)
    }
    let (before, after) = (old.ruleTexts(tables), new.ruleTexts(tables))
    let (earlier, later) = (Set(before), Set(after))
    return columns
      + before.filter { !later.contains($0) }.map { ImportPlan.FieldChange(.rule, old: $0, new: "") }
      + after.filter { !earlier.contains($0) }.map { ImportPlan.FieldChange(.rule, old: "", new: $0) }
  }

  fileprivate static func cells(_ rule: CalendarRule) -> [SheetField: String] {
    var cells: [SheetField: String] = [
      .from: "\(rule.from)", .through: "\(rule.through)", .part: parts.text(rule.part), .note: rule.name,
    ]
    switch rule.kind {
    case .holiday: cells[.rule] = words.text(.holiday)
    case .ordinary: cells[.rule] = words.text(.ordinary)
    case .follows(let weekday, let week):
      cells[.rule] = words.text(.follows)
      cells[.followedWeekday] = CellText.weekdayName(weekday)
      cells[.followedWeek] = week.map { "\($0)" } ?? ""
    }
    return cells
  }
}

extension Term {
  /// Its rows in a sheet: its own, one for each rule, one for each first day of a county or a school.
  func rows(_ tables: ImportTables) -> [[SheetField: String]] {
    var rows: [[SheetField: String]] = [
      [.term: code, .name: name, .firstDay: "\(firstDay)", .weekCount: "\(weeks)"]
    ]
    rows += rules.map { ImportRun.cells($0).merging([.term: code]) { $1 } }
    for deviation in deviations {
      var scope: [SheetField: String] = [.term: code, .region: deviation.region ?? ""]
      scope[.institution] = tables.text(institution: deviation.institution)
      if let day = deviation.firstDay { rows.append(scope.merging([.firstDay: "\(day)"]) { $1 }) }
      rows += deviation.rules.map { ImportRun.cells($0).merging(scope) { $1 } }
    }
    return rows
  }

  /// Every row but the first, as one text each.
  fileprivate func ruleTexts(_ tables: ImportTables) -> [String] {
    let fields: [SheetField] = [
      .region, .institution, .firstDay, .from, .through, .part, .rule, .followedWeekday, .followedWeek, .note,
    ]
    return rows(tables).dropFirst().map { row in
      fields.compactMap { row[$0] }.filter { !$0.isEmpty }.joined(separator: " ")
    }
  }
}
