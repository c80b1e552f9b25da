// Goal: screen time is counted by class and day, without a break and by week, and told by the course that is too much.
// Method: a small town whose second school's first class receives several courses.
import Classroom
import Testing

@Suite struct ConflictScreenTests {
  typealias Town = ConflictTown
  let town: ConflictTown

  init() {
    var town = ConflictTown()
    town.policy = .standard
    self.town = town
  }

  private func screens(_ town: ConflictTown, _ courses: Course...) -> [Conflict] {
    ConflictChecker(town.timetable(courses)).check().filter { $0.code == .screenTime }
  }

  private func courses(_ periods: [Int]) -> [Course] {
    periods.enumerated().map { index, period in
      town.course(UInt64(index + 1), Town.weekly(1, period))
    }
  }

  @Test func ofADay() throws {
    let three = courses([1, 3, 5])
    #expect(ConflictChecker(town.timetable(three)).check() == [])
    let four = ConflictChecker(town.timetable(three + [town.course(4, Town.weekly(1, 6, .odd))])).check()
    let conflict = try #require(four.first { $0.reason == .day })
    #expect(conflict.severity == .warning)
    #expect(conflict.course == Town.course(4))
    #expect(conflict.schoolClass == Town.schoolClass(.second))
    #expect((conflict.minutes, conflict.limit) == (160, 120))
    #expect(conflict.dates == [Town.date(8, 31), Town.date(9, 14)])
    // A class of the seventh grade may have 180 minutes; one with a third and a seventh grade as the seventh.
    var older = town
    for index in older.classes.indices { older.classes[index].cohorts[0].entryYear = 2020 }
    #expect(ConflictChecker(older.timetable(courses([1, 3, 5, 6]))).check().filter { $0.reason == .day } == [])
    for index in older.classes.indices {
      older.classes[index].cohorts.append(SchoolClass.Cohort(entryYear: 2024, headCount: 5))
    }
    #expect(ConflictChecker(older.timetable(courses([1, 3, 5, 6]))).check().filter { $0.reason == .day } == [])
    // Without cohorts nobody knows the stage.
    for index in older.classes.indices { older.classes[index].cohorts = [] }
    #expect(ConflictChecker(older.timetable(courses([1, 2, 3, 4, 5, 6]))).check().filter { $0.reason == .day } == [])
  }

  @Test func withoutABreak() throws {
    // Ten minutes lie between the first and the second period.
    #expect(ConflictChecker(town.timetable(courses([1, 2]))).check() == [])
    var close = town
    close.policy.screenTime.breakMinutes = 11
    let conflict = try #require(screens(close, courses([1, 2])[0], courses([1, 2])[1]).first)
    #expect(conflict.reason == .continuous)
    #expect((conflict.minutes, conflict.limit) == (80, 40))
    #expect(conflict.resolutions == [.moveLesson])
    #expect(screens(close, courses([1, 3])[0], courses([1, 3])[1]) == [])
    var longer = town
    for school in Town.School.allCases { longer.ring(school, ["08:00-08:40", "08:50-09:30", "10:10-10:51"]) }
    let long = screens(longer, town.course(1, Town.weekly(1, 3)))
    #expect(long.map(\.minutes) == [41])
    #expect(long.map(\.resolutions) == [[.shorten(minutes: 40)]])
  }

  @Test func ofAWeek() {
    var town = town
    let course = town.course(1, Town.weekly(1, 3), Town.weekly(2, 3), Town.weekly(3, 3))
    // Seven local lessons and three on the screen are 30 %; of six, three are more.
    for weekday in 1...5 { town.teachLocally(.second, weekday: weekday, .period(1)) }
    town.teachLocally(.second, weekday: 4, .period(2))
    town.teachLocally(.second, weekday: 5, .period(2), .even)
    let conflicts = screens(town, course)
    #expect(conflicts.map(\.reason) == [.week])
    #expect(conflicts.map(\.minutes) == [120])
    #expect(conflicts.map(\.limit) == [108])
    #expect(conflicts.first?.dates.count == 6)
    #expect(conflicts.first?.dates.first == Town.date(8, 31))
    // Never imported: not known.
    town.locals = [:]
    #expect(screens(town, course) == [])
  }

  @Test func theLeadClassHasItsTeacher() {
    let courses = [1, 3, 5, 6].enumerated().map { index, period in
      town.course(
        UInt64(index + 1), sites: [Town.party(.second, UInt64(index % 3 + 1))], Town.weekly(1, period))
    }
    #expect(ConflictChecker(town.timetable(courses)).check() == [])
  }

  @Test func severityIsThatOfThePolicy() {
    var town = town
    town.policy.screenTime.severity = .conflict
    let conflicts = ConflictChecker(town.timetable(courses([1, 3, 5, 6]))).check()
    #expect(conflicts.map(\.severity) == [.conflict])
  }
}
