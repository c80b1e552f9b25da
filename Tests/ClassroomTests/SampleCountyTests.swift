import Classroom
// Goal: the county that ships can be imported, has nothing wrong with it, and the planted conflicts are found, each
// once. Method: the files themselves, as a coordinator would import them; instants worked out by hand.
import Foundation
import Testing

@Suite struct SampleCountyTests {
  typealias Files = SampleCountyFiles

  @Test func sheets() throws {
    let sheets = try Files.sheets("sample-county")
    #expect(Set(sheets.values.map(\.kind)) == Set(SheetKind.allCases))
    #expect(sheets.count == SheetKind.allCases.count)
    #expect(sheets.filter { $0.value.encoding == .gb18030 }.map(\.key) == ["teachers.csv"])
    #expect(sheets.filter { $0.value.encoding == .utf8Marked }.map(\.key) == ["courses.csv"])
    #expect(sheets["bells.csv"]?.header.first == "institution")
  }

  @Test func importing() throws {
    let county = try Files()
    let base = county.base
    #expect(base.institutions.count == 12)
    #expect(base.institutions.filter { $0.kind == .teachingPoint }.count == 8)
    #expect(base.clusters.map { $0.members.filter(\.leads).count } == [1, 1, 4])
    #expect(base.courses.count == 11)
    #expect(base.persons.first { $0.staffNumber == "1006" }?.name == "李镕溪")
    // Two teachers of one name, told apart by their numbers.
    #expect(base.persons.filter { $0.name == "王丽" }.count == 2)
    let mixed = try #require(base.classes.first { $0.number == "P04-B34" })
    #expect(mixed.cohorts.map(\.entryYear) == [2024, 2023])
    let again = try Files.plan("sample-county", onto: base)
    #expect(again.changes.isEmpty)
    #expect(again.lines.allSatisfy { $0.action == .same })
    #expect(again.lines.count > 100)
  }

  /// Lessons that fall out on holidays, and bells that differ by no more than five minutes.
  @Test func nothingIsWrong() throws {
    for relaySeats in [nil, Files.relaySeats] {
      let found = ConflictChecker(try Files().timetable(relaySeats: relaySeats)).check()
      #expect(found.filter { $0.severity != .note } == [])
      #expect(Set(found.map(\.code)) == [.holiday, .bellMisfit])
    }
  }

  @Test func gaps() throws {
    let county = try Files()
    func gaps(_ timetable: Timetable, _ state: Gap.State) -> [String: [String]] {
      let numbers = Dictionary(uniqueKeysWithValues: county.base.classes.map { ($0.id, $0.number) })
      return Dictionary(grouping: timetable.gaps(subjects: .standard).filter { $0.state == state }) {
        numbers[$0.schoolClass] ?? ""
      }.mapValues { $0.map(\.subject) }
    }
    var timetable = try county.timetable()
    let missing = [
      "P03-B31": ["science", "informationTechnology"], "P04-B34": ["informationTechnology"],
      "P05-B31": ["informationTechnology"], "P06-B31": ["informationTechnology"],
      "P06-B41": ["foreignLanguage", "informationTechnology", "arts"], "P07-B31": ["informationTechnology"],
      "Z02-B41": ["informationTechnology"],
    ]
    #expect(gaps(timetable, .missing) == missing)
    let unknown = gaps(timetable, .notKnown)
    #expect(Set(unknown.keys) == ["P08-B31", "Z02-B51"])
    #expect(unknown["P08-B31"]?.contains("science") == false)
    #expect(unknown["P08-B31"]?.contains("chinese") == true)
    // Without the course that gives it, points lack science.
    timetable.courses.removeAll { $0.number == "K07" }
    #expect(gaps(timetable, .missing)["P05-B31"] == ["science", "informationTechnology"])
  }

  @Test func free() throws {
    let county = try Files()
    let checker = ConflictChecker(try county.timetable())
    let wanted = ["P03", "P04"]
    var sites: [Course.Party] = []
    for (point, number) in zip(wanted, ["P03-B31", "P04-B34"]) {
      sites.append(Course.Party(schoolClass: try county.schoolClass(number), room: try county.room("\(point)-1")))
    }
    let cluster = try county.course("K04").cluster
    var request = FreeRequest(
      lead: Course.Party(room: try county.room("L01-2")), sites: sites, cluster: cluster,
      subject: "informationTechnology", grades: [3, 4])
    // Both points have left the fourth period of Friday open.
    let windows = checker.free(request)
    let best = try #require(windows.first)
    #expect((best.weekday, best.period, best.weeks) == (5, 4, .all))
    #expect((best.start, best.end) == (ClockTime(minute: 670), ClockTime(minute: 710)))
    #expect(best.sites.map(\.overlapMinutes) == [40, 40])
    #expect(best.sites.allSatisfy { $0.isKnown && $0.misfit == 0 })
    try expectExact(windows, of: checker, request)
    // Their teacher of it teaches others in single weeks.
    request.lead.teacher = try county.person("1004")
    let others = checker.free(request)
    // The fifth week's Friday is a holiday, so nothing is in the way then.
    let shared = try #require(others.first { $0.weekday == 5 && $0.period == 4 })
    #expect(shared.weeks == WeekSet([2, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20]))
    try expectExact(others, of: checker, request)
    // Nobody has said what the eighth point does by itself.
    request.sites = [Course.Party(schoolClass: try county.schoolClass("P08-B31"), room: try county.room("P08-1"))]
    request.cluster = try county.course("K05").cluster
    request.lead.room = try county.room("L02-2")
    request.lead.teacher = nil
    let unknown = checker.free(request)
    #expect(unknown.count > 10)
    #expect(unknown.allSatisfy { !$0.sites[0].isKnown })
  }

