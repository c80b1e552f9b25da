/// Whose local lessons a row tells.
typealias LocalKey = ImportBase.LocalClass

/// The rows of one class in one term.
struct LocalRows {
  var row: Int
  var lessons: [(row: Int, lesson: LocalLesson)] = []
}

extension LocalLesson {
  /// Whether both take the same time of a week they share. A period and times of the clock are never compared: the
  /// bells that would tell are not known here.
  func meets(_ other: LocalLesson) -> Bool {
    guard weekday == other.weekday, weeks.bits & other.weeks.bits != 0 else { return false }
    switch (time, other.time) {
    case (.period(let first), .period(let second)): return first == second
    case (.clock(let start, let end), .clock(let from, let until)): return start < until && from < end
    default: return false
    }
  }

  /// By day, time and weeks: the order in which they are kept.
  static func precedes(_ first: LocalLesson, _ second: LocalLesson) -> Bool {
    func place(_ lesson: LocalLesson) -> (Int, Int, Int, UInt64, String) {
      switch lesson.time {
      case .period(let number): (lesson.weekday, 0, number, lesson.weeks.bits, lesson.subject)
      case .clock(let start, _): (lesson.weekday, 1, start.minute, lesson.weeks.bits, lesson.subject)
      }
    }
    return place(first) < place(second)
  }

  func cells(_ tables: ImportTables) -> [SheetField: String] {
    var cells: [SheetField: String] = [
      .schoolClass: tables.text(schoolClass: schoolClass), .term: term,
      .subject: tables.subjects[subject]?.name ?? subject, .weekday: CellText.weekdayName(weekday),
      .teacher: tables.text(person: teacher, at: institution), .weeks: weeks == .all ? "" : "\(weeks)",
    ]
    switch time {
    case .period(let number): cells[.periods] = "第\(number)节"
    case .clock(let start, let end): (cells[.start], cells[.end]) = ("\(start)", "\(end)")
    }
    return cells
  }
}

extension ImportRun {
  /// Local lessons of one class: every period of every day, each in two halves of the weeks, and more.
  private static let lessonsOfClass = 1_000

  mutating func readLocalLessons() {
    guard has(.localLessons) else { return }
    var gathered: [LocalKey: LocalRows] = [:]
    var order: [LocalKey] = []
    // A printed week has the joint lessons, too, which are not the school's own.
    for row in rows(of: .localLessons) where !WeekLesson.jointWords.contains(CellText.plain(row.text(.origin))) {
      for lesson in localLessons(of: row) {
        let key = LocalKey(schoolClass: lesson.schoolClass, term: lesson.term)
        if gathered[key] == nil { order.append(key) }
        gathered[key, default: LocalRows(row: row.number)].lessons.append((row.number, lesson))
        guard let rows = gathered[key], rows.lessons.count <= Self.lessonsOfClass else {
          row.issue(.tooManyEntries, .schoolClass, arguments: ["limit": "\(Self.lessonsOfClass)"])
          return
        }
        if let other = rows.lessons.dropLast().first(where: { $0.lesson.meets(lesson) }) {
          row.issue(.overlappingLessons, .weekday, arguments: ["row": "\(other.row)"])
        }
      }
    }
    layBeside(order.map { ($0, gathered[$0]) }.compactMap { key, rows in rows.map { (key, $0) } })
  }

  /// The lessons of a row: one for each of its periods.
  private func localLessons(of row: SheetRow) -> [LocalLesson] {
    let count = issues.count
    let term = row.term(self)
    var schoolClass = row.value(.schoolClass, tables.schoolClass)
    if schoolClass == nil, row.isBlank(.schoolClass) {
      schoolClass = options.schoolClass
      if schoolClass == nil {
        row.issue(row.has(.schoolClass) ? .missingValue : .missingColumn, .schoolClass, suggestion: .fillCell)
      }
    }
    let subject = row.required(.subject, CellText.name)
    let weekday = row.required(.weekday, CellText.weekday)
    let weeks = row.isBlank(.weeks) ? .all : row.value(.weeks, CellText.weeks)
    let times = localTimes(of: row)
    guard let schoolClass, let institution = tables.classes.values[schoolClass]?.institution else { return [] }
    let named = row.value(.teacher) { text throws(CellProblem) in try localTeacher(text, at: institution) }
    let teacher = (named ?? nil) ?? options.teacher
    guard let term, let subject, let weekday, let weeks else { return [] }
    guard issues.count == count else { return [] }
    let key = tables.subjects.subject(named: subject)?.key ?? subject
    return times.map { time in
      LocalLesson(
        institution: institution, term: term, schoolClass: schoolClass, teacher: teacher, subject: key,
        weekday: weekday, time: time, weeks: weeks)
    }
  }

