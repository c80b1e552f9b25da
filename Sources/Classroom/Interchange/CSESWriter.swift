/// One class's or room's week in the Course Schedule Exchange Schema, which classroom screens read (CSES `version: 1`,
/// YAML).
public enum CSESWriter {
  /// What the schedules are called.
  public struct Labels: Hashable, Sendable {
    /// Of Monday…Sunday; a missing one is its number.
    public var days: [String]
    /// Put behind the day's name.
    public var odd: String
    public var even: String
    public init(days: [String], odd: String, even: String) {
      self.days = days
      self.odd = odd
      self.even = even
    }
  }

  /// What the schema cannot say.
  public enum Omission: Hashable, Sendable {
    /// The lesson is left out: neither every week nor all single or all double weeks of the term.
    case weeks(WeekLesson)
    /// The lesson is left out: no such weekday, or it ends before it begins or at midnight.
    case time(WeekLesson)
    /// The lesson is left out: it has neither subject nor title.
    case name(WeekLesson)
    /// The lesson is left out: a week has no more than 1,000.
    case tooMany(WeekLesson)
    /// A subject has one teacher; this one has several, and none is written.
    case teachers(subject: String)
    /// A subject has one room; this one has several, and none is written.
    case rooms(subject: String)
  }

  /// The file, and what is not in it.
  ///
  /// A day with lessons of single or double weeks is written as two schedules, each with all lessons of its week,
  /// because screens show one schedule a day. `termWeeks`: weeks of the term, 1…60, so that `1-20` is every week of
  /// twenty. Every string is quoted. Cost: n log n.
  public static func text(
    of lessons: [WeekLesson], termWeeks: Int, labels: Labels
  ) -> (text: String, leftOut: [Omission]) {
    var leftOut: [Omission] = lessons.dropFirst(WeekLesson.limit).map { .tooMany($0) }
    var kept: [(lesson: WeekLesson, pattern: WeekLesson.Pattern)] = []
    for lesson in lessons.prefix(WeekLesson.limit).sorted(by: WeekLesson.precedes) {
      let pattern = lesson.pattern(termWeeks: termWeeks)
      if !(1...7).contains(lesson.weekday) || lesson.start >= lesson.end || lesson.end.minute == 1_440 {
        leftOut.append(.time(lesson))
      } else if lesson.subject.isEmpty && lesson.title.isEmpty {
        leftOut.append(.name(lesson))
      } else if pattern == .others || pattern == .none {
        leftOut.append(.weeks(lesson))
      } else {
        kept.append((lesson, pattern))
      }
    }
    var lines = ["version: 1"]
    lines += subjects(kept.map(\.lesson), &leftOut)
    lines += schedules(kept, labels)
    return (lines.joined(separator: "\n") + "\n", leftOut)
  }

  private static func name(_ lesson: WeekLesson) -> String { lesson.subject.isEmpty ? lesson.title : lesson.subject }

  private static func subjects(_ lessons: [WeekLesson], _ leftOut: inout [Omission]) -> [String] {
    let subjects = Dictionary(grouping: lessons, by: name).sorted { $0.key < $1.key }
    if subjects.isEmpty { return ["subjects: []"] }
    var lines = ["subjects:"]
    for (subject, lessons) in subjects {
      lines.append("  - name: \(quoted(subject))")
      lines.append("    simplified_name: \(quoted(String(subject.prefix(1))))")
      let (teachers, rooms) = (Set(lessons.map(\.teacher)), Set(lessons.map(\.room)))
      if teachers.count > 1 { leftOut.append(.teachers(subject: subject)) }
      if rooms.count > 1 { leftOut.append(.rooms(subject: subject)) }
      if teachers.count == 1, let teacher = teachers.first, !teacher.isEmpty {
        lines.append("    teacher: \(quoted(teacher))")
      }
      if rooms.count == 1, let room = rooms.first, !room.isEmpty { lines.append("    room: \(quoted(room))") }
    }
    return lines
  }

  private static func schedules(
    _ lessons: [(lesson: WeekLesson, pattern: WeekLesson.Pattern)], _ labels: Labels
  ) -> [String] {
    if lessons.isEmpty { return ["schedules: []"] }
    var lines = ["schedules:"]
    for day in 1...7 {
      let ofDay = lessons.filter { $0.lesson.weekday == day }
      let isPlain = ofDay.allSatisfy { $0.pattern == .all }
      let name = day <= labels.days.count ? labels.days[day - 1] : "\(day)"
      let weeks: [(word: String, pattern: WeekLesson.Pattern, name: String)] =
        isPlain
        ? [("all", .all, name)] : [("odd", .odd, name + labels.odd), ("even", .even, name + labels.even)]
      for week in weeks {
        let taught = ofDay.filter { $0.pattern == .all || $0.pattern == week.pattern }.map(\.lesson)
        if taught.isEmpty { continue }
        lines.append("  - name: \(quoted(week.name))")
        lines.append("    enable_day: \(day)")
        lines.append("    weeks: \(week.word)")
        lines.append("    classes:")
        for lesson in taught {
          lines.append("      - subject: \(quoted(self.name(lesson)))")
          // Unquoted, YAML 1.1 takes them for numbers to the base of sixty.
          lines.append("        start_time: \"\(lesson.start):00\"")
          lines.append("        end_time: \"\(lesson.end):00\"")
        }
      }
    }
    return lines
  }

  /// A double-quoted YAML scalar, whatever is in it; what YAML does not print is escaped.
  static func quoted(_ text: String) -> String {
    var result = String.UnicodeScalarView("\"".unicodeScalars)
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x22, 0x5C:
        result.append("\\")
        result.append(scalar)
      case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF:
        let digits = String(scalar.value, radix: 16)
        let zeros = String(repeating: "0", count: 4 - digits.count)
        result.append(contentsOf: "\\u\(zeros)\(digits)".unicodeScalars)
      default: result.append(scalar)
      }
    }
    result.append("\"")
    return String(result)
  }
}
