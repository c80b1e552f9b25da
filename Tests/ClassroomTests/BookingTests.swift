// Goal: what a dated lesson occupies follows from bells, calendar, mode and what was changed after publication. Method:
// a small town whose second school has bells of its own.
import Classroom
import Testing

@Suite struct BookingTests {
  typealias Town = ConflictTown
  let town = ConflictTown()

  private func span(_ month: Int, _ day: Int, _ from: String, _ to: String) -> Range<Int64> {
    CivilTime.instant(
      Town.date(month, day), Town.time(from))..<CivilTime.instant(Town.date(month, day), Town.time(to))
  }

  @Test func aSiteOccupiesAllItTouches() throws {
    var town = town
    town.ring(.second, ["09:00-09:40", "09:50-10:20", "10:30-11:00", "11:00-11:40"])
    let booking = try #require(town.timetable(town.course(1, Town.weekly(1, 3))).bookings().first)
    #expect(booking.span == span(8, 31, "10:10", "10:50"))
    #expect(booking.leadTeacher == Town.person(.lead))
    #expect(booking.leadClass == Town.schoolClass(.lead))
    #expect(booking.weeklyTime == 0)
    #expect(booking.lesson == nil)
    #expect(booking.seats == 2)
    let site = try #require(booking.sites.first)
    #expect(site.occupied == span(8, 31, "09:50", "11:00"))
    // The third period shares 20 minutes, the second ten; the lesson begins 20 before it.
    #expect(site.overlap == 20)
    #expect(site.misfit == 20)
    let adopted = town.course(1, Town.weekly(1, 3, adoptedBy: [Town.room(.second)]))
    let kept = try #require(town.timetable(adopted).bookings().first?.sites.first)
    #expect(kept.occupied == span(8, 31, "10:10", "11:00"))
    #expect((kept.misfit, kept.overlap) == (0, 40))
  }

  @Test func whatEndsWhenTheLessonBeginsIsNotTouched() throws {
    var town = town
    town.ring(.second, ["09:30-10:10", "10:50-11:30"])
    let site = try #require(town.timetable(town.course(1, Town.weekly(1, 3))).bookings().first?.sites.first)
    #expect(site.occupied == span(8, 31, "10:10", "10:50"))
    #expect(site.misfit == nil)
    #expect(site.overlap == 0)
    // Of two equal shares the earlier.
    town.ring(.second, ["09:50-10:30", "10:30-11:10"])
    #expect(town.timetable(town.course(1, Town.weekly(1, 3))).bookings().first?.sites.first?.misfit == 20)
    #expect(town.timetable(town.course(1, Town.weekly(1, 3))).bookings().first?.sites.first?.overlap == 20)
  }

  @Test func halfADayOfAnotherWeekdayHasItsBells() throws {
    var town = town
    // The second school's Tuesday afternoon begins earlier, and it is taught on a Monday afternoon.
    town.ring(.second, ["10:10-10:50", "14:00-14:40"], weekdays: [1])
    var tuesday = try #require(town.bells.last)
    tuesday.weekdays = [2]
    tuesday.periods[1].start = Town.time("13:45")
    town.bells.append(tuesday)
    let rule = CalendarRule(
      from: Town.date(9, 7), through: Town.date(9, 7), part: .afternoon, kind: .follows(weekday: 2, week: nil))
    town.term.deviations = [Term.Deviation(institution: Town.institution(.second), rules: [rule])]
    let bookings = town.timetable(town.course(1, Town.weekly(1, 3), Town.weekly(1, 5))).bookings()
    #expect(bookings.map { $0.sites[0].misfit } == [0, 0, 0, 15, 0, 0, 0, 0])
  }

