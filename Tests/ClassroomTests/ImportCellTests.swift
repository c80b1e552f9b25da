// Goal: cells as people type them become values, and what spreadsheets spoil is told apart from what people mistype.
// Method: tables of texts with their values and codes.
import Classroom
import Testing

@Suite struct ImportCellTests {
  private func code<Value>(_ text: String, _ reader: (String) throws(CellProblem) -> Value) -> ImportIssue.Code? {
    do throws(CellProblem) {
      _ = try reader(text)
      return nil
    } catch { return error.code }
  }

  @Test func blanksAndWidthsAreMadePlain() {
    #expect(CellText.trimmed("\u{3000}\u{A0} 张 三\u{FEFF}\n") == "张 三")
    #expect(CellText.trimmed("\u{3000}\u{A0}") == "")
    #expect(CellText.plain("Ｐ０７－２") == "P07-2")
    #expect(CellText.plain("（１～３）") == "(1~3)")
    #expect(CellText.list("P01、P02，P03；；P04(a,b)") == ["P01", "P02", "P03", "", "P04(a,b)"])
    #expect(SheetColumn.form(" 教室 编号（必填）*") == "教室编号")
  }

  @Test(arguments: [
    "8:00", "08:00", "８：００", "8点", "8点00分", "8时", "08:00:00", "上午8:00", "8:00 AM", "上午 8点整".replacing("整", with: ""),
  ]) func timesAreRead(text: String) throws {
    #expect(try CellText.time(text) == ClockTime(hour: 8, minute: 0))
  }

  @Test func otherTimesAreRead() throws {
    #expect(try CellText.time("8点10分") == ClockTime("08:10"))
    #expect(try CellText.time("8点半") == ClockTime("08:30"))
    #expect(try CellText.time("下午2:10") == ClockTime("14:10"))
    #expect(try CellText.time("2:10 pm") == ClockTime("14:10"))
    #expect(try CellText.time("12:10 AM") == ClockTime("00:10"))
    #expect(try CellText.time("下午14:10") == ClockTime("14:10"))
    for text in ["8", "25:00", "8:60", "8:00:30", "a:b", "8:0:0:0", ":", "99999999999:1", "8：：00"] {
      #expect(code(text, CellText.time) == .badTime, "\(text)")
    }
    #expect(code("0.333333333", CellText.time) == .dateBecameNumber)
    let (start, end) = try CellText.timeSpan("8:00～8点40")
    #expect(start == ClockTime("08:00") && end == ClockTime("08:40"))
    #expect(code("8:40-8:00", CellText.timeSpan) == .badTimeSpan)
    #expect(code("8:40", CellText.timeSpan) == .badTimeSpan)
  }

  @Test(arguments: [
    "2026/9/1", "2026-09-01", "2026年9月1日", "20260901", "２０２６．９．１", "2026/9/1 0:00", "2026-09-01 00:00:00",
    "2026年09月01号",
  ]) func datesAreRead(text: String) throws {
    #expect(try CellText.date(text) == CivilDate(year: 2026, month: 9, day: 1))
  }

  @Test func otherDatesAreNamed() {
    #expect(code("2026/2/30", CellText.date) == .impossibleDate)
    #expect(code("20261301", CellText.date) == .impossibleDate)
    #expect(code("9/1/2026", CellText.date) == .badDate)
    #expect(code("26/9/1", CellText.date) == .badDate)
    #expect(code("2026/9/1 8:00", CellText.date) == .badDate)
    #expect(code("46266", CellText.date) == .dateBecameNumber)
    do throws(CellProblem) { _ = try CellText.date("46266") } catch {
      #expect(error.arguments == ["likely": "2026-09-01"])
    }
  }

