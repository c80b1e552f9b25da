// Goal: a change of one lesson is told what it would make wrong, with both sides and what helps, and nothing that is
// wrong already; rooms of single lessons count as booked. Method: a small town without faults, one thing changed at a
// time.
import Classroom
import Testing

@Suite struct LessonChangeCheckTests {
  typealias Town = ConflictTown

  private let first: Course
  private let second: Course
  private var town = Town()

  /// Two courses of different parties, on Mondays and Tuesdays in the third period, published.
  init() {
    first = town.course(1, Town.weekly(1, 3))
    second = town.course(
      2, lead: Town.party(.lead, 2), sites: [Town.party(.second, 2)], subject: "english", Town.weekly(2, 3))
    town.lessons = [first, second].flatMap { course in
      town.timetable(course).bookings().enumerated().map { index, booking in
        let id = Identifier(high: 7, low: course.id.low * 100 + UInt64(index))
        return Lesson(
          id: id, registration: id, course: course.id, cluster: course.cluster, title: "课",
          plannedStart: booking.span.lowerBound, plannedEnd: booking.span.upperBound, state: .published,
          origin: booking.origin)
      }
    }
    town.term.state = .published
  }

  private func checker(_ change: (inout Town) -> Void = { _ in }) -> ConflictChecker {
    var town = town
    change(&town)
    return ConflictChecker(town.timetable(first, second))
  }

  private func moved(_ lesson: Lesson, days: Int64 = 0, minutes: Int64 = 0) -> Lesson {
    var lesson = lesson
    lesson.plannedStart += days * 86_400_000 + minutes * 60_000
    lesson.plannedEnd += days * 86_400_000 + minutes * 60_000
    return lesson
  }

  @Test func aFreeTimeIsNoConflict() {
    #expect(checker().check() == [])
    #expect(checker().check(changing: moved(town.lessons[0], days: 1), of: first) == [])
    #expect(checker().check(changing: town.lessons[0], of: first) == [])
  }

  @Test func anotherTeacherWhoIsBusyIsTold() throws {
    var lesson = town.lessons[1]
    lesson = moved(lesson, days: 1)
    lesson.teacher = Town.person(.lead, 2)
    let conflict = try #require(checker().check(changing: lesson, of: first).first)
    #expect(conflict.code == .leadTeacher && conflict.severity == .conflict)
    #expect(conflict.course == first.id && conflict.other == .course(second.id))
    #expect(conflict.person == Town.person(.lead, 2) && conflict.dates == [Town.date(9, 8)])
    #expect(conflict.start == Town.time("10:10") && conflict.end == Town.time("10:50"))
    #expect(conflict.resolutions.contains(.moveLesson))
  }

  @Test func ofTwoLessonsOfOneCourseEitherIsTold() {
    let onto = moved(town.lessons[0], days: 7)
    #expect(checker().check(changing: onto, of: first).map(\.code) == [.leadRoom])
    let before = moved(town.lessons[1], days: -7, minutes: -10)
    let found = checker().check(changing: before, of: first)
    #expect(found.contains { $0.code == .leadRoom && $0.other == .course(first.id) })
  }

  @Test func aRoomOfOneLessonIsBookedAndItsOwnIsFree() throws {
    var town = town
    let date = town.lessons[0].plannedStart
    // The second course comes into the first one's site room at another time: free.
    var visiting = town.lessons[4]
    visiting.plannedStart = date
    visiting.plannedEnd = date + 40 * 60_000
    let into = [RoomChange(from: Town.room(.second, 2), to: Town.room(.second, 1))]
    let taken = checker().check(changing: visiting, of: second, roomChanges: into)
    #expect(taken.map(\.code) == [.siteRoom])
    #expect(taken.first?.room == Town.room(.second, 1) && taken.first?.other == .course(first.id))
    // Once the first course's lesson is in another room, its own is free, and that one is taken.
    town.lessons[4] = visiting
    var timetable = town.timetable(first, second)
    timetable.roomChanges = [
      town.lessons[0].id: [RoomChange(from: Town.room(.second, 1), to: Town.room(.second, 3))],
      visiting.id: into,
    ]
    #expect(ConflictChecker(timetable).check() == [])
    timetable.roomChanges[visiting.id] = [RoomChange(from: Town.room(.second, 2), to: Town.room(.second, 3))]
    let conflict = try #require(ConflictChecker(timetable).check().first)
    #expect(conflict.code == .siteRoom && conflict.room == Town.room(.second, 3))
    #expect(conflict.dates == [Town.date(8, 31)])
    // Nor is a changed room offered as free.
    let lead = Course.Party(room: Town.room(.third, 1))
    let windows = ConflictChecker(timetable).free(
      FreeRequest(lead: lead, sites: [Course.Party(room: Town.room(.second, 3))], mode: .research))
    #expect(!windows.contains { $0.weekday == 1 && $0.period == 3 && $0.weeks == .all })
    #expect(windows.contains { $0.weekday == 1 && $0.period == 4 && $0.weeks == .all })
  }