  /// No window offered has a conflict, and each not offered for all weeks has one in them.
  private func expectExact(_ windows: [FreeWindow], of checker: ConflictChecker, _ request: FreeRequest) throws {
    var course = Course(
      id: Identifier(high: 1, low: 1), cluster: try #require(request.cluster), term: Files.term,
      subject: request.subject ?? "", grades: request.grades, lead: request.lead, receivers: request.sites)
    for weekday in 1...5 {
      for period in 1...7 {
        let window = windows.first { $0.weekday == weekday && $0.period == period }
        course.weeklyTimes = [Course.WeeklyTime(weekday: weekday, period: period)]
        let isClear = !checker.check(adding: course).contains { $0.severity == .conflict }
        #expect(isClear == (window?.weeks == .all), "\(weekday) \(period)")
        guard let window else { continue }
        course.weeklyTimes[0].weeks = window.weeks
        #expect(!checker.check(adding: course).contains { $0.severity == .conflict }, "\(weekday) \(period)")
      }
    }
  }

  @Test func calendarOfASite() throws {
    let county = try Files()
    let timetable = try county.timetable()
    let room = try county.room("P02-1")
    let numbers = Dictionary(uniqueKeysWithValues: county.base.courses.map { ($0.id, $0.number) })
    var events: [CalendarEvent] = []
    for booking in timetable.bookings() where booking.sites.contains(where: { $0.room == room }) {
      events.append(
        CalendarEvent(
          lesson: Identifier(high: 3, low: UInt64(events.count)),
          series: CalendarEvent.Series(course: booking.course, start: booking.span.lowerBound),
          summary: numbers[booking.course] ?? "", location: "P02-1", span: booking.span))
    }
    let (text, leftOut) = ICalendarWriter.text(of: CalendarFeed(name: "上坪教学点", stampedAt: 0, events: events))
    #expect(leftOut == [])
    let reader = try ICalendarReader(text)
    func starts(_ course: String) -> [Int] { reader.instances.filter { $0.summary == course }.map(\.start).sorted() }
    // Monday 2026-09-07 is day 20,703 of the epoch; 9:10 in China is 1:10 UTC. None on 8-31, when pupils register.
    let english = try #require(reader.instances.first { $0.summary == "K02" && $0.start == 20_703 * 86_400 + 4_200 })
    #expect(english.end == english.start + 2_400)
    #expect(!starts("K02").contains { $0 < 20_697 * 86_400 })
    // Saturday 2026-10-10, day 20,736, is taught as the Wednesday that National Day took: 10:20, 2:20 UTC.
    #expect(starts("K01").contains(1_791_598_800))
    #expect(20_736 * 86_400 + 8_400 == 1_791_598_800)
    #expect(!starts("K01").contains(1_791_598_800 - 3 * 86_400))
    // The afternoon of 2026-09-29 begins at 14:30, by the winter's bells of 10-13 at 14:00.
    #expect(starts("K03").contains(20_725 * 86_400 + 23_400))
    #expect(starts("K03").contains(20_739 * 86_400 + 21_600))
    // Twenty weeks, less holidays: 10-07 is made up for, the others (8-31, 10-05; 10-01, 11-12; 10-06; 10-02) are not.
    #expect(["K01", "K02", "K03", "K04"].map { starts($0).count } == [20, 18 + 18, 19, 9])
    #expect(reader.instances.count == 84)
  }

  @Test func plantedConflicts() throws {
    var county = try Files()
    let plan = try Files.plan("sample-county-conflicts", onto: county.base)
    #expect(!plan.changes.isEmpty)
    county.base.apply(plan.changes)
    #expect(try Files.plan("sample-county-conflicts", onto: county.base).changes.isEmpty)
    let numbers = Dictionary(uniqueKeysWithValues: county.base.courses.map { ($0.id, $0.number) })
    func told(_ relaySeats: Int?) throws -> [String] {
      ConflictChecker(try county.timetable(relaySeats: relaySeats)).check().filter { $0.severity != .note }.map {
        "\(numbers[$0.course] ?? "") \($0.code) \($0.reason?.rawValue ?? "-") \($0.severity)"
      }
    }
    let planted = [
      "X01 leadTeacher - conflict", "X02 leadRoom - conflict", "X03 leadClass - conflict", "X04 siteRoom - conflict",
      "X05 siteClass - conflict", "X06 unpairedInstitution notMember conflict", "X07 bellMisfit departs conflict",
      "X08 holiday siteHoliday conflict", "X09 relayCapacity - conflict", "X10 siteBandwidth downlink conflict",
      "X11 unacceptedRoom - warning", "X12 screenTime continuous warning", "X13 modeOrRole leadOnlyReceives conflict",
    ]
    #expect(try told(Files.relaySeats) == planted)
    #expect(planted.map { String($0.split(separator: " ")[1]) } == ConflictCode.allCases.map(\.rawValue))
    // A relay of the usual size has room for all.
    #expect(try told(nil) == planted.filter { !$0.contains("relayCapacity") })
  }

  @Test func timetableOfABase() throws {
    let base = try Files().base
    #expect(Timetable(base, term: "2026-2027-2") == nil)
    let timetable = try #require(Timetable(base, term: Files.term))
    #expect(timetable.courses.map(\.number) == (1...11).map { $0 < 10 ? "K0\($0)" : "K\($0)" })
    #expect(timetable.localLessons.count == 17)
    #expect(timetable.term.rules.count == 5)
  }
}
