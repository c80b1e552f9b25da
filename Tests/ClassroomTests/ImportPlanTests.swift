// Goal: a county's sheets become its values under the identifiers it has, twice is as once, and only what a file says
// is changed. Method: a small county written as a coordinator would, laid beside nothing and beside itself.
import Classroom
import Testing

@Suite struct ImportPlanTests {
  @Test func aCountyIsReadFromItsSheetsInAnyOrder() throws {
    let base = try SampleCounty.base()
    let school = try #require(base.institutions.first { $0.number == "P01" })
    let point = try #require(base.institutions.first { $0.number == "P07" })
    let other = try #require(base.institutions.first { $0.number == "P08" })
    #expect(school.code == "2143000001" && school.setting == .town && school.kind == .school && school.region == "道县")
    #expect(school.validFrom == 999_273_600_000)
    #expect(point.parent == school.id && other.parent == school.id && point.kind == .teachingPoint)
    let lead = try #require(base.rooms.first { $0.number == "P01-1" })
    #expect(lead.equipment == "摄像机、话筒; 大屏" && lead.downlink == 100_000 && lead.institution == school.id)
    let acceptance = try #require(CivilDate("2026-08-20"))
    #expect(lead.acceptedAt == CivilTime.instant(acceptance, try #require(ClockTime("00:00"))))
    #expect(base.rooms.first { $0.number == "P07-2" }?.name == "P07-2")
    #expect(base.persons.map(\.staffNumber) == ["001", "002", "001"])
    let grades = base.classes.map { $0.cohorts.map { $0.grade(inSchoolYearStarting: 2026) } }
    #expect(grades == [[3], [2, 3], [3]])
    #expect(base.classes[1].cohorts.map(\.headCount) == [5, 4])
    #expect(base.classes[1].homeRoom == base.rooms[1].id && base.classes[2].homeRoom == nil)
    #expect(base.clusters[0].members.map(\.leads) == [true, false, false])
    #expect(base.rosterTotals.map(\.pupils) == [820, 9, 4] && base.rosterTotals[2].grade == 3)
  }

