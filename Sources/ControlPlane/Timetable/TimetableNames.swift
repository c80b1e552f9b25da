import Classroom

/// What people call the things of a timetable; what is not in it is said to be unknown.
struct TimetableNames: Sendable {
  let timetable: Timetable
  let subjects: SubjectTable
  let language: Language
  private let courses: [Identifier: Course]

  init(_ timetable: Timetable, subjects: SubjectTable, language: Language) {
    self.timetable = timetable
    self.subjects = subjects
    self.language = language
    courses = Dictionary(timetable.courses.map { ($0.id, $0) }) { first, _ in first }
  }

  func text(_ key: String, _ arguments: [String: String] = [:]) -> String {
    Text.of("timetable.\(key)", in: language, arguments)
  }

  func unknown(_ kind: String) -> String { text("unknown.\(kind)") }

  func course(_ id: Identifier?) -> Course? { id.flatMap { courses[$0] } }

  /// Such as `K0137（三年级音乐，石桥中心小学主讲）`.
  func name(ofCourse id: Identifier?) -> String { course(id).map(name) ?? unknown("course") }

  func name(of course: Course) -> String {
    let lead = text("ledBy", ["institution": institution(ofRoom: course.lead.room)])
    let content = [title(of: course), lead].joined(separator: language.comma)
    return course.number.isEmpty ? content : course.number + language.inBrackets(content)
  }

  /// Such as `三年级音乐`.
  func title(of course: Course) -> String {
    let subject = subject(course.subject)
    if course.grades.isEmpty { return subject }
    return text("subjectOfGrades", ["subject": subject, "grades": grades(course.grades)])
  }

  /// What a command line calls a course.
  func number(of course: Course) -> String { course.number.isEmpty ? "\(course.id)" : course.number }

  /// The name of a subject of the table; a local lesson may have one of its own.
  func subject(_ key: String) -> String {
    guard let subject = subjects.subject(named: key) else { return key }
    return language == .chinese ? subject.name : subject.englishName
  }

  func grades(_ grades: [Int]) -> String {
    grades.map { text("grade.\($0)") }.joined(separator: language.listSeparator)
  }

  func institution(_ id: Identifier?) -> String {
    id.flatMap { timetable.institutions[$0]?.name } ?? unknown("institution")
  }

  func institution(ofRoom room: Identifier?) -> String {
    institution(room.flatMap { timetable.rooms[$0]?.institution })
  }

  /// Such as `石壁坳教学点 P07-2`.
  func room(_ id: Identifier?) -> String {
    guard let room = id.flatMap({ timetable.rooms[$0] }) else { return unknown("room") }
    return "\(institution(room.institution)) \(room.number)"
  }

  func number(ofRoom id: Identifier?) -> String { id.flatMap { timetable.rooms[$0]?.number } ?? unknown("room") }

  /// Such as `石壁坳教学点 三年级（P07-B23）`.
  func schoolClass(_ id: Identifier?) -> String {
    guard let row = id.flatMap({ timetable.classes[$0] }) else { return unknown("class") }
    return "\(institution(row.institution)) \(row.name)" + (row.number.isEmpty ? "" : language.inBrackets(row.number))
  }

  /// With school and staff number, since names are shared.
  func person(_ id: Identifier?) -> String {
    guard let person = id.flatMap({ timetable.persons[$0] }) else { return unknown("person") }
    var details: [String] = []
    if let school = person.institution { details.append(institution(school)) }
    if !person.staffNumber.isEmpty { details.append(text("staffNumber", ["number": person.staffNumber])) }
    return person.name + (details.isEmpty ? "" : language.inBrackets(details.joined(separator: language.comma)))
  }

  func cluster(_ id: Identifier?) -> String { id.flatMap { timetable.clusters[$0]?.name } ?? unknown("cluster") }

  func weekday(_ weekday: Int) -> String { (1...7).contains(weekday) ? text("weekday.\(weekday)") : "" }

  /// Such as `每周`, `单周`, `第1-16周`.
  func weeks(_ weeks: WeekSet) -> String {
    if weeks == .all { return text("weeks.all") }
    if weeks == .odd { return text("weeks.odd") }
    if weeks == .even { return text("weeks.even") }
    var form = "\(weeks)"
    if language == .english {
      form = form.replacing("、", with: ", ").replacing("单", with: " odd").replacing("双", with: " even")
    }
    return text("weeks.some", ["weeks": form])
  }

  /// Such as `周三第2节（单周，35 分钟）`.
  func weeklyTime(_ time: Course.WeeklyTime) -> String {
    var details: [String] = []
    if time.weeks != .all { details.append(weeks(time.weeks)) }
    if let minutes = time.minutes { details.append(text("minutes", ["minutes": "\(minutes)"])) }
    return text("weeklyTime", ["weekday": weekday(time.weekday), "period": "\(time.period)"])
      + (details.isEmpty ? "" : language.inBrackets(details.joined(separator: language.comma)))
  }

  /// Such as `2026-09-07 等 14 次`; empty for none.
  func dates(_ dates: [CivilDate]) -> String {
    guard let first = dates.first else { return "" }
    return dates.count == 1 ? "\(first)" : text("dates", ["date": "\(first)", "count": "\(dates.count)"])
  }

  /// Such as `周一 10:10-10:50（2026-09-07 等 14 次）`; empty without dates.
  func when(_ dates: [CivilDate], _ start: ClockTime?, _ end: ClockTime?) -> String {
    guard let first = dates.first else { return "" }
    var time: [String] = []
    if let start, let end { time.append("\(start)-\(end)") }
    // Of several weekdays none stands for all.
    guard dates.allSatisfy({ $0.weekday == first.weekday }) else {
      return (time + [self.dates(dates)]).joined(separator: language.comma)
    }
    return ([weekday(first.weekday)] + time).joined(separator: " ") + language.inBrackets(self.dates(dates))
  }
}

extension Language {
  var listSeparator: String { self == .chinese ? "、" : ", " }
  var comma: String { self == .chinese ? "，" : ", " }
  var semicolon: String { self == .chinese ? "；" : "; " }

  func inBrackets(_ text: String) -> String { self == .chinese ? "（\(text)）" : " (\(text))" }
}
