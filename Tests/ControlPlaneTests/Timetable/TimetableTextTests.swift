// Goal: lists of windows, gaps, courses and lessons say what is known and what is not. Method: whole rows of a small
// timetable in both languages; the labels in a real grid and a real CSES file.
import Classroom
import ControlPlane
import Testing

@Suite struct TimetableTextTests {
  typealias Sample = TimetableSample
  let chinese = TimetableText(Sample.timetable, language: .chinese)
  let english = TimetableText(Sample.timetable, language: .english)

  @Test func freeWindows() {
    func site(_ room: Identifier, _ misfit: Int?, _ isKnown: Bool) -> FreeWindow.SiteFit {
      FreeWindow.SiteFit(room: room, overlapMinutes: misfit.map { 40 - $0 } ?? 0, misfit: misfit, isKnown: isKnown)
    }
    let window = FreeWindow(
      weekday: 3, period: 2, start: Sample.time("08:50"), end: Sample.time("09:30"), weeks: WeekSet(1...16),
      sites: [site(Sample.pointRoom, 4, true), site(Sample.otherRoom, nil, false)])
    #expect(
      chinese.row(window) == [
        "周三", "2", "08:50-09:30", "第1-16周", "P07-2：重合 36 分钟，错开 4 分钟；P09-1：作息未录入，课表未导入，不确定",
      ])
    #expect(
      english.row(window) == [
        "Wednesday", "2", "08:50-09:30", "weeks 1-16",
        "P07-2: 36 min in common, 4 min apart; P09-1: bells not entered, local timetable not imported, not known",
      ])
    var alike = window
    alike.sites = [site(Sample.pointRoom, 0, true), site(Sample.otherRoom, 0, true)]
    (alike.weeks, alike.weekday) = (.odd, 7)
    #expect(chinese.row(alike) == ["周日", "2", "08:50-09:30", "单周", "P07-2、P09-1：作息一致"])
    alike.weeks = WeekSet(stride(from: 2, through: 16, by: 2))
    #expect(chinese.row(alike)[3] == "第2-16双周")
    #expect(english.row(alike)[3] == "weeks 2-16 even")
  }

  @Test func gapsAndCourses() {
    let missing = Gap(schoolClass: Sample.pointClass, grades: [2, 3], subject: "arts", state: .missing)
    let pupils = "石壁坳教学点 二、三年级（P07-B23）"
    #expect(chinese.row(missing) == [pupils, "二年级、三年级", "艺术", "没有开课"])
    let notKnown = Gap(schoolClass: Sample.pointClass, grades: [10], subject: "红领巾广播", state: .notKnown)
    #expect(chinese.row(notKnown) == [pupils, "高一", "红领巾广播", "课表未导入，不确定"])
    var course = Sample.course(Sample.music, "K0137", "music", [3])
    course.weeklyTimes = [
      Course.WeeklyTime(weekday: 1, period: 3), Course.WeeklyTime(weekday: 3, period: 2, weeks: .odd, minutes: 35),
    ]
    #expect(
      chinese.row(course) == [
        "K0137", "音乐", "三年级", "石桥中心小学 P01-1", "王丽（石桥中心小学，工号 002）", "P07-2", "周一第3节；周三第2节（单周，35 分钟）", "同步",
      ])
    #expect(english.row(course)[6] == "Monday, period 3; Wednesday, period 2 (odd weeks, 35 min)")
  }

  @Test func lessonsOfAWeek() {
    let draft = chinese.rows(inWeekOf: Sample.date("2026-09-09"))
    let first = [
      "2026-09-07", "周一", "10:10-10:50", "K0137 三年级音乐", "石桥中心小学 P01-1", "王丽（石桥中心小学，工号 002）", "P07-2", "已排课",
    ]
    #expect(draft.count == 2)
    #expect(draft.first.map { $0.dropLast() } == first.dropLast())
    #expect(chinese.rows(inWeekOf: Sample.date("2026-12-01")) == [])
    var published = Sample.timetable
    published.term.state = .published
    let start = CivilTime.instant(Sample.date("2026-09-13"), Sample.time("23:00"))
    func lesson(_ number: UInt64, _ start: Int64) -> Lesson {
      Lesson(
        id: Sample.id(7, number), registration: Sample.id(7, number), course: Sample.music, cluster: Sample.cluster,
        title: "音乐", plannedStart: start, plannedEnd: start + 40 * 60_000, state: .cancelled,
        teacher: Sample.pointTeacher)
    }
    published.lessons = [lesson(2, start + 3_600_000), lesson(1, start)]
    let rows = TimetableText(published, language: .chinese).rows(inWeekOf: Sample.date("2026-09-07"))
    #expect(rows.count == 1, "Monday is the next week")
    #expect(rows.first?[1] == "周日")
    #expect(rows.first?[2] == "23:00-23:40")
    #expect(rows.first?[5] == "李强（石壁坳教学点，工号 001）")
    #expect(rows.first?[7] == Text.of("report.state.cancelled", in: .chinese))
  }

  @Test(arguments: Language.allCases)
  func everyListHasTitles(_ language: Language) throws {
    let text = TimetableText(Sample.timetable, language: language)
    let lengths: [TimetableText.List: Int] = [
      .gaps: text.row(Gap(schoolClass: Sample.pointClass, grades: [2], subject: "arts", state: .missing)).count,
      .courses: text.row(Sample.timetable.courses[0]).count,
      .lessons: try #require(text.rows(inWeekOf: Sample.mondays[0]).first).count, .free: 5,
    ]
    for list in TimetableText.List.allCases {
      let titles = TimetableText.columns(of: list, in: language).map(\.title)
      #expect(titles.count == lengths[list])
      #expect(!titles.contains { $0.contains("timetable.") })
    }
    for mode in Course.Mode.allCases { #expect(Text.has("timetable.mode.\(mode.rawValue)", in: language)) }
    for state in Gap.State.allCases { #expect(Text.has("timetable.gap.\(state.rawValue)", in: language)) }
  }

  @Test func labelsOfAWeek() {
    let lesson = WeekLesson(
      weekday: 2, start: Sample.time("08:00"), end: Sample.time("08:40"), weeks: .odd, subject: "音乐")
    let some = WeekLesson(
      weekday: 3, start: Sample.time("08:00"), end: Sample.time("08:40"), weeks: WeekSet([2, 3]), subject: "美术")
    let grid = WeekGrid(
      periods: Sample.bells(Sample.school, ["08:00-08:40"]).periods, lessons: [lesson, some], termWeeks: 20,
      labels: TimetableText.gridLabels(title: "P07-2", in: .chinese))
    for text in ["节次", "第1节", "周二", "单周", "第2-3周"] { #expect(grid.text().contains(text), "\(text)") }
    #expect(!grid.text().contains("{"))
    #expect(grid.htmlPage.contains("lang=\"zh-CN\""))
    let file = CSESWriter.text(of: [lesson], termWeeks: 20, labels: TimetableText.csesLabels(in: .english)).text
    #expect(file.contains("Tuesday (odd weeks)"))
  }
}
