// Goal: weekly times become the dated lessons that people would write down, and what was is not changed by what a
// school becomes. Method: one course through an autumn term with its holiday, 调休, seasons and a school that counts its
// own weeks; the same term before and after the school is closed.
import Classroom
import Testing

@Suite struct OccurrenceTests {
  static func id(_ number: UInt64) -> Identifier { Identifier(high: 9, low: number) }
  static func date(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }

  static func bells(_ starts: [String], from: String? = nil, weekdays: [Int] = Array(1...7)) throws -> BellSchedule {
    BellSchedule(
      id: id(50), institution: id(1), name: "作息", from: try from.map(date), weekdays: weekdays,
      periods: try starts.enumerated().map { index, start in
        let start = try #require(ClockTime(start))
        return .init(number: index + 1, start: start, end: start + 40)
      })
  }

  static func timetable(
    _ times: [Course.WeeklyTime], rules: [CalendarRule] = [], deviations: [Term.Deviation] = [],
    bells: [BellSchedule]
  ) throws -> Timetable {
    Timetable(
      term: Term(
        id: id(2), code: "2026-2027-1", name: "秋季", firstDay: try date("2026-09-01"), weeks: 6, rules: rules,
        deviations: deviations),
      institutions: [Institution(id: id(1), kind: .school, name: "中心小学", region: "东江县")],
      rooms: [Room(id: id(3), institution: id(1), number: "C01-1", name: "主讲教室")],
      courses: [
        Course(
          id: id(4), cluster: id(5), term: "2026-2027-1", subject: "music", grades: [3], lead: .init(room: id(3)),
          receivers: [], weeklyTimes: times)
      ], bells: bells)
  }

  static func dated(_ timetable: Timetable) -> [String] {
    timetable.occurrences(of: timetable.courses[0]).dated.map { "\($0.date) \($0.start)-\($0.end)" }
  }