  @Test func weeksAreRead() throws {
    #expect(try CellText.weeks("1-16") == WeekSet(1...16))
    #expect(try CellText.weeks("第１～１６周") == WeekSet(1...16))
    #expect(try CellText.weeks("1-15(单)") == WeekSet(stride(from: 1, through: 15, by: 2)))
    #expect(try CellText.weeks("2-8双周、10") == WeekSet([2, 4, 6, 8, 10]))
    #expect(try CellText.weeks("1-15 odd") == WeekSet(stride(from: 1, through: 15, by: 2)))
    #expect(try CellText.weeks("单周") == .odd)
    #expect(try CellText.weeks("全") == .all)
    #expect(try CellText.weeks("1;3；5，7") == WeekSet([1, 3, 5, 7]))
    for text in ["0-16", "16-1", "1-61", "none", "x", "1-2-3", "1--2"] {
      #expect(code(text, CellText.weeks) == .badWeeks, "\(text)")
    }
  }

  @Test(arguments: [
    ("1月16日", "1-16"), ("Jan-16", "1-16"), ("16-Jan", "1-16"), ("2026/1/16", "1-16"), ("2026-01-16", "1-16"),
    ("2026年1月16日", "1-16"), ("1/16", "1-16"), ("46038", "1-16"), ("Jan-32", "1-32"), ("１月１６日", "1-16"),
  ]) func weeksThatBecameDatesAreTold(text: String, likely: String) {
    do throws(CellProblem) {
      _ = try CellText.weeks(text)
      Issue.record("\(text) was read")
    } catch {
      #expect(error == CellProblem(.weeksBecameDate, arguments: ["likely": likely], suggestion: .formatAsText))
    }
    #expect(code(text, CellText.periods) == .spanBecameDate)
  }

