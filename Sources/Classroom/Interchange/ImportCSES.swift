/// A CSES file (Course Schedule Exchange Schema, version 1) as its parser hands it over: every value as its text.
///
/// What is nil was not there. `weeks` is `all`, `odd`, `even`, or weeks as `WeekSet` writes them.
public struct CSESFile: Hashable, Sendable {
  public struct Subject: Hashable, Sendable {
    public var name: String
    public var teacher: String?
    public init(name: String, teacher: String? = nil) {
      self.name = name
      self.teacher = teacher
    }
  }

  /// One lesson of a day.
  public struct Entry: Hashable, Sendable {
    public var subject: String
    /// `HH:MM:SS`.
    public var start: String
    public var end: String
    public init(subject: String, start: String, end: String) {
      self.subject = subject
      self.start = start
      self.end = end
    }
  }

  /// The lessons of one weekday in some weeks.
  public struct Schedule: Hashable, Sendable {
    public var name: String
    /// ISO weekday, 1…7.
    public var day: String
    public var weeks: String?
    public var entries: [Entry]
    public init(name: String = "", day: String, weeks: String? = nil, entries: [Entry]) {
      self.name = name
      self.day = day
      self.weeks = weeks
      self.entries = entries
    }
  }

  public var version: String?
  public var subjects: [Subject]
  public var schedules: [Schedule]
  public init(version: String? = "1", subjects: [Subject], schedules: [Schedule]) {
    self.version = version
    self.subjects = subjects
    self.schedules = schedules
  }
}

extension ImportPlan {
  /// Lays the local lessons of one class beside those it has, as `make` does with a sheet of them: `options` name the
  /// class and the term. The columns of issues are paths such as `schedules[0].classes[2].start_time`.
  public static func make(
    _ file: CSESFile, onto base: ImportBase, options: ImportOptions
  ) throws(ImportRefusal) -> ImportPlan {
    // Nothing here is new but lessons, which have no identifiers.
    var run = ImportRun(sheets: [], base: base, options: options) { Identifier(high: 0, low: 0) }
    run.tables.indexNames()
    run.readCSES(file)
    if let refusal = run.issues.refusal { throw refusal }
    return run.plan
  }
}

extension ImportRun {
  /// Entries of a file: more than all periods of seven days in single and double weeks.
  private static let entryLimit = 1_000

  mutating func readCSES(_ file: CSESFile) {
    if file.version != "1" { note(CellProblem(.badVersion), "version", file.version ?? "") }
    guard let schoolClass = options.schoolClass.flatMap({ tables.classes.values[$0] }) else {
      return note(CellProblem(.unknownReference), "class", "")
    }
    guard let term = options.term, tables.terms.keys[CellText.plain(term)] != nil else {
      return note(CellProblem(.unknownReference), "term", options.term ?? "")
    }
    guard file.schedules.reduce(0, { $0 + $1.entries.count }) <= Self.entryLimit,
      file.subjects.count <= Self.entryLimit
    else { return note(CellProblem(.tooManyEntries, arguments: ["limit": "\(Self.entryLimit)"]), "schedules", "") }
    let teachers = teachers(of: file, at: schoolClass.institution)
    var lessons: [LocalLesson] = []
    for (index, schedule) in file.schedules.enumerated() {
      let path = "schedules[\(index)]"
      let weekday = read("\(path).enable_day", schedule.day, CellText.weekday)
      let weeks = read("\(path).weeks", schedule.weeks ?? "all", CellText.weeks)
      for (place, entry) in schedule.entries.enumerated() {
        let path = "\(path).classes[\(place)]"
        let subject = read("\(path).subject", entry.subject, CellText.name)
        let start = read("\(path).start_time", entry.start, CellText.time)
        let end = read("\(path).end_time", entry.end, CellText.time)
        guard let weekday, let weeks, let subject, let start, let end else { continue }
        guard start < end else {
          note(CellProblem(.badTimeSpan), "\(path).end_time", entry.end)
          continue
        }
        let lesson = LocalLesson(
          institution: schoolClass.institution, term: term, schoolClass: schoolClass.id,
          teacher: teachers[entry.subject],
          subject: tables.subjects.subject(named: subject)?.key ?? subject, weekday: weekday, time: .clock(start, end),
          weeks: weeks)
        add(lesson, to: &lessons, path)
      }
    }
    guard !lessons.isEmpty else { return }
    let rows = LocalRows(row: 0, lessons: lessons.map { (0, $0) })
    layBeside([(LocalKey(schoolClass: schoolClass.id, term: term), rows)])
  }

  /// One lesson in single weeks and the same in double weeks are one in all.
  private func add(_ lesson: LocalLesson, to lessons: inout [LocalLesson], _ path: String) {
    if lessons.contains(where: lesson.meets) { return note(CellProblem(.overlappingLessons), path, lesson.subject) }
    let twin = lessons.firstIndex {
      var other = $0
      other.weeks = lesson.weeks
      return other == lesson
    }
    if let twin {
      lessons[twin].weeks = WeekSet(lessons[twin].weeks.numbers + lesson.weeks.numbers)
    } else {
      lessons.append(lesson)
    }
  }

  private func teachers(of file: CSESFile, at institution: Identifier) -> [String: Identifier] {
    var teachers: [String: Identifier] = [:]
    for (index, subject) in file.subjects.enumerated() {
      let name = CellText.trimmed(subject.teacher ?? "")
      guard !name.isEmpty else { continue }
      do throws(CellProblem) {
        teachers[subject.name] = try localTeacher(name, at: institution)
      } catch { note(error, "subjects[\(index)].teacher", name) }
    }
    return teachers
  }

  private func read<Value>(
    _ path: String, _ text: String, _ reader: (String) throws(CellProblem) -> Value
  ) -> Value? {
    let text = CellText.trimmed(text)
    if text.isEmpty {
      note(CellProblem(.missingValue), path, "")
      return nil
    }
    do throws(CellProblem) { return try reader(text) } catch {
      note(error, path, text)
      return nil
    }
  }

  private func note(_ problem: CellProblem, _ path: String, _ value: String) {
    issues.add(
      ImportIssue(
        problem.code, column: path, value: value, arguments: problem.arguments, suggestion: problem.suggestion))
  }
}