  /// Periods by list, by first and last, or times of the clock.
  private func localTimes(of row: SheetRow) -> [LocalLesson.Time] {
    if !row.isBlank(.periods) { return (row.value(.periods, CellText.periods) ?? []).map { .period($0) } }
    if !row.isBlank(.firstPeriod) {
      guard let first = row.value(.firstPeriod, CellText.period) else { return [] }
      guard !row.isBlank(.lastPeriod) else { return [.period(first)] }
      guard let last = row.value(.lastPeriod, CellText.period) else { return [] }
      guard first <= last else {
        row.issue(.badPeriod, .lastPeriod)
        return []
      }
      return (first...last).map { .period($0) }
    }
    guard !row.isBlank(.start) || !row.isBlank(.end) else {
      let field = [SheetField.periods, .firstPeriod, .start].first(where: row.has) ?? .periods
      row.issue(row.has(field) ? .missingValue : .missingColumn, field, suggestion: .fillCell)
      return []
    }
    guard let start = row.required(.start, CellText.time), let end = row.required(.end, CellText.time) else {
      return []
    }
    guard start < end else {
      row.issue(.badTimeSpan, .end)
      return []
    }
    return [.clock(start, end)]
  }

  /// Most teachers of local lessons are no persons of this system: a name that nobody has is left out, a number that
  /// nobody has is an issue.
  func localTeacher(_ text: String, at institution: Identifier) throws(CellProblem) -> Identifier? {
    do throws(CellProblem) { return try tables.person(text, at: institution) } catch {
      let hasDigit = CellText.plain(text).utf8.contains { (0x30...0x39).contains($0) }
      guard error.code == .unknownReference, !hasDigit else { throw error }
      return nil
    }
  }

  /// A lesson of the file takes the place of those it meets; what else the class had stays, or goes with
  /// `deleteMissing`: of a teacher's file that is the teacher's, of another everything its classes had.
  mutating func layBeside(_ gathered: [(LocalKey, LocalRows)]) {
    var before = Dictionary(grouping: base.localLessons) { LocalKey(schoolClass: $0.schoolClass, term: $0.term) }
    var all = gathered
    if options.deleteMissing, let teacher = options.teacher {
      let terms = Set(gathered.map(\.0.term))
      let named = Set(gathered.map(\.0))
      let others = before.filter { key, lessons in
        terms.contains(key.term) && !named.contains(key) && lessons.contains { $0.teacher == teacher }
      }
      all += others.keys.sorted { $0.schoolClass < $1.schoolClass }.map { ($0, LocalRows(row: 0)) }
    }
    for (key, rows) in all {
      let old = (before.removeValue(forKey: key) ?? []).sorted(by: LocalLesson.precedes)
      let new = rows.lessons.map(\.lesson)
      let kept = old.filter { lesson in
        if new.contains(where: lesson.meets) { return false }
        guard options.deleteMissing else { return true }
        return options.teacher.map { lesson.teacher != $0 } ?? false
      }
      let lessons = (kept + new).sorted(by: LocalLesson.precedes)
      // What a class's own file said stays whole when a teacher's changes some of it; a class's own file makes it so.
      let wasWhole = !old.isEmpty && !base.partialLocals.contains(key)
      let isWhole = options.teacher == nil || wasWhole
      var action = old.isEmpty ? ImportPlan.Action.add : .same
      if !old.isEmpty, lessons != old || isWhole != wasWhole { action = .change(differences(old, lessons)) }
      if action != .same {
        plan.changes.localTimetables.append(
          LocalTimetable(
            schoolClass: key.schoolClass, term: key.term, lessons: lessons, isWhole: isWhole))
      }
      add(.localLessons, rows.row, "\(tables.text(schoolClass: key.schoolClass)) \(key.term)", "", action)
    }
  }

  private func differences(_ old: [LocalLesson], _ new: [LocalLesson]) -> [ImportPlan.FieldChange] {
    let (earlier, later) = (Set(old), Set(new))
    let fields: [SheetField] = [.weekday, .periods, .start, .end, .weeks, .subject, .teacher]
    func text(_ lesson: LocalLesson) -> String {
      let cells = lesson.cells(tables)
      return fields.compactMap { cells[$0] }.filter { !$0.isEmpty }.joined(separator: " ")
    }
    return old.filter { !later.contains($0) }.map { ImportPlan.FieldChange(.subject, old: text($0), new: "") }
      + new.filter { !earlier.contains($0) }.map { ImportPlan.FieldChange(.subject, old: "", new: text($0)) }
  }
}
