// Goal: a school's bell rings by the season and the weekday that are taught. Method: schools with seasons, a short
// Friday and open ends, asked on the days around each change; schedules that no school can keep.
import Classroom
import Testing

@Suite struct BellScheduleTests {
  static let school = Identifier(high: 1, low: 1)

  static func date(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }
  static func period(_ number: Int, _ start: String, _ end: String) throws -> BellSchedule.Period {
    .init(number: number, start: try #require(ClockTime(start)), end: try #require(ClockTime(end)))
  }

  /// First periods that tell the schedules apart by their start.
  static func schedule(
    _ start: String, from: String? = nil, through: String? = nil, weekdays: [Int] = Array(1...7)
  ) throws -> BellSchedule {
    let time = try #require(ClockTime(start))
    return BellSchedule(
      id: Identifier(high: 2, low: UInt64(time.minute)), institution: school, name: "作息", from: try from.map(date),
      through: try through.map(date), weekdays: weekdays, periods: [.init(number: 1, start: time, end: time + 40)])
  }

  static func start(_ bells: SchoolBells, _ text: String, _ weekday: Int? = nil) throws -> String? {
    let date = try date(text)
    return bells.period(1, on: date, weekday: weekday ?? date.weekday)?.start.description
  }

  @Test func seasonsFollowEachOther() throws {
    let bells = SchoolBells([
      try Self.schedule("08:00", through: "2026-09-30"), try Self.schedule("08:30", from: "2026-10-01"),
    ])
    #expect(try Self.start(bells, "2026-09-30") == "08:00")
    #expect(try Self.start(bells, "2026-10-01") == "08:30")
    #expect(try Self.start(bells, "2999-12-31") == "08:30")
  }

  @Test func theNarrowerScheduleWinsInAnyOrder() throws {
    let all = [
      try Self.schedule("08:00"), try Self.schedule("08:10", from: "2026-10-01"),
      try Self.schedule("08:20", from: "2026-10-01", through: "2027-03-31"),
      try Self.schedule("08:30", from: "2026-10-01", through: "2027-03-31", weekdays: [5]),
      try Self.schedule("08:40", from: "2026-11-01", through: "2026-11-08"),
    ]
    for schedules in [all, all.reversed(), [all[2], all[4], all[0], all[3], all[1]]] {
      let bells = SchoolBells(schedules)
      #expect(try Self.start(bells, "2026-09-30") == "08:00")
      #expect(try Self.start(bells, "2026-10-01") == "08:20")
      #expect(try Self.start(bells, "2026-10-02") == "08:30", "a Friday")
      #expect(try Self.start(bells, "2026-11-06") == "08:40", "a Friday of the narrowest season")
      #expect(try Self.start(bells, "2027-04-01") == "08:10")
      // 调休: the bells are those of the weekday that is followed.
      #expect(try Self.start(bells, "2026-10-10", 5) == "08:30")
    }
  }

  @Test func daysWithoutBellsHaveNone() throws {
    let bells = SchoolBells([try Self.schedule("08:00", from: "2026-09-01", through: "2026-09-30", weekdays: [1, 2])])
    #expect(try Self.start(bells, "2026-09-01") == "08:00")
    #expect(try Self.start(bells, "2026-09-02") == nil)
    #expect(try Self.start(bells, "2026-10-05") == nil)
    let date = try Self.date("2026-09-01")
    #expect(bells.period(2, on: date, weekday: 2) == nil)
    #expect(bells.periods(on: date, weekday: 9).isEmpty)
    #expect(SchoolBells([]).periods(on: date, weekday: 1).isEmpty)
  }

  @Test func touchingIsHalfOpen() throws {
    let third = try Self.period(3, "10:10", "10:50")
    #expect(third.minutes == 40)
    for (start, end, touches) in [
      ("09:30", "10:10", false), ("10:50", "11:30", false), ("10:49", "11:29", true), ("09:31", "10:11", true),
      ("10:20", "10:30", true), ("09:00", "12:00", true),
    ] {
      #expect(third.touches(try #require(ClockTime(start)), try #require(ClockTime(end))) == touches, "\(start)")
    }
  }

  @Test func schedulesNoSchoolCanKeepAreRefused() throws {
    let good = BellSchedule(
      id: Self.school, institution: Self.school, name: "夏季作息",
      periods: [try Self.period(1, "08:00", "08:40"), try Self.period(2, "08:40", "09:20")])
    try good.validate()
    func refuses(_ error: ClassroomError, _ change: (inout BellSchedule) throws -> Void) throws {
      var schedule = good
      try change(&schedule)
      #expect(throws: error) { try schedule.validate() }
    }
    try refuses(.badRange) { $0.periods[1].start = try #require(ClockTime("08:39")) }
    try refuses(.badRange) { $0.periods[1].end = $0.periods[1].start }
    try refuses(.badRange) { $0.periods.swapAt(0, 1) }
    try refuses(.duplicate) { $0.periods[1].number = 1 }
    for number in [0, 21, Int.min, Int.max] { try refuses(.badRange) { $0.periods[1].number = number } }
    try refuses(.badRange) { $0.weekdays = [] }
    try refuses(.badRange) { $0.weekdays = [1, 8] }
    try refuses(.duplicate) { $0.weekdays = [2, 1] }
    try refuses(.duplicate) { $0.weekdays = [1, 1] }
    try refuses(.badName) { $0.name = "" }
    try refuses(.badRange) { ($0.from, $0.through) = (try Self.date("2026-09-02"), try Self.date("2026-09-01")) }
    try refuses(.tooMany) { schedule in
      schedule.periods = try (1...21).map { number in
        .init(
          number: number, start: try #require(ClockTime(minute: number * 40)),
          end: try #require(ClockTime(minute: number * 40 + 40)))
      }
    }
  }
}
