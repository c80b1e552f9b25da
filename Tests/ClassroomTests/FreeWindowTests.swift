// Goal: every window that is offered is free, and every free one is offered, the best first. Method: random towns where
// each weekly time of the lead is held against the checker, and a small town for the order.
import Classroom
import Testing

@Suite struct FreeWindowTests {
  typealias Town = ConflictTown

  @Test func offeredIsFreeAndFreeIsOffered() {
    var (whole, partial, none) = (0, 0, 0)
    for seed in UInt64(1)...12 {
      var town = Town.random(seed: seed, courses: 6)
      for index in town.cluster.members.indices { town.cluster.members[index].leads = true }
      let timetable = town.timetable(town.courses)
      let checker = ConflictChecker(timetable)
      var generator = SeededGenerator(seed: seed &+ 500)
      // One that is moved, and two new ones.
      let courses = [town.courses[2], town.randomCourse(101, &generator), town.randomCourse(102, &generator)]
      for (course, weeks) in zip(courses, [WeekSet.all, .odd, WeekSet([2, 3, 4])]) {
        let request = FreeRequest(for: course, weeks: weeks, minutes: weeks == .odd ? 35 : nil)
        let windows = checker.free(request)
        #expect(Set(windows.map { [$0.weekday, $0.period] }).count == windows.count)
        for place in 0..<42 {
          let window = windows.first { $0.weekday == place / 6 + 1 && $0.period == place % 6 + 1 }
          compare(window, with: course, request, timetable, checker, place, "seed \(seed), place \(place)")
          if let window { if window.weeks == weeks { whole += 1 } else { partial += 1 } } else { none += 1 }
        }
      }
    }
    #expect(whole > 50 && partial > 50 && none > 50)
  }

  private func compare(
    _ window: FreeWindow?, with course: Course, _ request: FreeRequest, _ timetable: Timetable,
    _ checker: ConflictChecker, _ place: Int, _ comment: Comment
  ) {
    func isFree(_ weeks: WeekSet) -> Bool {
      var course = course
      course.weeklyTimes = [Town.weekly(place / 6 + 1, place % 6 + 1, weeks, minutes: request.minutes)]
      return checker.check(adding: course).allSatisfy { $0.severity != .conflict }
    }
    var course = course
    course.weeklyTimes = [Town.weekly(place / 6 + 1, place % 6 + 1, request.weeks)]
    let isTaught = !timetable.bookings(of: course).isEmpty
    #expect((window?.weeks == request.weeks) == (isTaught && isFree(request.weeks)), comment)
    let free = WeekSet((1...4).filter { request.weeks.contains($0) && isFree(WeekSet([$0])) })
    if let window {
      #expect(isFree(window.weeks), comment)
      // Together, weeks may be too much for the eyes.
      if timetable.policy.screenTime.severity != .conflict {
        #expect(window.weeks.intersection(WeekSet(1...4)) == free, comment)
      }
    } else {
      course.weeklyTimes[0].weeks = free
      #expect(free.isEmpty || timetable.bookings(of: course).isEmpty, comment)
    }
  }

  @Test func theBestComesFirst() throws {
    var town = ConflictTown()
    // The site's second lesson begins 5 minutes later, its third ends 4 minutes early; its fourth is 8 minutes off.
    town.ring(
      .second, ["08:00-08:40", "08:55-09:35", "10:10-10:46", "11:08-11:48", "14:00-14:40", "14:50-15:30"],
      weekdays: [1])
    town.ring(.lead, Town.bell, weekdays: [1])
    town.teachLocally(.second, weekday: 1, .period(5), .odd)
    let course = town.course(1)
    let windows = ConflictChecker(town.timetable(course)).free(FreeRequest(for: course, weeks: WeekSet(1...4)))
    #expect(windows.map(\.period) == [1, 6, 3, 2, 5])
    #expect(windows.map { $0.sites[0].overlapMinutes } == [40, 40, 36, 35, 40])
    #expect(windows.map { $0.sites[0].misfit } == [0, 0, 4, 5, 0])
    #expect(windows.map(\.weeks.numbers) == [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4], [2, 4]])
    #expect(windows.allSatisfy { $0.sites.map(\.isKnown) == [true] && $0.weekday == 1 })
    #expect(windows.first?.start == Town.time("08:00"))
    #expect(windows.first?.end == Town.time("08:40"))
    town.locals = [:]
    let unknown = ConflictChecker(town.timetable(course)).free(FreeRequest(for: course))
    #expect(unknown.map(\.period) == [1, 5, 6, 3, 2])
    #expect(unknown.allSatisfy { $0.weeks == .all && $0.sites.map(\.isKnown) == [false] })
  }

  @Test func theSubjectFillsItsOwnSlot() {
    var town = ConflictTown()
    for period in 1...6 {
      town.teachLocally(.second, subject: period == 4 ? "music" : "chinese", weekday: 3, .period(period))
    }
    func wednesdays(_ subject: String?) -> [Int] {
      let request = FreeRequest(
        lead: Town.party(.lead), sites: [Town.party(.second)], cluster: town.cluster.id, subject: subject)
      return ConflictChecker(town.timetable()).free(request).filter { $0.weekday == 3 }.map(\.period)
    }
    #expect(wednesdays("music") == [4])
    #expect(wednesdays("art") == [])
    #expect(wednesdays(nil) == [])
  }

  @Test func theUsualSeasonSaysWhen() {
    var town = ConflictTown()
    var winter = town.bells[0]
    winter.from = Town.date(9, 14)
    winter.through = Town.date(9, 20)
    winter.periods[2].start = Town.time("10:12")
    town.bells.append(winter)
    let course = town.course(1)
    let window = ConflictChecker(town.timetable()).free(FreeRequest(for: course)).first { $0.period == 3 }
    #expect(window?.start == Town.time("10:10"))
    #expect(window?.weeks == .all)
    #expect(window?.sites.map(\.misfit) == [2])
    #expect(window?.sites.map(\.overlapMinutes) == [38])
  }

  @Test func nothingIsOfferedWhereNothingHelps() {
    let town = ConflictTown()
    let checker = ConflictChecker(town.timetable())
    let whole = checker.free(FreeRequest(for: town.course(1)))
    #expect(whole.count == 30)
    #expect(checker.free(FreeRequest(for: town.course(1, sites: [Town.party(.stranger)]))) == [])
    #expect(
      checker.free(FreeRequest(for: town.course(1, lead: Town.party(.second), sites: [Town.party(.third)]))) == [])
    #expect(checker.free(FreeRequest(lead: Course.Party(room: Identifier(high: 0, low: 5)), sites: [])) == [])
    // Without a cluster nobody is a stranger.
    let open = FreeRequest(lead: Town.party(.second), sites: [Town.party(.stranger)])
    #expect(checker.free(open).count == 30)
  }
}
