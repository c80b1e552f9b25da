// Goal: local timetables of classes and teachers, by sheet or by CSES, take the place of what they meet and of nothing
// else; calendars are merged rule by rule. Method: the small county, laid beside further files.
import Classroom
import Testing

@Suite struct ImportLessonTests {
  private let wakeUp = """
    课程名称,星期,开始节数,结束节数,老师,地点,周数
    语文,1,1,2,李强,教室,1-16
    数学,1,2,2,李强,教室,17、18
    体育,5,3,,,操场,
    """

  @Test func aClassesTableReplacesWhatItMeets() throws {
    let base = try SampleCounty.base()
    let point = base.classes[1]
    var options = ImportOptions(term: "2026-2027-1", schoolClass: point.id)
    let plan = try ImportSupport.plan([(.localLessons, wakeUp)], onto: base, options: options)
    let timetable = try #require(plan.changes.localTimetables.first)
    #expect(plan.changes.localTimetables.count == 1 && timetable.schoolClass == point.id)
    // Friday's second period of the first file stays; Monday's first two are the same.
    #expect(timetable.lessons.map(\.weekday) == [1, 1, 1, 5, 5, 5])
    let subjects = ["chinese", "chinese", "mathematics", "红领巾广播", "mathematics", "physicalEducation"]
    #expect(timetable.lessons.map(\.subject) == subjects && timetable.isWhole)
    let changes = [
      ImportPlan.FieldChange(.subject, old: "", new: "周一 第2节 17-18 数学 001"),
      ImportPlan.FieldChange(.subject, old: "", new: "周五 第3节 体育与健康"),
    ]
    #expect(plan.lines.map(\.action) == [.change(changes)])
    options.deleteMissing = true
    let whole = try ImportSupport.plan([(.localLessons, wakeUp)], onto: base, options: options)
    #expect(whole.changes.localTimetables.first?.lessons.map(\.weekday) == [1, 1, 1, 5])
    var after = base
    after.apply(whole.changes)
    #expect(try ImportSupport.plan([(.localLessons, wakeUp)], onto: after, options: options).changes.isEmpty)
  }

  @Test func aTeachersTableLeavesOthersLessonsAlone() throws {
    let base = try SampleCounty.base()
    let teacher = base.persons[2].id
    let text = "班级,课程名称,星期,节次,周次\nP08-B31,语文,周二,3,1-16\n"
    var options = ImportOptions(term: "2026-2027-1", teacher: teacher)
    let added = try ImportSupport.plan([(.localLessons, text)], onto: base, options: options)
    #expect(added.changes.localTimetables.map(\.schoolClass) == [base.classes[2].id])
    #expect(added.changes.localTimetables.first?.lessons.map(\.teacher) == [teacher])
    #expect(added.changes.localTimetables.first?.isWhole == false)
    options.deleteMissing = true
    let moved = try ImportSupport.plan([(.localLessons, text)], onto: base, options: options)
    #expect(moved.changes.localTimetables.map(\.schoolClass) == [base.classes[2].id, base.classes[1].id])
    #expect(moved.changes.localTimetables[1].lessons.map(\.subject) == ["红领巾广播"])
  }

  private func cses() -> CSESFile {
    let morning = CSESFile.Entry(subject: "语文", start: "08:00:00", end: "08:40:00")
    let odd = CSESFile.Entry(subject: "班会", start: "08:50:00", end: "09:30:00")
    let even = CSESFile.Entry(subject: "数学", start: "08:50:00", end: "09:30:00")
    return CSESFile(
      subjects: [CSESFile.Subject(name: "语文", teacher: "李强"), CSESFile.Subject(name: "班会", teacher: "校长")],
      schedules: [
        CSESFile.Schedule(name: "周一单", day: "1", weeks: "odd", entries: [morning, odd]),
        CSESFile.Schedule(name: "周一双", day: "1", weeks: "even", entries: [morning, even]),
        CSESFile.Schedule(name: "周二", day: "2", weeks: "all", entries: [morning]),
      ])
  }