  @Test func coursesAndCalendarsAreReadWithWhatTheyReferTo() throws {
    let base = try SampleCounty.base()
    let course = try #require(base.courses.first)
    #expect(
      course.subject == "music" && course.grades == [3] && course.audio == .music && course.term == "2026-2027-1")
    #expect(course.lead.teacher == base.persons[1].id && course.lead.schoolClass == base.classes[0].id)
    #expect(course.receivers.map(\.room) == [base.rooms[1].id, base.rooms[2].id])
    #expect(course.receivers.map(\.schoolClass) == [base.classes[1].id, nil])
    #expect(course.receivers.map(\.teacher) == [base.persons[2].id, nil])
    #expect(
      course.weeklyTimes == [
        Course.WeeklyTime(weekday: 1, period: 3, weeks: WeekSet(1...16)),
        Course.WeeklyTime(weekday: 3, period: 2, weeks: .odd),
      ])
    let summer = try #require(base.bells.first { $0.name == "夏季" })
    #expect(summer.weekdays == [1, 2, 3, 4, 5] && summer.periods.map(\.minutes) == [40, 40, 40])
    #expect(summer.through == CivilDate("2026-09-30") && summer.periods[2].start == ClockTime("10:00"))
    #expect(base.bells.first { $0.name == "全年" }?.periods.count == 2)
    let term = try #require(base.terms.first)
    #expect(term.weeks == 20 && term.state == .draft && term.rules.count == 2 && term.deviations.count == 2)
    #expect(term.rules[1].kind == .follows(weekday: 3, week: nil) && term.rules[0].through == CivilDate("2026-10-07"))
    #expect(term.deviations[0].region == "道县" && term.deviations[0].rules[0].part == .afternoon)
    #expect(term.deviations[1].firstDay == CivilDate("2026-09-07"))
    let local = base.localLessons
    #expect(local.map(\.subject) == ["chinese", "chinese", "红领巾广播", "mathematics"])
    #expect(local.map(\.time) == [.period(1), .period(2), .period(2), .period(2)])
    #expect(local.map(\.teacher) == [base.persons[2].id, base.persons[2].id, nil, base.persons[2].id])
  }

  @Test func theSameFilesTwiceChangeNothing() throws {
    let base = try SampleCounty.base()
    for delete in [false, true] {
      var options = SampleCounty.options
      options.deleteMissing = delete
      let again = try ImportSupport.plan(SampleCounty.all, onto: base, options: options)
      #expect(again.changes.isEmpty)
      #expect(again.lines.count > 20 && again.lines.allSatisfy { $0.action == .same })
    }
  }

  @Test(arguments: SheetKind.allCases) func whatIsWrittenOutReadsBackUnchanged(kind: SheetKind) throws {
    let base = try SampleCounty.base()
    for inEnglish in [false, true] {
      let table = base.table(of: kind, inEnglish: inEnglish)
      #expect(table.count > 1)
      let text = table.map { $0.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ",") }
      let plan = try ImportSupport.plan([(kind, text.joined(separator: "\r\n"))], onto: base)
      #expect(plan.changes.isEmpty, "\(kind): \(plan.lines.filter { $0.action != .same })")
      #expect(plan.lines.count > 0)
    }
  }

  @Test func headersSayWhatASheetIs() throws {
    for (kind, text) in SampleCounty.all {
      let sheet = try ImportSheet([UInt8](text.utf8)) { _ in nil }
      #expect(sheet.kind == kind)
    }
    #expect(SheetKind.recognise(["课程名称", "星期", "开始节数", "结束节数", "老师", "地点", "周数"]) == .localLessons)
    #expect(SheetKind.recognise(["名称"]) == nil && SheetKind.recognise([]) == nil)
    for kind in SheetKind.allCases {
      var seen: [String: SheetField] = [:]
      for column in kind.columns {
        for form in column.forms {
          let other = seen.updateValue(column.field, forKey: form) ?? column.field
          #expect(other == column.field, "\(kind): \(form)")
        }
      }
    }
  }

  @Test func changesNameTheirColumnsAndKeepIdentifiers() throws {
    let base = try SampleCounty.base()
    let text = "学校编号,名称,中心校\nP07,新石壁坳教学点,P01\nP09,新点,\n"
    let plan = try ImportSupport.plan([(.institutions, text)], onto: base)
    let fields = [ImportPlan.FieldChange(.name, old: "石壁坳教学点", new: "新石壁坳教学点")]
    #expect(plan.lines.map(\.action) == [.change(fields), .add, .absent, .absent])
    #expect(plan.lines.map(\.row) == [2, 3, 0, 0] && plan.lines.map(\.key) == ["P07", "P09", "P01", "P08"])
    #expect(plan.changes.institutions.count == 2 && plan.changes.removed.isEmpty)
    let changed = plan.changes.institutions[0]
    #expect(changed.id == base.institutions[1].id && changed.kind == .teachingPoint && changed.region == "道县")
    #expect(plan.counts(of: .institutions) == (add: 1, change: 1, same: 0, absent: 2, remove: 0))
  }

  @Test func theMinistrysCodeFindsWhoseNumberChanged() throws {
    let base = try SampleCounty.base()
    let plan = try ImportSupport.plan([(.institutions, "编号,学校标识码,名称\nS1,2143000001,石桥中心小学")], onto: base)
    #expect(plan.changes.institutions.map(\.id) == [base.institutions[0].id])
    #expect(plan.lines[0].action == .change([ImportPlan.FieldChange(.number, old: "P01", new: "S1")]))
  }

  @Test func whatNoColumnSaysStays() throws {
    var base = try SampleCounty.base()
    base.rooms[0].acceptedAt = base.rooms[0].acceptedAt.map { $0 + 3_600_000 }
    base.courses[0].weeklyTimes[0].adoptedBy = [base.rooms[1].id]
    base.terms[0].state = .published
    base.terms[0].version = 3
    let again = try ImportSupport.plan(SampleCounty.all, onto: base, options: SampleCounty.options)
    #expect(again.changes.isEmpty)
    let text = SampleCounty.courses.replacing("周三2(单周)", with: "周四2")
    let moved = try ImportSupport.plan([(.courses, text)], onto: base)
    #expect(moved.changes.courses.first?.weeklyTimes.map(\.adoptedBy) == [[base.rooms[1].id], []])
    let change = ImportPlan.FieldChange(.times, old: "周一第3节(1-16)、周三第2节(odd)", new: "周一第3节(1-16)、周四第2节(1-16)")
    #expect(moved.lines[0].action == .change([change]))
    let short = try ImportSupport.plan([(.persons, "学校编号,工号,姓名,账号来源,账号\nP01,001,王莉,,\n")], onto: base)
    #expect(short.changes.persons.first?.subject == "u-17")
  }

  @Test func absentRowsGoOnlyWhenAskedAndWithinWhatTheFileIsAbout() throws {
    var base = try SampleCounty.base()
    var spring = base.courses[0]
    (spring.id, spring.term) = (Identifier(high: 9, low: 9), "2026-2027-2")
    base.courses.append(spring)
    base.persons.append(
      Person(id: Identifier(high: 9, low: 8), institution: nil, name: "局长", issuer: "i", subject: "s"))
    let options = ImportOptions(deleteMissing: true)
    let other = SampleCounty.courses.replacing("K0137", with: "K0138")
    let courses = try ImportSupport.plan([(.courses, other)], onto: base, options: options)
    #expect(courses.changes.removed.map(\.id) == [base.courses[0].id])
    let persons = try ImportSupport.plan(
      [(.persons, "学校编号,工号,姓名\nP01,001,王丽\nP01,002,王丽\nP07,001,李强\n")], onto: base, options: options)
    #expect(persons.changes.removed.isEmpty)
    let bells = try ImportSupport.plan([(.bells, "学校编号,作息名称,第1节\nP01,夏季,8:00-8:40")], onto: base, options: options)
    #expect(bells.changes.removed.map(\.id) == [base.bells[1].id])
    let totals = try ImportSupport.plan(
      [(.rosterTotals, "学校编号,学年,学生数\nP01,2026,820\nP01,2027,800")], onto: base, options: options)
    #expect(totals.changes.removedRosterTotals.count == 2 && totals.changes.rosterTotals.map(\.schoolYear) == [2027])
    let empty = try ImportSupport.plan([(.institutions, "编号,名称\n")], onto: base, options: options)
    #expect(empty.lines.isEmpty && empty.changes.isEmpty)
  }

  @Test func whatIsStillNeededIsNotRemoved() throws {
    var base = try SampleCounty.base()
    let options = ImportOptions(deleteMissing: true)
    let rooms = try ImportSupport.issues([(.rooms, "教室编号,学校编号\nP01-1,P01\n")], onto: base, options: options)
    #expect(rooms.allSatisfy { $0.code == .stillReferenced && $0.sheet == .rooms && $0.row == 0 })
    #expect(
      Set(rooms.map { "\($0.value) \($0.arguments["sheet"] ?? "")" }) == [
        "P07-2 classes", "P07-2 courses", "P08-1 courses",
      ])
    let lone = "编号,名称\nP01,石桥中心小学"
    let schools = try ImportSupport.issues([(.institutions, lone)], onto: base, options: options)
    let by = Set(schools.compactMap { $0.arguments["sheet"] })
    #expect(by == ["rooms", "persons", "classes", "clusters", "bells", "terms", "rosterTotals", "localLessons"])
    let other = SampleCounty.courses.replacing("K0137", with: "K0138")
    base.taughtCourses = [base.courses[0].id]
    let taught = try ImportSupport.issues([(.courses, other)], onto: base, options: options)
    #expect(taught.map(\.code) == [.courseHasLessons] && taught[0].value == "2026-2027-1 K0137")
    #expect(try ImportSupport.issues([(.courses, other)], onto: base).isEmpty)
  }
}
