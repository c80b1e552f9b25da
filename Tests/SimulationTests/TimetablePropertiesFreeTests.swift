// Goal: `free` never offers a window with a conflict in it and never hides one without. Method: courses of random small
// counties, each weekly time tried by `BruteForce` week by week.
import Classroom
import Simulation
import Testing

@Suite struct TimetablePropertiesFreeTests {
  /// What is free at one weekly time.
  struct Expected {
    /// Weeks asked for in which it is taught at least once, and those of them without a conflict.
    var taught: Set<Int> = []
    var free: Set<Int> = []
    /// Whether no week asked for has a conflict.
    var isWhole = true
    /// How many of its lessons without a conflict are at which time.
    var times: [Range<Int>: Int] = [:]
  }

  static func expected(_ world: BruteForce, _ course: Course, _ request: FreeRequest) -> Expected {
    var result = Expected()
    let (lessons, findings) = world.adding(course)
    let wrong = findings.filter { $0.severity == .conflict }
    var bad: Set<Int> = []
    for lesson in lessons where wrong.contains(where: { $0.date == lesson.date }) { bad.insert(lesson.week) }
    // A week in which the lesson falls out for want of a bell is no free one.
    for finding in wrong where !lessons.contains(where: { $0.date == finding.date }) {
      guard let lead = world.timetable.institution(ofRoom: course.lead.room) else { continue }
      for minute in [0, 720] {
        if let day = world.taught(lead, finding.date, minute), day.weekday == course.weeklyTimes[0].weekday {
          bad.insert(day.week)
        }
      }
    }
    result.taught = Set(lessons.map(\.week))
    result.free = result.taught.subtracting(bad)
    result.isWhole = bad.isEmpty
    for lesson in lessons where result.free.contains(lesson.week) { result.times[lesson.minutes, default: 0] += 1 }
    return result
  }

  static func compare(_ world: BruteForce, _ request: FreeRequest, _ windows: [FreeWindow], _ seed: UInt64) -> Int {
    var offered = 0
    for weekday in 1...7 {
      for period in 1...9 {
        let course = Course(
          id: Identifier(high: 1, low: 1), cluster: Identifier(high: 1, low: 2), term: "",
          subject: request.subject ?? "",
          grades: request.grades, lead: request.lead, receivers: request.sites, mode: request.mode,
          weeklyTimes: [.init(weekday: weekday, period: period, weeks: request.weeks, minutes: request.minutes)])
        let expected = expected(world, course, request)
        let place = "seed \(seed), weekday \(weekday), period \(period)"
        let window = windows.first { $0.weekday == weekday && $0.period == period }
        #expect((window != nil) == !expected.free.isEmpty, "\(place): \(expected)")
        guard let window else { continue }
        offered += 1
        #expect((window.weeks == request.weeks) == expected.isWhole, "\(place)")
        #expect(expected.taught.filter(window.weeks.contains) == expected.free, "\(place)")
        let times = window.start.minute..<window.end.minute
        #expect(expected.times[times] == expected.times.values.max(), "\(place)")
        for (site, party) in zip(window.sites, request.sites.filter { world.timetable.rooms[$0.room] != nil }) {
          #expect(site.room == party.room)
          guard let row = party.schoolClass, request.mode != .research else { continue }
          #expect(site.isKnown == (world.timetable.localLessons[row] != nil), "\(place)")
        }
      }
    }
    return offered
  }

  @Test(arguments: 0..<6 as Range<UInt64>) func freeAgreesWithBruteForce(block: UInt64) {
    var offered = 0
    for seed in block * 10 + 5_000..<block * 10 + 5_010 {
      var (timetable, bells) = TimetablePropertiesTests.timetable(seed)
      timetable.policy.relaySeats += 4
      let course = timetable.courses[Int(seed) % timetable.courses.count]
      var request = FreeRequest(for: course, weeks: seed % 3 == 0 ? .odd : .all, minutes: seed % 4 == 0 ? 35 : nil)
      request.cluster = nil
      let checker = ConflictChecker(timetable)
      let windows = checker.free(request)
      let keys = windows.map { $0.weekday * 100 + $0.period }
      #expect(Set(keys).count == keys.count, "seed \(seed)")
      let whole = windows.map { $0.weeks == request.weeks }
      #expect(whole.drop { $0 }.allSatisfy { !$0 }, "seed \(seed): those of all weeks come first")
      timetable.courses.removeAll { $0.id == course.id }
      // What is wrong with a course whatever the day leaves no window.
      var bare = course
      bare.weeklyTimes = []
      let general = ConflictChecker(timetable).check(adding: bare)
      if general.contains(where: {
        $0.severity == .conflict && $0.code != .unpairedInstitution && $0.reason != .leadOnlyReceives
      }) {
        #expect(windows.isEmpty, "seed \(seed)")
        continue
      }
      if general.contains(where: { $0.reason == .unknownRoom || $0.reason == .noParent }) { continue }
      offered += Self.compare(BruteForce(timetable, bells: bells), request, windows, seed)
    }
    #expect(offered > 20, "the counties are worth comparing")
  }
}

/// Cases that random counties of the generator do not have.
@Suite struct TimetablePropertiesFixedTests {
  static func id(_ number: UInt64) -> Identifier { Identifier(high: 7, low: number) }

  static func schedule(_ count: Int, from: String?, through: String?) throws -> BellSchedule {
    BellSchedule(
      id: id(UInt64(count)), institution: id(1), name: "作息", from: from.flatMap { CivilDate($0) },
      through: through.flatMap { CivilDate($0) },
      periods: try (1...count).map { number in
        let start = try #require(ClockTime(hour: 8 + number, minute: 0))
        return .init(number: number, start: start, end: start + 40)
      })
  }

  /// A day of 调休 teaches week 2 once more, in a season whose bells lack the period: week 2 is no free one.
  @Test func aWeekThatFallsOutOnAnExchangedDayIsNotOffered() throws {
    let bells = [
      try Self.schedule(3, from: nil, through: "2026-09-30"), try Self.schedule(2, from: "2026-10-01", through: nil),
    ]
    let saturday = try #require(CivilDate("2026-10-10"))
    let timetable = Timetable(
      term: Term(
        id: Self.id(9), code: "2026-2027-1", name: "秋季", firstDay: try #require(CivilDate("2026-09-14")), weeks: 4,
        rules: [CalendarRule(from: saturday, through: saturday, kind: .follows(weekday: 3, week: 2))]),
      institutions: [Institution(id: Self.id(1), kind: .school, name: "中心小学")],
      rooms: [
        Room(
          id: Self.id(2), institution: Self.id(1), number: "1", name: "甲", acceptedAt: 1, downlink: 9_000,
          uplink: 9_000),
        Room(
          id: Self.id(3), institution: Self.id(1), number: "2", name: "乙", acceptedAt: 1, downlink: 9_000,
          uplink: 9_000),
      ], bells: bells)
    let request = FreeRequest(lead: .init(room: Self.id(2)), sites: [.init(room: Self.id(3))], weeks: WeekSet(1...3))
    let windows = ConflictChecker(timetable).free(request)
    #expect(windows.contains { $0.weekday == 3 && $0.period == 1 && $0.weeks == WeekSet(1...3) })
    #expect(windows.first { $0.weekday == 3 && $0.period == 3 }?.weeks == WeekSet([1, 3]))
    #expect(TimetablePropertiesFreeTests.compare(BruteForce(timetable, bells: bells), request, windows, 0) > 10)
  }
}
