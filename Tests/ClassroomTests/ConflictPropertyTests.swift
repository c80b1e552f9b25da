// Goal: a checker that courses came to and went from says what a new one says, and a later course is all that an
// addition adds. Method: random towns in which much is wrong, checked in every order of building them.
import Classroom
import Testing

@Suite struct ConflictPropertyTests {
  /// What later courses may change of a conflict told before them are the resolutions they stand in the way of.
  private func plain(_ conflicts: [Conflict]) -> [Conflict] {
    conflicts.map { conflict in
      var plain = conflict
      plain.resolutions = []
      return plain
    }
  }

  @Test(arguments: UInt64(1)...24) func addingIsCheckingTheRest(seed: UInt64) throws {
    let town = ConflictTown.random(seed: seed)
    let whole = ConflictChecker(town.timetable(town.courses)).check()
    #expect(!whole.isEmpty)
    var checker = ConflictChecker(town.timetable([]))
    #expect(checker.check() == [])
    var grown: [Conflict] = []
    for course in town.courses {
      let before = checker.check()
      let added = checker.check(adding: course)
      #expect(added.allSatisfy { $0.course == course.id })
      grown += added
      checker.add(course)
      #expect(plain(checker.check()) == plain(before + added))
    }
    #expect(plain(grown) == plain(whole))
    #expect(checker.check() == whole)
  }

  @Test(arguments: UInt64(1)...16) func removingLeavesNothingBehind(seed: UInt64) throws {
    let town = ConflictTown.random(seed: seed)
    var generator = SeededGenerator(seed: seed &+ 1_000)
    var checker = ConflictChecker(town.timetable(town.courses))
    var courses = town.courses
    for _ in 0..<6 {
      let place = Int.random(in: courses.indices, using: &generator)
      var course = courses.remove(at: place)
      let others = ConflictChecker(town.timetable(courses))
      // A course is in nobody's way when it is checked in its own place.
      #expect(checker.check(adding: course) == others.check(adding: course))
      if Bool.random(using: &generator) {
        checker.remove(course.id)
      } else {
        course = town.randomCourse(course.id.low, &generator)
        checker.add(course)
        courses.append(course)
      }
      #expect(checker.check() == ConflictChecker(town.timetable(courses)).check())
    }
    checker.remove(ConflictTown.course(99))
    for course in courses { checker.remove(course.id) }
    #expect(checker.check() == [])
  }

  @Test(arguments: UInt64(1)...30) func resolutionsDoResolve(seed: UInt64) throws {
    let town = ConflictTown.random(seed: seed)
    let checker = ConflictChecker(town.timetable(town.courses))
    for course in town.courses {
      for conflict in checker.check(adding: course) {
        // Which of several weekly times it is about is not said: one may be meant, so courses with one are looked at.
        guard course.weeklyTimes.count == 1 else { continue }
        for resolution in conflict.resolutions {
          var changed = course
          switch resolution {
          case .siteAdoptsLeadBell(let room): changed.weeklyTimes[0].adoptedBy.append(room)
          case .shorten(let minutes): changed.weeklyTimes[0].minutes = minutes
          default: continue
          }
          let left = checker.check(adding: changed).filter { other in
            other.severity == conflict.severity && other.code == conflict.code && other.other == conflict.other
              && other.room == conflict.room && other.reason == conflict.reason && other.person == conflict.person
              && other.schoolClass == conflict.schoolClass
          }
          // Another lesson of the same local subject may be in the way on other dates.
          #expect(left.allSatisfy { Set($0.dates).isDisjoint(with: conflict.dates) }, "\(conflict) \(resolution)")
        }
      }
    }
  }
}