  @Test func weeksSeasonsAndShorterLessons() throws {
    let timetable = try Self.timetable(
      [
        .init(weekday: 2, period: 1, weeks: .odd), .init(weekday: 4, period: 2, weeks: WeekSet([2, 6]), minutes: 35),
        .init(weekday: 5, period: 1, weeks: WeekSet([3]), minutes: 120),
      ], bells: [Self.bells(["08:00", "08:50"]), Self.bells(["08:30", "09:20"], from: "2026-09-28")])
    #expect(
      Self.dated(timetable) == [
        "2026-09-01 08:00-08:40", "2026-09-10 08:50-09:25", "2026-09-15 08:00-08:40", "2026-09-18 08:00-08:40",
        "2026-09-29 08:30-09:10", "2026-10-08 09:20-09:55",
      ])
    let (dated, undated) = timetable.occurrences(of: timetable.courses[0])
    #expect(undated.isEmpty)
    #expect(dated[0].span == CivilTime.instant(dated[0].date, dated[0].start)..<1_788_223_200_000)
    #expect(dated[0].day.week == 1 && dated[0].day.rule == nil && dated[1].weeklyTime == 1)
    #expect(dated[1].origin == LessonOrigin(date: try Self.date("2026-09-10"), period: 2))
  }

  @Test func holidaysFallOutAndExchangedDaysBringBack() throws {
    let rules = [
      CalendarRule(
        from: try Self.date("2026-10-01"), through: try Self.date("2026-10-07"), kind: .holiday, name: "国庆节"),
      CalendarRule(
        from: try Self.date("2026-10-10"), through: try Self.date("2026-10-10"), kind: .follows(weekday: 4, week: 5)),
      CalendarRule(
        from: try Self.date("2026-09-17"), through: try Self.date("2026-09-17"), part: .morning,
        kind: .follows(weekday: 2, week: nil)),
    ]
    let timetable = try Self.timetable([.init(weekday: 4, period: 1)], rules: rules, bells: [Self.bells(["08:00"])])
    let (dated, undated) = timetable.occurrences(of: timetable.courses[0])
    // Thursday the 17th teaches Tuesday's morning; Saturday the 10th of October teaches the Thursday of week 5.
    #expect(
      dated.map(\.date.description) == ["2026-09-03", "2026-09-10", "2026-09-24", "2026-10-08", "2026-10-10"])
    #expect(dated.last?.day.weekday == 4 && dated.last?.day.week == 5 && dated.last?.day.rule == rules[1])
    #expect(undated.map(\.date.description) == ["2026-10-01"])
    #expect(undated.first?.reason == .holiday(rules[0]))
    // In an afternoon period the morning's rule is nobody's business.
    let later = try Self.timetable([.init(weekday: 4, period: 1)], rules: rules, bells: [Self.bells(["14:00"])])
    #expect(Self.dated(later).contains("2026-09-17 14:00-14:40"))
  }

  @Test func timesWithoutABellFallOutOnlyWhereTheyWereTaught() throws {
    let rules = [
      CalendarRule(from: try Self.date("2026-10-02"), through: try Self.date("2026-10-02"), kind: .holiday),
      CalendarRule(
        from: try Self.date("2026-09-12"), through: try Self.date("2026-09-12"),
        kind: .follows(weekday: 5, week: nil)),
      CalendarRule(
        from: try Self.date("2026-09-18"), through: try Self.date("2026-09-18"),
        kind: .follows(weekday: 1, week: nil)),
    ]
    let timetable = try Self.timetable(
      [.init(weekday: 5, period: 7, weeks: WeekSet(1...5))], rules: rules, bells: [Self.bells(["08:00"])])
    let (dated, undated) = timetable.occurrences(of: timetable.courses[0])
    #expect(dated.isEmpty)
    // The 18th is taught as a Monday: its Friday was never to be.
    #expect(
      undated.map { "\($0.date) \($0.reason == .noPeriod)" } == [
        "2026-09-04 true", "2026-09-11 true", "2026-09-12 true", "2026-09-25 true", "2026-10-02 false",
      ])
  }

  @Test func singleAndDoubleWeeksFollowTheSchoolsOwnCount() throws {
    let own = Term.Deviation(institution: Self.id(1), firstDay: try Self.date("2026-09-07"))
    let times = [Course.WeeklyTime(weekday: 1, period: 1, weeks: .even)]
    let county = try Self.timetable(times, bells: [Self.bells(["08:00"])])
    let school = try Self.timetable(times, deviations: [own], bells: [Self.bells(["08:00"])])
    #expect(Self.dated(county).map { $0.prefix(10) } == ["2026-09-07", "2026-09-21", "2026-10-05"])
    #expect(Self.dated(school).map { $0.prefix(10) } == ["2026-09-14", "2026-09-28", "2026-10-12"])
  }

  @Test func unknownAndHostileValuesHaveNoLessonsOrFewEnough() throws {
    var timetable = try Self.timetable([.init(weekday: 4, period: 1)], bells: [])
    #expect(Self.dated(timetable).isEmpty)
    #expect(timetable.occurrences(of: timetable.courses[0]).undated.count == 6)
    timetable.rooms = [:]
    #expect(timetable.occurrences(of: timetable.courses[0]).undated.isEmpty)
    // At the end of the calendar no date comes twice.
    var last = try Self.timetable((1...7).map { .init(weekday: $0, period: 1) }, bells: [Self.bells(["23:30"])])
    last.term.firstDay = try Self.date("2999-12-31")
    last.term.weeks = .max
    #expect(Self.dated(last) == ["2999-12-30 23:30-24:00", "2999-12-31 23:30-24:00"])
    var course = last.courses[0]
    course.weeklyTimes = [.init(weekday: .max, period: .min, weeks: .none)]
    #expect(last.occurrences(of: course).dated.isEmpty)
  }

  @Test func twoTimesAtOnceAreRefused() throws {
    var course = try Self.timetable([], bells: []).courses[0]
    course.weeklyTimes = [.init(weekday: 1, period: 1, weeks: .odd), .init(weekday: 1, period: 1, weeks: .even)]
    try course.validate()
    course.weeklyTimes[1].weeks = WeekSet(2...3)
    #expect(throws: ClassroomError.duplicate) { try course.validate() }
  }

  /// Merging and closing leave past figures unchanged.
  @Test func closingASchoolChangesNothingBefore() throws {
    let open = try Self.timetable([.init(weekday: 2, period: 1)], bells: [Self.bells(["08:00"])])
    var closed = open
    let end = CivilTime.instant(try Self.date("2027-08-31"), .noon)
    closed.institutions[Self.id(1)]?.validUntil = end
    closed.institutions[Self.id(1)]?.successor = Self.id(60)
    closed.institutions[Self.id(60)] = Institution(
      id: Self.id(60), kind: .school, name: "合并小学", region: "东江县", validFrom: end)
    try #require(closed.institutions[Self.id(1)]).validate()
    let (before, after) = (open.occurrences(of: open.courses[0]), closed.occurrences(of: closed.courses[0]))
    #expect(before.dated.count == 6)
    #expect(before.dated == after.dated && before.undated == after.undated)
    #expect(closed.institution(ofRoom: Self.id(3))?.id == Self.id(1), "rooms stay where they were")
    #expect(closed.institutions[Self.id(1)]?.name == "中心小学")
    var wrong = try #require(closed.institutions[Self.id(1)])
    wrong.successor = wrong.id
    #expect(throws: ClassroomError.duplicate) { try wrong.validate() }
    wrong.successor = nil
    wrong.validFrom = end + 1
    #expect(throws: ClassroomError.badRange) { try wrong.validate() }
  }

  @Test func personsAreKnownByNumberOrAccount() throws {
    let first = Person(id: Self.id(1), institution: Self.id(8), name: "李芳", staffNumber: "0012")
    var second = first
    second.id = Self.id(2)
    second.staffNumber = "0013"
    #expect(first != second, "one name, two people")
    for person in [first, second] { try person.validate() }
    try Person(id: Self.id(3), institution: nil, name: "王敏", issuer: "https://id.example", subject: "7").validate()
    for wrong in [
      Person(id: Self.id(4), institution: Self.id(8), name: "李芳"),
      Person(id: Self.id(4), institution: Self.id(8), name: "李芳", subject: "7"),
      Person(id: Self.id(4), institution: Self.id(8), name: "李芳", staffNumber: "1", issuer: "https://id.example"),
    ] { #expect(throws: ClassroomError.badCode) { try wrong.validate() } }
    var unnamed = first
    unnamed.name = "李\n芳"
    #expect(throws: ClassroomError.badName) { try unnamed.validate() }
  }

  @Test func localLessonsHaveATime() throws {
    let good = LocalLesson(
      institution: Self.id(1), term: "2026-2027-1", schoolClass: Self.id(2), subject: "语文", weekday: 1,
      time: .period(1))
    try good.validate()
    func refuses(_ error: ClassroomError, _ change: (inout LocalLesson) -> Void) {
      var lesson = good
      change(&lesson)
      #expect(throws: error) { try lesson.validate() }
    }
    for weekday in [0, 8, Int.min, Int.max] { refuses(.badRange) { $0.weekday = weekday } }
    for number in [0, 21, Int.min, Int.max] { refuses(.badRange) { $0.time = .period(number) } }
    refuses(.badRange) { $0.time = .clock(.noon, .noon) }
    refuses(.badRange) { $0.time = .clock(.noon, .noon + -1) }
    refuses(.badRange) { $0.weeks = .none }
    refuses(.badName) { $0.subject = "" }
    refuses(.badName) { $0.term = String(repeating: "1", count: 41) }
    var clock = good
    clock.time = .clock(.noon, .noon + 40)
    try clock.validate()
  }
}