  @Test func modesBookWhatTheyNeed() throws {
    let research = try #require(
      town.timetable(town.course(1, mode: .research, Town.weekly(1, 3))).bookings().first)
    #expect(research.leadTeacher != nil)
    #expect(research.leadClass == nil)
    #expect(research.sites.map(\.schoolClass) == [nil])
    #expect(research.sites.map(\.misfit) == [0])
    let recorded = try #require(
      town.timetable(town.course(1, mode: .asyncDual, Town.weekly(1, 3))).bookings().first)
    #expect(recorded.leadTeacher == nil)
    #expect(recorded.leadClass == nil)
    #expect(recorded.seats == 0)
    #expect(!recorded.needsLead)
    #expect(recorded.sites.map(\.schoolClass) == [Town.schoolClass(.second)])
  }

  /// The lessons of a course as they are published.
  private func publish(_ course: Course, in town: ConflictTown) -> [Lesson] {
    town.timetable(course).bookings().enumerated().map { index, booking in
      let id = Identifier(high: 7, low: course.id.low * 100 + UInt64(index))
      return Lesson(
        id: id, registration: id, course: course.id, cluster: course.cluster, title: "音乐",
        plannedStart: booking.span.lowerBound, plannedEnd: booking.span.upperBound, origin: booking.origin)
    }
  }

  @Test func publishedLessonsStandForThemselves() throws {
    var town = town
    let course = town.course(1, Town.weekly(1, 3, adoptedBy: [Town.room(.second)]))
    let draft = town.timetable(course).bookings()
    town.lessons = publish(course, in: town)
    town.term.state = .published
    let published = town.timetable(course).bookings()
    #expect(published.map(\.span) == draft.map(\.span))
    #expect(published.map(\.sites) == draft.map(\.sites))
    #expect(published.map(\.weeklyTime) == [0, 0, 0, 0])
    #expect(published.map(\.lesson) == town.lessons.map(\.id))
    #expect(town.timetable(course).bookings(of: course) == published)
    // One is taught by somebody else, one is moved to Tuesday, one is cancelled.
    town.lessons[0].teacher = Town.person(.lead, 2)
    town.lessons[1].plannedStart += 86_400_000
    town.lessons[1].plannedEnd += 86_400_000
    let isCancelled = town.lessons[2].take(.cancel)
    #expect(isCancelled)
    let changed = town.timetable(course).bookings()
    #expect(changed.map(\.date) == [Town.date(8, 31), Town.date(9, 8), Town.date(9, 21)])
    #expect(changed.map(\.leadTeacher) == [Town.person(.lead, 2), Town.person(.lead), Town.person(.lead)])
    #expect(changed.map(\.weeklyTime) == [0, nil, 0])
    #expect(changed.map { $0.sites[0].keepsLeadBell } == [true, false, true])
    // A course without lessons has those of its weekly times.
    let other = town.course(2, Town.weekly(2, 3))
    #expect(town.timetable(course, other).bookings().count == 7)
  }

  @Test func aMovedLessonMeetsWhatIsThere() {
    var town = town
    let course = town.course(1, Town.weekly(1, 3))
    let other = town.course(2, Town.weekly(2, 3))
    let parallel = town.course(3, lead: Town.party(.lead, 2), sites: [Town.party(.third)], Town.weekly(1, 3, .odd))
    town.lessons = publish(course, in: town) + publish(other, in: town) + publish(parallel, in: town)
    town.term.state = .published
    let checker = ConflictChecker(town.timetable(course, other, parallel))
    #expect(checker.check() == [])
    var moved = town.lessons.filter { $0.course == course.id }
    moved[1].plannedStart += 86_400_000
    moved[1].plannedEnd += 86_400_000
    let conflicts = checker.check(adding: course, lessons: moved)
    // Both teachers, that of the lead and that of the site.
    #expect(conflicts.map(\.code) == [.leadTeacher, .leadTeacher, .leadRoom, .leadClass, .siteRoom, .siteClass])
    #expect(conflicts.allSatisfy { $0.dates == [Town.date(9, 8)] })
    moved[1].plannedStart += 86_400_000
    moved[1].plannedEnd += 86_400_000
    #expect(checker.check(adding: course, lessons: moved) == [])
    // Substituted by a teacher who leads another course in odd weeks.
    var substituted = town.lessons.filter { $0.course == course.id }
    substituted[1].teacher = Town.person(.lead, 2)
    #expect(checker.check(adding: course, lessons: substituted) == [])
    substituted[2].teacher = Town.person(.lead, 2)
    let busy = checker.check(adding: course, lessons: substituted)
    #expect(busy.map(\.code) == [.leadTeacher])
    #expect(busy.map(\.dates) == [[Town.date(9, 14)]])
  }

  @Test func valuesThatMakeNoSenseAreLeftOut() {
    var town = town
    let course = town.course(1, Town.weekly(1, 3))
    town.term.state = .published
    let good = publish(course, in: town)
    let spans: [(Int64, Int64)] = [
      (.min, .max), (.max, .min), (0, 0), (good[0].plannedEnd, good[0].plannedStart), (-5, 5),
      (good[0].plannedStart, good[0].plannedStart + 86_400_001), (90_000_000_000_000, 90_000_000_060_000),
    ]
    town.lessons = spans.enumerated().map { index, span in
      let id = Identifier(high: 7, low: UInt64(index))
      return Lesson(
        id: id, registration: id, course: course.id, cluster: course.cluster, title: "音乐", plannedStart: span.0,
        plannedEnd: span.1, origin: LessonOrigin(date: Town.date(8, 31), period: index + 1))
    }
    #expect(town.timetable(course).bookings() == [])
    // A lesson over midnight on the last day there is.
    let last = CivilTime.instant(CivilDate(day: 376_199)!, Town.time("23:30"))
    town.lessons[0].plannedStart = last
    town.lessons[0].plannedEnd = last + 7_200_000
    #expect(town.timetable(course).bookings().count == 1)
    town.teachLocally(.lead, weekday: 1, .period(1))
    #expect(ConflictChecker(town.timetable(course)).check().contains { $0.reason == .siteHoliday })
  }
}