  @Test func classroomScreensFilesAreRead() throws {
    let base = try SampleCounty.base()
    let options = ImportOptions(term: "2026-2027-1", schoolClass: base.classes[2].id)
    let plan = try ImportPlan.make(cses(), onto: base, options: options)
    let lessons = try #require(plan.changes.localTimetables.first).lessons
    #expect(lessons.map(\.subject) == ["chinese", "classMeeting", "mathematics", "chinese"])
    // Every single and every double week together are every week.
    #expect(lessons.map(\.weeks) == [.all, .odd, .even, .all])
    #expect(lessons[0].time == .clock(ClockTime("08:00")!, ClockTime("08:40")!))  // both are times
    var after = base
    after.apply(plan.changes)
    #expect(try ImportPlan.make(cses(), onto: after, options: options).changes.isEmpty)
    // The teacher of that name works in another school, so the screen's name stands for nobody here.
    #expect(lessons.allSatisfy { $0.teacher == nil })
    let point = ImportOptions(term: "2026-2027-1", schoolClass: base.classes[1].id)
    let known = try ImportPlan.make(cses(), onto: base, options: point)
    #expect(
      known.changes.localTimetables.first?.lessons.filter {
        $0.teacher == base.persons[2].id && $0.time != .period(1) && $0.time != .period(2)
      }.count == 2)
  }

  @Test func faultsOfScreensFilesAreToldByPath() throws {
    let base = try SampleCounty.base()
    var file = cses()
    file.version = "2"
    file.schedules[0].day = "8"
    file.schedules[1].weeks = "sometimes"
    file.schedules[2].entries[0].start = "25:00:00"
    file.schedules[2].entries.append(CSESFile.Entry(subject: "", start: "09:00:00", end: "08:00:00"))
    file.schedules[2].entries.append(CSESFile.Entry(subject: "美术", start: "09:00:00", end: "08:00:00"))
    file.schedules.append(
      CSESFile.Schedule(
        day: "3",
        entries: [
          CSESFile.Entry(subject: "音乐", start: "09:00:00", end: "09:40:00"),
          CSESFile.Entry(subject: "美术", start: "09:30:00", end: "10:00:00"),
        ]))
    let options = ImportOptions(term: "2026-2027-1", schoolClass: base.classes[2].id)
    let refusal = #expect(throws: ImportRefusal.self) { try ImportPlan.make(file, onto: base, options: options) }
    #expect(
      refusal?.issues.map { "\($0.code) \($0.column)" } == [
        "badVersion version", "badWeekday schedules[0].enable_day", "badWeeks schedules[1].weeks",
        "badTime schedules[2].classes[0].start_time", "missingValue schedules[2].classes[1].subject",
        "badTimeSpan schedules[2].classes[2].end_time", "overlappingLessons schedules[3].classes[1]",
      ])
    let nobody = #expect(throws: ImportRefusal.self) {
      try ImportPlan.make(cses(), onto: base, options: ImportOptions(term: "2026-2027-1"))
    }
    #expect(nobody?.issues.map(\.code) == [.unknownReference])
    let noTerm = ImportOptions(term: "2030", schoolClass: base.classes[2].id)
    #expect(throws: ImportRefusal.self) { try ImportPlan.make(cses(), onto: base, options: noTerm) }
  }

  @Test func calendarsAreMergedRuleByRule() throws {
    let base = try SampleCounty.base()
    let text = """
      学期,区县,开始日期,结束日期,时段,安排,按星期,说明
      2026-2027-1,,2026/10/1,2026/10/8,,放假,,国庆节
      2026-2027-1,道县,2026/12/1,,上午,,周二,
      """
    let plan = try ImportSupport.plan([(.terms, text)], onto: base)
    let term = try #require(plan.changes.terms.first)
    #expect(term.id == base.terms[0].id && term.weeks == 20 && term.name == "2026年秋季学期")
    #expect(term.rules.map(\.through.description) == ["2026-10-08", "2026-10-10"])
    #expect(term.deviations[0].rules.map(\.part) == [.afternoon, .morning])
    #expect(term.deviations[0].rules[1].kind == .follows(weekday: 2, week: nil))
    #expect(
      plan.lines.map(\.action) == [
        .change([
          ImportPlan.FieldChange(.rule, old: "2026-10-01 2026-10-07 全天 放假 国庆节", new: ""),
          ImportPlan.FieldChange(.rule, old: "", new: "2026-10-01 2026-10-08 全天 放假 国庆节"),
          ImportPlan.FieldChange(.rule, old: "", new: "道县 2026-12-01 2026-12-01 上午 调休 周二"),
        ])
      ])
    let whole = try ImportSupport.plan([(.terms, text)], onto: base, options: ImportOptions(deleteMissing: true))
    #expect(
      whole.changes.terms.first?.rules.count == 1 && whole.changes.terms.first?.deviations.map(\.rules.count) == [1])
  }
}
