// Goal: a classroom screen shows the lessons of the week, and what the schema cannot say is told. Method: random weeks
// are written, read back line by line and compared week by week; known files for what is left out.
import Classroom
import Testing

@Suite struct CSESWriterTests {
  static let labels = CSESWriter.Labels(
    days: ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"], odd: "单周", even: "双周")

  static func time(_ minute: Int) -> ClockTime { ClockTime(minute: minute) ?? .noon }

  struct Taught: Hashable {
    var day: Int
    var week: Int
    var subject: String
    var start: String
    var end: String
  }

  /// The lessons of weeks 1…`termWeeks` that a screen shows of the file.
  static func read(_ text: String, termWeeks: Int) throws -> [Taught] {
    var result: [Taught] = []
    var (day, weeks, subject, start) = (0, "", "", "")
    var isSchedule = false
    for line in text.split(separator: "\n") {
      if line == "schedules:" { isSchedule = true }
      guard isSchedule, let colon = line.firstIndex(of: ":") else { continue }
      let key = line[..<colon].filter { $0 != " " && $0 != "-" }
      let value = String(line[line.index(colon, offsetBy: min(2, line.distance(from: colon, to: line.endIndex)))...])
      switch key {
      case "enable_day": day = try #require(Int(value))
      case "weeks": weeks = value
      case "subject": subject = try unquoted(value)
      case "start_time": start = try unquoted(value)
      case "end_time":
        for week in 1...termWeeks where weeks == "all" || (weeks == "odd") == (week % 2 == 1) {
          result.append(Taught(day: day, week: week, subject: subject, start: start, end: try unquoted(value)))
        }
      default: break
      }
    }
    return result
  }

  static func unquoted(_ text: String) throws -> String {
    try #require(text.utf8.count >= 2 && text.utf8.first == 34 && text.utf8.last == 34)
    var result = String.UnicodeScalarView()
    var left = Array(text.unicodeScalars.dropFirst().dropLast())[...]
    while let scalar = left.popFirst() {
      guard scalar == "\\" else {
        #expect(scalar != "\"" && scalar.value >= 0x20)
        result.append(scalar)
        continue
      }
      let next = left.popFirst()
      let mark = try #require(next)
      guard mark == "u" else {
        result.append(mark)
        continue
      }
      let digits = String(String.UnicodeScalarView(left.prefix(4)))
      left = left.dropFirst(4)
      result.append(try #require(UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init)))
    }
    return String(result)
  }

  @Test(arguments: 1...30 as ClosedRange<UInt64>) func screensShowWhatIsTaught(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let termWeeks = Int.random(in: 2...30, using: &generator)
    let patterns = ["all", "odd", "even", "1-\(termWeeks)", "1-4、7", "2-60双"].compactMap { WeekSet($0) }
    let lessons = (0..<20).map { index in
      let start = 480 + Int.random(in: 0...8, using: &generator) * 50
      return WeekLesson(
        weekday: Int.random(in: 1...7, using: &generator), start: Self.time(start), end: Self.time(start + 40),
        weeks: patterns[Int.random(in: 0..<patterns.count, using: &generator)], subject: "学科\(index): \"#\"\n\\")
    }
    let written = CSESWriter.text(of: lessons, termWeeks: termWeeks, labels: Self.labels)
    let told = Set(
      written.leftOut.map { omission -> WeekLesson? in
        if case .weeks(let lesson) = omission { lesson } else { nil }
      })
    let wanted = lessons.filter { !told.contains($0) }.flatMap { lesson in
      (1...termWeeks).filter(lesson.weeks.contains).map {
        Taught(
          day: lesson.weekday, week: $0, subject: lesson.subject, start: "\(lesson.start):00", end: "\(lesson.end):00")
      }
    }
    let seen = try Self.read(written.text, termWeeks: termWeeks)
    #expect(seen.count == wanted.count && !seen.isEmpty)
    #expect(Set(seen) == Set(wanted))
    // Few weeks make every pattern plain.
    for lesson in lessons where told.contains(lesson) {
      #expect(lesson.weeks.description == "1-4、7")
    }
  }

  @Test func whatTheSchemaCannotSayIsTold() {
    let good = WeekLesson(
      weekday: 1, start: Self.time(480), end: Self.time(520), subject: "语文", teacher: "A", room: "1")
    func changed(_ change: (inout WeekLesson) -> Void) -> WeekLesson {
      var lesson = good
      change(&lesson)
      return lesson
    }
    let weeks = changed { $0.weeks = WeekSet([1, 2, 5]) }
    let never = changed { $0.weeks = WeekSet([30]) }
    let day = changed { $0.weekday = 8 }
    let backward = changed { $0.end = Self.time(480) }
    let midnight = changed { $0.end = Self.time(1_440) }
    let nameless = changed { $0.subject = "" }
    let teacher = changed { ($0.weekday, $0.teacher) = (2, "B") }
    let lessons = [good, weeks, never, day, backward, midnight, nameless, teacher]
    let written = CSESWriter.text(of: lessons, termWeeks: 20, labels: Self.labels)
    let wanted: Set<CSESWriter.Omission> = [
      .weeks(weeks), .weeks(never), .time(day), .time(backward), .time(midnight), .name(nameless),
      .teachers(subject: "语文"),
    ]
    #expect(Set(written.leftOut) == wanted)
    #expect(!written.text.contains("teacher:"))
    #expect(written.text.contains("    room: \"1\"\n"))
    let many = CSESWriter.text(of: Array(repeating: good, count: 1_002), termWeeks: 20, labels: Self.labels)
    #expect(many.leftOut == [.tooMany(good), .tooMany(good)])
  }

  @Test func aPlainWeekIsPlain() {
    let lesson = WeekLesson(weekday: 2, start: Self.time(610), end: Self.time(650), subject: "音乐", teacher: "李")
    #expect(
      CSESWriter.text(of: [lesson], termWeeks: 20, labels: Self.labels).text == """
        version: 1
        subjects:
          - name: "音乐"
            simplified_name: "音"
            teacher: "李"
        schedules:
          - name: "星期二"
            enable_day: 2
            weeks: all
            classes:
              - subject: "音乐"
                start_time: "10:10:00"
                end_time: "10:50:00"

        """)
    #expect(
      CSESWriter.text(of: [], termWeeks: 0, labels: .init(days: [], odd: "", even: "")).text
        == "version: 1\nsubjects: []\nschedules: []\n")
  }
}