  @Test func aChangedLeadRoomCounts() {
    let change = [RoomChange(from: Town.room(.lead, 1), to: Town.room(.lead, 2))]
    #expect(checker().check(changing: town.lessons[0], of: first, roomChanges: change) == [])
    let meeting = moved(town.lessons[0], days: 1)
    #expect(checker().check(changing: meeting, of: first, roomChanges: change).map(\.code) == [.leadRoom])
  }

  @Test func aRoomThatWasNeverAcceptedOrHasAThinLineIsTold() {
    let change = [RoomChange(from: Town.room(.second, 1), to: Town.room(.second, 3))]
    let found = checker { town in
      town.change(room: Town.room(.second, 3)) {
        $0.acceptedAt = nil
        $0.downlink = 10
      }
    }.check(changing: town.lessons[0], of: first, roomChanges: change)
    #expect(found.map(\.code) == [.siteBandwidth, .unacceptedRoom])
    #expect(found.map(\.severity) == [.conflict, .warning])
    #expect(found.allSatisfy { $0.room == Town.room(.second, 3) && $0.dates == [Town.date(8, 31)] })
  }

  @Test func whatIsWrongAlreadyIsNotToldAgain() {
    // Forced earlier: both courses of one teacher at one time.
    var busy = moved(town.lessons[0], days: 1)
    busy.teacher = Town.person(.lead, 2)
    let checker = checker { $0.lessons[0] = busy }
    #expect(checker.check().map(\.code) == [.leadTeacher])
    #expect(checker.check(changing: busy, of: first) == [])
    let roomy = [RoomChange(from: Town.room(.second, 1), to: Town.room(.second, 3))]
    #expect(checker.check(changing: busy, of: first, roomChanges: roomy) == [])
    // The teacher goes with the lesson: a week later it is another conflict, and no longer the old one.
    let later = checker.check(changing: moved(busy, days: 7), of: first)
    #expect(later.contains { $0.code == .leadTeacher && $0.dates == [Town.date(9, 8)] })
    #expect(later.allSatisfy { $0.dates == [Town.date(9, 8)] })
  }

  @Test func anAddedLessonIsHeldAgainstADraftAndItsOwnCourse() {
    var draft = town
    draft.lessons = []
    draft.term.state = .draft
    let checker = ConflictChecker(draft.timetable(first, second))
    let id = Identifier(high: 0, low: 0)
    func added(_ course: Course, _ day: Int, _ time: String) -> Lesson {
      let start = CivilTime.instant(Town.date(9, day), Town.time(time))
      return Lesson(
        id: id, registration: id, course: course.id, cluster: course.cluster, title: "补课", plannedStart: start,
        plannedEnd: start + 40 * 60_000, state: .published)
    }
    #expect(checker.check(changing: added(first, 9, "10:10"), of: first) == [])
    #expect(checker.check(changing: added(first, 7, "10:10"), of: first).map(\.code) == [.leadRoom])
    var other = added(first, 8, "10:10")
    other.teacher = Town.person(.lead, 2)
    #expect(checker.check(changing: other, of: first).map(\.code) == [.leadTeacher])
    // Once it is there, a second one is held against it.
    draft.lessons = [added(first, 9, "10:10")]
    draft.lessons[0].id = Identifier(high: 7, low: 900)
    let later = ConflictChecker(draft.timetable(first, second))
    #expect(later.check() == [])
    #expect(later.check(changing: added(first, 9, "10:20"), of: first).contains { $0.code == .leadRoom })
  }
}
