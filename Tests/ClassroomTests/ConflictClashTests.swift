// Goal: nothing is booked twice unseen, and nothing that is not is reported. Method: a small town in which nothing is
// wrong, changed by the one thing a test is about, and by a change that just does not do it.
import Classroom
import Testing

@Suite struct ConflictClashTests {
  typealias Town = ConflictTown
  let town = ConflictTown()

  @Test func nothingIsWrongWithOneCourse() {
    #expect(town.codes(town.course(1, Town.weekly(1, 3), Town.weekly(2, 3))) == [])
    #expect(town.timetable(town.course(1, Town.weekly(1, 3))).bookings().count == 4)
  }

  @Test func oneTeacherLeadsTwice() throws {
    let first = town.course(1, Town.weekly(1, 3))
    var lead = Town.party(.lead, 2)
    lead.teacher = Town.person(.lead)
    let second = town.course(2, lead: lead, sites: [Town.party(.third)], Town.weekly(1, 3))
    let conflict = try #require(town.check(first, second).first)
    #expect(town.check(first, second).count == 1)
    #expect(conflict.code == .leadTeacher)
    #expect(conflict.severity == .conflict)
    #expect(conflict.course == second.id)
    #expect(conflict.other == .course(first.id))
    #expect(conflict.person == Town.person(.lead))
    #expect(conflict.dates == [Town.date(8, 31), Town.date(9, 7), Town.date(9, 14), Town.date(9, 21)])
    #expect(conflict.start == Town.time("10:10"))
    #expect(conflict.end == Town.time("10:50"))
    #expect(conflict.resolutions == [.moveLesson, .changeTeacher])
    // The next period, another day, the other weeks.
    for time in [Town.weekly(1, 4), Town.weekly(2, 3)] {
      #expect(town.codes(first, town.course(2, lead: lead, sites: [Town.party(.third)], time)) == [])
    }
    let odd = town.course(1, Town.weekly(1, 3, .odd))
    #expect(town.codes(odd, town.course(2, lead: lead, sites: [Town.party(.third)], Town.weekly(1, 3, .even))) == [])
    #expect(
      town.codes(odd, town.course(2, lead: lead, sites: [Town.party(.third)], Town.weekly(1, 3)))
        == ["leadTeacher 2"])
  }

  @Test func backToBackIsNoConflict() {
    var town = town
    let bell = ["08:00-08:40", "08:40-09:20", "10:10-10:50"]
    for school in Town.School.allCases { town.ring(school, bell) }
    #expect(town.codes(town.course(1, Town.weekly(1, 1)), town.course(2, Town.weekly(1, 2))) == [])
    // Five minutes of the site's first period lie in the second lesson: what teaches there is needed twice.
    town.ring(.second, ["08:05-08:45", "08:45-09:25"])
    #expect(
      town.codes(town.course(1, Town.weekly(1, 1)), town.course(2, Town.weekly(1, 2)))
        == ["bellMisfit note 4", "leadTeacher 4", "siteRoom 4", "siteClass 4", "bellMisfit note 4"])
  }

  @Test func aPersonTeachesThereAndLeadsHere() {
    // The local teacher of one course leads another.
    let first = town.course(1, Town.weekly(1, 3))
    var lead = Town.party(.third)
    lead.teacher = Town.person(.second)
    #expect(town.codes(first, town.course(2, lead: lead, sites: [], Town.weekly(1, 3))).contains("leadTeacher 4"))
    // And teaches a class of the own school at that time.
    var busy = town
    busy.teachLocally(.lead, 2, teacher: Town.person(.lead), weekday: 1, .period(3), .odd)
    #expect(busy.codes(first) == ["leadTeacher 2"])
    #expect(busy.codes(town.course(1, Town.weekly(1, 4))) == [])
    #expect(busy.codes(town.course(1, Town.weekly(1, 3, .even))) == [])
    #expect(
      busy.check(first).first?.other == .local(schoolClass: Town.schoolClass(.lead, 2), subject: "chinese"))
  }

  @Test func roomsAndClassesOfLeadAndSites() {
    let first = town.course(1, Town.weekly(1, 3))
    func second(_ lead: Course.Party, _ site: Course.Party) -> [String] {
      town.codes(first, town.course(2, lead: lead, sites: [site], Town.weekly(1, 3)))
    }
    let (other, apart) = (Town.party(.lead, 2), Town.party(.second, 2))
    #expect(second(other, apart) == [])
    #expect(second(Course.Party(room: Town.room(.lead)), apart) == ["leadRoom 4"])
    #expect(
      second(Course.Party(schoolClass: Town.schoolClass(.lead), room: Town.room(.lead, 2)), apart) == ["leadClass 4"])
    #expect(second(other, Course.Party(room: Town.room(.second))) == ["siteRoom 4"])
    #expect(
      second(other, Course.Party(schoolClass: Town.schoolClass(.second), room: Town.room(.second, 2)))
        == ["siteClass 4"])
    // What leads one receives the other.
    #expect(second(Town.party(.third), Course.Party(room: Town.room(.lead))) == ["leadRoom 4"])
    #expect(
      second(Town.party(.third), Course.Party(schoolClass: Town.schoolClass(.lead), room: Town.room(.lead, 2)))
        == ["leadClass 4"])
  }

  @Test func aClassInTwoPartsOfOneCourseLeads() {
    var both = Town.party(.second)
    both.schoolClass = Town.schoolClass(.lead)
    let first = town.course(1, sites: [both], Town.weekly(1, 3))
    let second = town.course(
      2, lead: Town.party(.lead, 2),
      sites: [Course.Party(schoolClass: Town.schoolClass(.lead), room: Town.room(.third))], Town.weekly(1, 3))
    #expect(town.codes(first, second) == ["modeOrRole 0", "leadClass 4"])
  }

  @Test func aFreeRoomOfTheSchoolHelps() {
    let first = town.course(1, Town.weekly(1, 3))
    let second = town.course(
      2, lead: Course.Party(room: Town.room(.lead)), sites: [Town.party(.third)], Town.weekly(1, 3))
    #expect(town.check(first, second).map(\.resolutions) == [[.moveLesson, .changeRoom]])
    var full = town
    full.rooms.removeAll { $0.institution == Town.institution(.lead) && $0.id != Town.room(.lead) }
    #expect(full.check(first, second).map(\.resolutions) == [[.moveLesson]])
  }

  @Test func aClassWithSeveralCohortsIsOneClass() {
    var town = town
    let mixed = Town.schoolClass(.second)
    for index in town.classes.indices where town.classes[index].id == mixed {
      town.classes[index].cohorts.append(SchoolClass.Cohort(entryYear: 2022, headCount: 7))
    }
    let second = town.course(
      2, lead: Town.party(.lead, 2), sites: [Course.Party(schoolClass: mixed, room: Town.room(.second, 2))],
      Town.weekly(1, 3))
    #expect(town.codes(town.course(1, Town.weekly(1, 3)), second) == ["siteClass 4"])
  }

  @Test func localLessonsOfTheClasses() {
    let course = town.course(1, Town.weekly(1, 3))
    func codes(_ change: (inout ConflictTown) -> Void) -> [String] {
      var town = town
      change(&town)
      return town.codes(course)
    }
    #expect(codes { $0.teachLocally(.second, weekday: 1, .period(3)) } == ["siteClass 4"])
    #expect(codes { $0.teachLocally(.lead, weekday: 1, .period(3)) } == ["leadClass 4"])
    // The same subject is the slot that the course fills, for its teacher too.
    #expect(codes { $0.teachLocally(.second, subject: "music", weekday: 1, .period(3)) } == [])
    #expect(
      codes { $0.teachLocally(.lead, teacher: Town.person(.lead), subject: "music", weekday: 1, .period(3)) } == [])
    // Another class of that subject is another lesson.
    #expect(
      codes { $0.teachLocally(.lead, 2, teacher: Town.person(.lead), subject: "music", weekday: 1, .period(3)) }
        == ["leadTeacher 4"])
    #expect(codes { $0.teachLocally(.second, weekday: 1, .period(4)) } == [])
    #expect(codes { $0.teachLocally(.second, weekday: 1, .clock(Town.time("10:50"), Town.time("11:30"))) } == [])
    #expect(
      codes { $0.teachLocally(.second, weekday: 1, .clock(Town.time("10:49"), Town.time("11:30")), .odd) }
        == ["siteClass 2"])
    #expect(codes { $0.teachLocally(.second, 2, weekday: 1, .period(3)) } == [])
  }

  @Test func localWeeksAreThoseOfTheSchool() {
    var town = town
    // The second school counts its weeks from a week later: its odd weeks are the lead's even ones, and its first is a
    // week in which the lead already teaches.
    town.term.deviations = [
      Term.Deviation(institution: Town.institution(.second), firstDay: Town.date(9, 7))
    ]
    town.teachLocally(.second, weekday: 1, .period(3), .odd)
    let conflicts = town.check(town.course(1, Town.weekly(1, 3)))
    #expect(conflicts.map(\.code) == [.siteClass, .holiday])
    #expect(conflicts.map(\.dates) == [[Town.date(9, 7), Town.date(9, 21)], [Town.date(8, 31)]])
  }

  @Test func aDayOfAnotherWeekdayIsBusyAsThatDay() {
    var town = town
    // Saturday 2026-09-05 follows Monday everywhere.
    let saturday = CalendarRule(
      from: Town.date(9, 5), through: Town.date(9, 5), kind: .follows(weekday: 1, week: nil))
    town.term.rules = [saturday]
    town.teachLocally(.second, weekday: 1, .period(3))
    #expect(town.codes(town.course(1, Town.weekly(1, 3))) == ["siteClass 5"])
    // It is no Saturday then; on the others the bells are silent.
    let saturdays = town.check(town.course(1, Town.weekly(6, 3)))
    #expect(saturdays.map(\.reason) == [.noLeadPeriod])
    #expect(saturdays.first?.dates == [Town.date(9, 12), Town.date(9, 19), Town.date(9, 26)])
    // Wednesday the 9th follows Monday: the Wednesday course does not meet the Monday's local lesson, it falls out.
    town.term.rules = [
      CalendarRule(from: Town.date(9, 9), through: Town.date(9, 9), kind: .follows(weekday: 1, week: 1))
    ]
    #expect(town.timetable(town.course(1, Town.weekly(3, 3))).bookings().count == 3)
    #expect(town.codes(town.course(1, Town.weekly(3, 3))) == [])
    // The lead alone follows it: Monday's lesson meets what the second school does on Wednesdays.
    town.term.rules = []
    town.term.deviations = [Term.Deviation(institution: Town.institution(.lead), rules: [saturday])]
    town.term.deviations[0].rules[0].from = Town.date(9, 9)
    town.term.deviations[0].rules[0].through = Town.date(9, 9)
    town.teachLocally(.second, weekday: 3, .period(4))
    #expect(town.codes(town.course(1, Town.weekly(1, 4))) == ["siteClass 1", "holiday warning 1"])
  }

  @Test func twoLessonsOfOneCourse() {
    var town = town
    let course = town.course(1, Town.weekly(1, 1), Town.weekly(1, 2))
    #expect(town.codes(course) == [])
    // The second lesson of one Monday is moved into the first.
    town.lessons = town.timetable(course).bookings().enumerated().map { index, booking in
      let id = Identifier(high: 7, low: UInt64(index))
      let earlier: Int64 = index == 3 ? 20 * 60_000 : 0
      return Lesson(
        id: id, registration: id, course: course.id, cluster: course.cluster, title: "音乐",
        plannedStart: booking.span.lowerBound - earlier, plannedEnd: booking.span.upperBound - earlier,
        origin: booking.origin)
    }
    town.term.state = .published
    let conflicts = town.check(course).filter { $0.code != .bellMisfit }
    #expect(conflicts.map(\.code) == [.leadRoom])
    #expect(conflicts.first?.other == .course(course.id))
    #expect(conflicts.first?.dates == [Town.date(9, 7)])
    #expect(conflicts.first?.resolutions == [.moveLesson])
  }

  @Test func researchBooksNoClassesAndRecordingsNoLead() {
    let first = town.course(1, Town.weekly(1, 3))
    let research = town.course(
      2, lead: Course.Party(room: Town.room(.lead, 2), teacher: Town.person(.lead)),
      sites: [Course.Party(room: Town.room(.second, 2))], mode: .research, Town.weekly(1, 3))
    #expect(town.codes(first, research) == ["leadTeacher 4"])
    let recorded = town.course(
      3, sites: [Town.party(.second, 3)], mode: .asyncDual, Town.weekly(1, 3))
    #expect(town.codes(first, recorded) == [])
    let there = town.course(3, mode: .asyncDual, Town.weekly(1, 3))
    #expect(town.codes(first, there) == ["leadTeacher 4", "siteRoom 4", "siteClass 4"])
  }

  @Test func aShorterLessonIsOfferedWhereItEndsTheClash() {
    var town = town
    town.teachLocally(.lead, weekday: 1, .clock(Town.time("10:46"), Town.time("11:20")))
    #expect(
      town.check(town.course(1, Town.weekly(1, 3))).map(\.resolutions) == [[.shorten(minutes: 36), .moveLesson]])
    let cut = town.course(1, Town.weekly(1, 3, minutes: 36))
    #expect(town.codes(cut) == [])
    town.locals = [:]
    town.teachLocally(.lead, weekday: 1, .clock(Town.time("10:44"), Town.time("11:20")))
    #expect(town.check(town.course(1, Town.weekly(1, 3))).map(\.resolutions) == [[.moveLesson]])
  }
}
