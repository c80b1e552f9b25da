import Classroom
public import ControlAPI

/// The headers of tables about what a relay answers; each has `control.column.<name>` in the catalogue.
enum ControlColumn: String, CaseIterable {
  case sheet, row, key, name, action, changes, column, value, problem
  case code, state, version, firstDay, weeks
  case number, cluster, subject, grades, lead, receivers, times, mode, label
  case severity, course, dates, sentence, resolutions
  case day, period, start, end, room, overlap, misfit, known
  case institution, schoolClass
  case id, title, rooms, revision
  case kind, of, madeAt, usedAt, url

  private var isNumber: Bool {
    switch self {
    case .row, .version, .weeks, .period, .overlap, .misfit, .revision: true
    default: false
    }
  }

  func column(in language: Language) -> TextTable.Column {
    TextTable.Column(Text.of("control.column.\(rawValue)", in: language), isNumber: isNumber)
  }
}

/// What a relay answers to coordinators, as rows for people and spreadsheets.
public enum ControlTables {
  /// Values of answers that have words, `control.<value's kind>.<value>`; another one is shown as it came.
  package static let worded: [String: [String]] = [
    "action": ImportReply.Action.allCases.map(\.rawValue),
    "severity": ["conflict", "warning", "note"],
    "termState": ["draft", "published"],
    "lessonState": ["planned", "published", "armed", "live", "ended", "cancelled", "notHeld", "interrupted"],
    "mode": ["sync", "asyncDual", "research"],
    "label": ["dedicated", "masterTeacher", "leadingSchool"],
    "calendar": ["room", "teacher", "cluster"],
    "gap": GapReply.State.allCases.map(\.rawValue),
    "known": ["true", "false"],
  ]

  /// Keys of all words that tables put together.
  package static var keys: [String] {
    ControlColumn.allCases.map { "control.column.\($0.rawValue)" }
      + worded.flatMap { kind, values in values.map { "control.\(kind).\($0)" } }
  }

  private static func word(_ kind: String, _ value: String, _ language: Language) -> String {
    worded[kind]?.contains(value) == true ? Text.of("control.\(kind).\(value)", in: language) : value
  }

  /// The name of a kind of sheet; of a file that is none its own.
  private static func sheet(_ name: String, _ language: Language) -> String {
    let key = "import.sheet.\(name)"
    return Text.has(key, in: language) ? Text.of(key, in: language) : name
  }

  private static func weekday(_ number: Int, _ language: Language) -> String {
    (1...7).contains(number) ? Text.of("timetable.weekday.\(number)", in: language) : "\(number)"
  }

  private static func table(_ columns: [ControlColumn], _ language: Language) -> TextTable {
    TextTable(columns.map { $0.column(in: language) })
  }

  private static func list(_ texts: [String], _ language: Language) -> String {
    texts.joined(separator: Text.of("control.list", in: language))
  }

  /// The first of many dates, and how many more there are.
  private static func dates(_ dates: [String], _ language: Language) -> String {
    guard let first = dates.first else { return "" }
    guard dates.count > 1 else { return first }
    return Text.of("control.dates", in: language, ["first": first, "more": "\(dates.count - 1)"])
  }

  public static func lines(_ lines: [ImportReply.Line], in language: Language) -> TextTable {
    var table = table([.action, .sheet, .row, .key, .name, .changes], language)
    for line in lines {
      let changes = line.changes.map {
        Text.of("control.change", in: language, ["column": $0.column, "old": $0.old, "new": $0.new])
      }
      table.add([
        word("action", line.action.rawValue, language), sheet(line.sheet, language), line.row > 0 ? "\(line.row)" : "",
        line.key,
        line.name, list(changes, language),
      ])
    }
    return table
  }

  public static func issues(_ issues: [ImportIssueReply], in language: Language) -> TextTable {
    var table = table([.sheet, .row, .column, .value, .problem], language)
    for issue in issues {
      table.add([
        sheet(issue.sheet, language), issue.row.map(String.init) ?? "", issue.column ?? "",
        String((issue.value ?? "").prefix(40)),
        issue.text,
      ])
    }
    return table
  }

  public static func terms(_ terms: [TermReply], in language: Language) -> TextTable {
    var table = table([.code, .name, .state, .version, .firstDay, .weeks], language)
    for term in terms {
      table.add([
        term.code, term.name, word("termState", term.state, language), "\(term.version)", term.firstDay,
        "\(term.weeks)",
      ])
    }
    return table
  }

