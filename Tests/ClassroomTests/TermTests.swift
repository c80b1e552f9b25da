// Goal: each school knows which day of which week it teaches, on every date. Method: the autumn of 2026 with its
// national holiday and 调休, departures of a county and of a school, and terms that nobody can hold.
import Classroom
import Testing

@Suite struct TermTests {
  static let school = Identifier(high: 1, low: 1)
  static let morning = ClockTime.noon + -1
  static let afternoon = ClockTime.noon

  static func date(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }
  static func rule(
    _ from: String, through: String? = nil, _ kind: CalendarRule.Kind, _ part: DayPart = .whole
  ) throws -> CalendarRule {
    CalendarRule(from: try date(from), through: try date(through ?? from), part: part, kind: kind)
  }

  /// Week 1 is that of Tuesday, 2026-09-01.
  static func term(_ rules: [CalendarRule] = [], _ deviations: [Term.Deviation] = []) throws -> Term {
    Term(
      id: Identifier(high: 3, low: 3), code: "2026-2027-1", name: "秋季学期", firstDay: try date("2026-09-01"), weeks: 20,
      rules: rules, deviations: deviations)
  }

  static func taught(_ term: Term, _ text: String, _ time: ClockTime = morning, region: String = "东江县") throws
    -> [Int]?
  {
    let day = term.calendar(of: school, region: region).taught(on: try date(text), at: time)
    return day.map { [$0.weekday, $0.week] }
  }

  @Test func weeksRunFromTheFirstDaysMonday() throws {
    let term = try Self.term()
    #expect(try Self.taught(term, "2026-08-30") == nil)
    #expect(try Self.taught(term, "2026-08-31") == [1, 1])
    #expect(try Self.taught(term, "2026-09-06") == [7, 1])
    #expect(try Self.taught(term, "2026-09-07") == [1, 2])
    #expect(try Self.taught(term, "2027-01-17") == [7, 20])
    #expect(try Self.taught(term, "2027-01-18") == nil)
    let calendar = term.calendar(of: Self.school, region: "")
    #expect(calendar.dates.upperBound - calendar.dates.lowerBound == 139)
    #expect(calendar.week(of: calendar.monday - 1) == nil)
  }

  @Test func holidaysAndExchangedDays() throws {
    let term = try Self.term([
      Self.rule("2026-10-01", through: "2026-10-07", .holiday),
      Self.rule("2026-09-27", .follows(weekday: 2, week: nil)),
      Self.rule("2026-10-10", .follows(weekday: 3, week: 6), .afternoon),
    ])
    #expect(try Self.taught(term, "2026-09-30") == [3, 5])
    #expect(try Self.taught(term, "2026-10-01") == nil)
    #expect(try Self.taught(term, "2026-10-07", Self.afternoon) == nil)
    #expect(try Self.taught(term, "2026-10-08") == [4, 6])
    #expect(try Self.taught(term, "2026-09-27") == [2, 4], "the week is that of the date unless one is named")
    #expect(try Self.taught(term, "2026-10-10") == [6, 6], "the morning is an ordinary Saturday")
    #expect(try Self.taught(term, "2026-10-10", Self.afternoon) == [3, 6])
    #expect(DayPart.morning.covers(Self.morning) && !DayPart.morning.covers(.noon))
  }

  /// The school's own wins over the county's, the county's over the term's; among rules of one level the last.
  @Test func departuresWinByLevel() throws {
    let county = Term.Deviation(
      region: "东江县",
      rules: [try Self.rule("2026-10-01", .ordinary), try Self.rule("2026-09-15", .holiday)])
    let school = Term.Deviation(
      institution: Self.school, firstDay: try Self.date("2026-09-09"),
      rules: [try Self.rule("2026-09-15", .ordinary), try Self.rule("2026-09-15", .follows(weekday: 5, week: 9))])
    let holiday = try Self.rule("2026-10-01", through: "2026-10-07", .holiday)
    let onlyCounty = try Self.term([holiday], [county])
    #expect(try Self.taught(onlyCounty, "2026-10-01") == [4, 5])
    #expect(try Self.taught(onlyCounty, "2026-10-02") == nil)
    #expect(try Self.taught(onlyCounty, "2026-10-01", region: "西江县") == nil, "another county")
    #expect(try Self.taught(onlyCounty, "2026-09-15") == nil)
    for deviations in [[county, school], [school, county]] {
      let both = try Self.term([holiday], deviations)
      #expect(try Self.taught(both, "2026-09-15") == [5, 9])
      // Its first week begins on 2026-09-07: single and double weeks follow it.
      #expect(try Self.taught(both, "2026-09-01") == nil)
      #expect(try Self.taught(both, "2026-09-14") == [1, 2])
      #expect(try Self.taught(both, "2026-10-01") == [4, 4])
    }
  }

  @Test func termsThatNobodyCanHoldAreRefused() throws {
    let good = try Self.term(
      [Self.rule("2026-10-01", .holiday)], [.init(region: "东江县"), .init(institution: Self.school)])
    try good.validate()
    func refuses(_ error: ClassroomError, _ change: (inout Term) throws -> Void) throws {
      var term = good
      try change(&term)
      #expect(throws: error) { try term.validate() }
      // Even a term that was never checked has a calendar.
      #expect(term.calendar(of: Self.school, region: "东江县").dates.lowerBound.weekday == 1)
    }
    for weeks in [0, -1, 31, Int.max, Int.min] { try refuses(.badRange) { $0.weeks = weeks } }
    try refuses(.badRange) { $0.version = -1 }
    try refuses(.badName) { $0.code = "" }
    try refuses(.badName) { $0.name = String(repeating: "期", count: 201) }
    try refuses(.badRange) { $0.rules = [try Self.rule("2026-10-02", through: "2026-10-01", .holiday)] }
    try refuses(.badRange) { $0.rules = [try Self.rule("2026-10-02", through: "2028-10-02", .holiday)] }
    for weekday in [0, 8, Int.max] {
      try refuses(.badRange) { $0.rules = [try Self.rule("2026-10-02", .follows(weekday: weekday, week: nil))] }
    }
    for week in [0, 61, Int.min] {
      try refuses(.badRange) {
        $0.deviations[1].rules = [try Self.rule("2026-10-02", .follows(weekday: 1, week: week))]
      }
    }
    try refuses(.tooMany) { $0.rules = Array(repeating: $0.rules[0], count: 121) }
    try refuses(.tooMany) { $0.deviations = Array(repeating: $0.deviations[0], count: 4_097) }
    try refuses(.badName) { $0.deviations[0].region = nil }
    try refuses(.badName) { $0.deviations[0].institution = Self.school }
    try refuses(.badName) { $0.deviations[0].region = "" }
    try refuses(.duplicate) { $0.deviations.append($0.deviations[0]) }
    try refuses(.duplicate) { $0.deviations.append($0.deviations[1]) }
  }

  @Test func theEndOfTimeHoldsATerm() throws {
    var term = try Self.term()
    term.firstDay = try Self.date("2999-12-30")
    let calendar = term.calendar(of: Self.school, region: "")
    #expect(calendar.dates.upperBound.description == "2999-12-31")
    #expect(calendar.week(of: try Self.date("2999-12-31")) == 1)
  }
}