  @Test func weekdaysPeriodsAndGradesAreRead() throws {
    for text in ["周一", "星期一", "礼拜一", "一", "1", "１", "Mon", "monday"] { #expect(try CellText.weekday(text) == 1) }
    for text in ["周日", "星期天", "7", "Sun"] { #expect(try CellText.weekday(text) == 7) }
    for text in ["周八", "0", "8", "周", "Mo"] { #expect(code(text, CellText.weekday) == .badWeekday) }
    #expect(try CellText.weekdays("周一至周五") == [1, 2, 3, 4, 5])
    #expect(try CellText.weekdays("周六、1-2") == [1, 2, 6])
    for text in ["第3节", "3", "三", "第三节课", "第３节"] { #expect(try CellText.period(text) == 3) }
    #expect(try CellText.period("第十二节") == 12)
    for text in ["0", "21", "第节", "三三"] { #expect(code(text, CellText.period) == .badPeriod) }
    #expect(try CellText.periods("第1-2节、4") == [1, 2, 4])
    for (text, grade) in [
      ("三年级", 3), ("3", 3), ("初一", 7), ("高一", 10), ("七年级", 7), ("高三", 12), ("十二", 12), ("初中二年级", 8), ("G4", 4),
      ("Grade 4", 4),
    ] {
      #expect(try CellText.grade(text) == grade, "\(text)")
    }
    for text in ["13", "初四", "高0", "十三年级", "年级"] { #expect(code(text, CellText.grade) == .badGrade) }
    #expect(try CellText.grades("三、四年级") == [3, 4])
    #expect(try CellText.grades("一至三年级；5") == [1, 2, 3, 5])
    #expect(
      try ["2026", "2026-2027", "2026学年", "2026—2027学年度", "2026/27"].allSatisfy { try CellText.schoolYear($0) == 2026 }
    )
    #expect(code("2026-2028", CellText.schoolYear) == .badSchoolYear)
  }

  @Test func codesNumbersAndChoicesAreRead() throws {
    #expect(try CellText.code("Ｐ０７－２") == "P07-2")
    #expect(try CellText.schoolCode("２１４３000001") == "2143000001")
    #expect(code("214300001", CellText.schoolCode) == .badCode)
    for text in ["4.31E+09", "４．３１Ｅ＋０９", "2e+10"] { #expect(code(text, CellText.code) == .numberBecameScientific) }
    #expect(code("E+1", CellText.code) == nil)
    #expect(code(String(repeating: "x", count: 41), CellText.code) == .badText)
    #expect(code("a\u{1}", CellText.name) == .badText)
    #expect(try CellText.number("1,234.0", in: 0...9_999) == 1_234)
    #expect(code("10", { text throws(CellProblem) in try CellText.number(text, in: 0...9) }) == .outOfRange)
    for text in ["-1", "1.5", "十", "99999999999", ""] {
      #expect(code(text, { text throws(CellProblem) in try CellText.number(text, in: 0...9) }) == .badNumber)
    }
    #expect(try ["是", "yes", "Ｙ", "1"].allSatisfy(CellText.boolean))
    #expect(try !["否", "no", "0"].contains(where: CellText.boolean))
    #expect(code("也许", CellText.boolean) == .badBoolean)
  }

  @Test func weeklyTimesAreReadAndWrittenAlike() throws {
    let odd = WeekSet(stride(from: 1, through: 15, by: 2))
    let text = "周一第3节、周三4；2-3，周五第2-3节（1-15单）35分"
    let times = try CellText.weeklyTimes(text, weeks: WeekSet(1...16))
    #expect(
      times == [
        Course.WeeklyTime(weekday: 1, period: 3, weeks: WeekSet(1...16)),
        Course.WeeklyTime(weekday: 3, period: 4, weeks: WeekSet(1...16)),
        Course.WeeklyTime(weekday: 2, period: 3, weeks: WeekSet(1...16)),
        Course.WeeklyTime(weekday: 5, period: 2, weeks: odd, minutes: 35),
        Course.WeeklyTime(weekday: 5, period: 3, weeks: odd, minutes: 35),
      ])
    #expect(try CellText.weeklyTimes(times.map(CellText.text).joined(separator: "、")) == times)
    #expect(try CellText.weeklyTimes("周一 3 35 分")[0].minutes == 35)
    #expect(try CellText.weeklyTimes("Mon 3; Tuesday-4").map(\.period) == [3, 4])
    #expect(code("1月3日", { text throws(CellProblem) in try CellText.weeklyTimes(text) }) == .spanBecameDate)
    for (text, expected) in [
      ("23", ImportIssue.Code.badWeeklyTime), ("周一", .badWeeklyTime), ("周九3", .badWeekday), ("周一第0节", .badPeriod),
      ("周一3(1月16日)", .weeksBecameDate), ("周一3、周一第3节", .duplicateEntry), ("周一3 5分", .outOfRange),
      ("周一335分", .outOfRange),
    ] {
      #expect(code(text, { text throws(CellProblem) in try CellText.weeklyTimes(text) }) == expected, "\(text)")
    }
    #expect(
      code(String(repeating: "周一3、", count: 41), { text throws(CellProblem) in try CellText.weeklyTimes(text) })
        == .tooManyEntries)
  }

  @Test func hostileCellsNeverTrap() {
    var generator = SeededGenerator(seed: 7)
    let pieces = [
      "周", "第", "节", "(", ")", "1", "99", "-", "/", ":", "月", "日", "年", "单", "E+", ".", "分", "初", "十", "下午", "～", "、",
      "\u{301}", "", " ",
    ]
    let readers: [(String) throws -> Void] = [
      { _ = try CellText.time($0) }, { _ = try CellText.timeSpan($0) }, { _ = try CellText.date($0) },
      { _ = try CellText.weeks($0) }, { _ = try CellText.weekdays($0) }, { _ = try CellText.periods($0) },
      { _ = try CellText.grades($0) }, { _ = try CellText.weeklyTimes($0) }, { _ = try CellText.schoolYear($0) },
      { _ = try CellText.number($0, in: 0...9) }, { _ = try CellText.schoolCode($0) },
    ]
    var read = 0
    for _ in 0..<10_000 {
      let text = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
        pieces.randomElement(using: &generator) ?? ""
      }.joined()
      for reader in readers where (try? reader(text)) != nil { read += 1 }
    }
    #expect(read > 1_000)
  }
}