  public static func courses(_ courses: [CourseReply], in language: Language) -> TextTable {
    var table = table(
      [.number, .cluster, .subject, .grades, .lead, .receivers, .times, .mode, .label, .version], language)
    for course in courses {
      table.add([
        course.number, course.cluster, course.subject, list(course.grades.map(String.init), language), course.lead,
        list(course.receivers, language), list(course.times, language), word("mode", course.mode, language),
        word("label", course.label, language), "\(course.version)",
      ])
    }
    return table
  }

  /// Addresses of links that were just made, nothing for the others.
  public static func calendarLinks(_ links: [CalendarLinkReply], in language: Language) -> TextTable {
    var table = table([.id, .kind, .of, .name, .madeAt, .usedAt, .url], language)
    for link in links {
      table.add([
        link.id, word("calendar", link.kind, language), link.of, link.label, link.madeAt, link.usedAt ?? "",
        link.url ?? "",
      ])
    }
    return table
  }

  /// A row for each column of a sheet of courses that the course fills.
  public static func course(_ course: CourseFieldsReply, in language: Language) -> TextTable {
    var table = table([.column, .value], language)
    for column in SheetKind.courses.columns {
      guard let value = course.fields[column.english] else { continue }
      table.add([language == .chinese ? column.chinese : column.english, value])
    }
    table.add([Text.of("control.column.version", in: language), course.version])
    return table
  }

  public static func findings(_ findings: [FindingReply], in language: Language) -> TextTable {
    var table = table([.severity, .code, .course, .dates, .sentence, .resolutions], language)
    for finding in findings {
      table.add([
        word("severity", finding.severity, language), finding.code, finding.course, dates(finding.dates, language),
        finding.sentence, list(finding.resolutions, language),
      ])
    }
    return table
  }

  /// A row for each site of each window.
  public static func free(_ windows: [FreeWindowReply], in language: Language) -> TextTable {
    var table = table([.day, .period, .start, .end, .weeks, .room, .overlap, .misfit, .known], language)
    for window in windows {
      let head = [
        weekday(window.weekday, language), "\(window.period)", window.start, window.end, window.weeks,
      ]
      for site in window.sites {
        table.add(
          head + [
            site.room, "\(site.overlapMinutes)", "\(site.misfitMinutes)", word("known", "\(site.known)", language),
          ])
      }
      if window.sites.isEmpty { table.add(head + ["", "", "", ""]) }
    }
    return table
  }

  public static func gaps(_ gaps: [GapReply], in language: Language) -> TextTable {
    var table = table([.institution, .schoolClass, .grades, .subject, .state], language)
    for gap in gaps {
      table.add([
        gap.institution, gap.schoolClass, list(gap.grades.map(String.init), language), gap.subject,
        word("gap", gap.state.rawValue, language),
      ])
    }
    return table
  }

  public static func lessons(_ lessons: [LessonReply], in language: Language) -> TextTable {
    var table = table([.start, .end, .course, .title, .state, .rooms, .id, .revision], language)
    for lesson in lessons {
      table.add([
        lesson.start, lesson.end, lesson.course ?? "", lesson.title, word("lessonState", lesson.state, language),
        list(lesson.rooms, language), lesson.id, "\(lesson.revision)",
      ])
    }
    return table
  }
}

extension ControlError {
  /// What went wrong, in words; of a refusal the relay's own.
  public func message(in language: Language) -> String {
    guard case .refused(let problem) = self else { return Text.of("control.\(name)", in: language, arguments) }
    // Whatever a server writes stays text on a terminal.
    let lines = [problem.title, problem.detail].filter { !$0.isEmpty }.map(TerminalText.line)
    return lines.joined(separator: "\n")
  }
}

extension ProfileError {
  public func message(in language: Language) -> String { Text.of("profile.\(name)", in: language, arguments) }
}

/// Text of others on a terminal that it must not command.
public enum TerminalText {
  /// On one line, without control characters and marks that turn the direction of writing.
  public static func line(_ text: String) -> String { text.onOneLine(limit: .max) }

  /// The same, line by line.
  public static func lines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line(String($0)) }.joined(separator: "\n")
  }
}
