// Goal: a week prints on paper and in a terminal with every lesson in it. Method: known grids; hostile texts in every
// place; widths measured line by line.
import Classroom
import Testing

@Suite struct WeekGridTests {
  static let labels = WeekGrid.Labels(
    language: "zh-CN", title: "东山教学点", periods: "节次", period: "第{period}节",
    days: ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"], odd: "单周", even: "双周", weeks: "第{weeks}周")

  static func time(_ minute: Int) -> ClockTime { ClockTime(minute: minute) ?? .noon }
  static let periods = (0..<3).map {
    BellSchedule.Period(number: $0 + 1, start: time(480 + $0 * 50), end: time(520 + $0 * 50))
  }

  static func grid(_ lessons: [WeekLesson], labels: WeekGrid.Labels = labels) -> WeekGrid {
    WeekGrid(periods: periods, lessons: lessons, termWeeks: 20, labels: labels)
  }

  static func lesson(_ weekday: Int, _ start: Int, _ end: Int, _ weeks: WeekSet = .all) -> WeekLesson {
    WeekLesson(weekday: weekday, start: time(start), end: time(end), weeks: weeks, subject: "音乐", room: "P07-2")
  }

  @Test func aWeekInATerminal() {
    let lessons = [
      Self.lesson(1, 480, 520), Self.lesson(2, 540, 580, .odd), Self.lesson(2, 480, 520, WeekSet(1...20)),
    ]
    #expect(
      Self.grid(lessons).text(width: 80) == """
        东山教学点
        +-------------+--------+-------------+--------+--------+--------+
        | 节次        | 星期一 | 星期二      | 星期三 | 星期四 | 星期五 |
        +-------------+--------+-------------+--------+--------+--------+
        | 第1节       | 音乐   | 音乐        |        |        |        |
        | 08:00-08:40 | P07-2  | P07-2       |        |        |        |
        +-------------+--------+-------------+--------+--------+--------+
        | 第2节       |        | 音乐        |        |        |        |
        | 08:50-09:30 |        | P07-2       |        |        |        |
        |             |        | 09:00-09:40 |        |        |        |
        |             |        | 单周        |        |        |        |
        +-------------+--------+-------------+--------+--------+--------+
        | 第3节       |        |             |        |        |        |
        | 09:40-10:20 |        |             |        |        |        |
        +-------------+--------+-------------+--------+--------+--------+

        """)
  }

  @Test func daysOffHaveAColumnOnlyWhenUsed() {
    #expect(!Self.grid([Self.lesson(1, 480, 520)]).htmlTable.contains("星期六"))
    let sunday = Self.grid([Self.lesson(7, 480, 520)])
    #expect(sunday.htmlTable.contains("星期日") && !sunday.htmlTable.contains("星期六"))
    // One that is in no week of the term uses no day.
    #expect(!Self.grid([Self.lesson(6, 480, 520, WeekSet([40]))]).htmlTable.contains("星期六"))
  }

  @Test func lessonsStandWhereTheyTakeTime() {
    func rows(_ lesson: WeekLesson) -> [String] {
      Self.grid([lesson]).htmlTable.split(separator: "\n").filter { $0.contains("音乐") }.map { row in
        String(row.drop { $0 != "第" && $0 != "1" }.prefix { $0 != "<" })
      }
    }
    #expect(rows(Self.lesson(1, 480, 570)) == ["第1节", "第2节"])
    #expect(rows(Self.lesson(1, 515, 531)) == ["第1节"])
    #expect(rows(Self.lesson(1, 800, 840)) == ["13:20-14:00"])
    // In the break, and of no length against a period.
    #expect(rows(Self.lesson(1, 521, 529)).count == 1)
  }

  @Test func impossibleLessonsAreTold() {
    let bad = [
      Self.lesson(0, 480, 520), Self.lesson(8, 480, 520), Self.lesson(1, 520, 480), Self.lesson(1, 480, 520, .none),
    ]
    let grid = Self.grid(bad + [Self.lesson(1, 480, 520)])
    #expect(Set(grid.leftOut) == Set(bad))
    #expect(grid.leftOut.count == 4)
    #expect(Self.grid(Array(repeating: Self.lesson(1, 480, 520), count: 1_003)).leftOut.count == 3)
  }

  static let hostile = [
    "<script>alert('x')</script>&\"", "\u{1B}[31m\u{9B}31m\n\r\n\t|", "\u{202E}abc\u{2066}",
    String(repeating: "长", count: 5_000),
    String(repeating: "\u{301}", count: 5_000), "👨‍👩‍👧‍👦👍🏽🇨🇳", "{period}{weeks}", "",
  ]

  @Test(arguments: hostile) func hostileTextsStayInTheirCells(text: String) {
    let lesson = WeekLesson(
      weekday: 3, start: Self.time(481), end: Self.time(520), weeks: WeekSet([1, 3, 4]), subject: text, teacher: text,
      room: text, title: text)
    let labels = WeekGrid.Labels(
      language: text, title: text, periods: text, period: text, days: [text], odd: text, even: text, weeks: text)
    let grid = Self.grid([lesson], labels: labels)
    for width in [Int.min, 0, 40, 77, 1_000, .max] {
      let lines = grid.text(width: width).split(separator: "\n").dropFirst(text.isEmpty ? 0 : 1)
      #expect(Set(lines.map { TextWidth.of($0) }).count == 1, "\(width)")
      #expect(lines.allSatisfy { $0.hasPrefix("|") || $0.hasPrefix("+") })
      #expect(lines.allSatisfy { line in line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x9B } })
      #expect(lines.count < 1_000)
    }
    let page = grid.htmlPage
    #expect(!page.contains("<script") && !page.contains("\u{1B}") && !page.contains("\u{202E}"))
    #expect(page.hasPrefix("<!DOCTYPE html>\n") && page.hasSuffix("</html>\n"))
    // By bytes: an accent joins the mark before it.
    let bytes = Array(page.utf8)
    for tag in ["table", "tr", "td", "th", "div", "b", "span"] {
      func count(_ mark: String) -> Int { bytes.split(separator: Array(mark.utf8)).count - 1 }
      #expect(count("<\(tag)>") + count("<\(tag) ") == count("</\(tag)>"), "\(tag)")
      #expect(count("</\(tag)>") > 0, "\(tag)")
    }
  }

  @Test func aWeekOnPaper() {
    let page = Self.grid([Self.lesson(1, 480, 520, WeekSet([1, 2, 5]))]).htmlPage
    #expect(page.contains("<html lang=\"zh-CN\">"))
    #expect(page.contains("<td><div><b>音乐</b><br><span>P07-2</span><br><span>第1-2、5周</span></div></td>"))
    #expect(page.contains("@page { size: A4 landscape"))
    #expect(!page.contains("http") && !page.contains("src=") && !page.contains("<script"))
  }
}
