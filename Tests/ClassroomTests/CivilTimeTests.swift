// Goal: dates and times are those of the calendar on the wall in China, on any machine. Method: every day from 1900 to
// 2999 against a calendar that only counts on from the day before; dates known from elsewhere; the ends of `Int64`.
//
// Nothing here or there reads a zone, so equal results under TZ=UTC and TZ=America/New_York need no second process:
// the import rules keep Foundation and Glibc, the only ways to a zone, out of the part.
import Classroom
import Testing

@Suite struct CivilTimeTests {
  /// A calendar that knows month lengths and the step to the next day, nothing else.
  struct Walk {
    var year = 1900
    var month = 1
    var day = 1
    var weekday = 1

    var length: Int {
      let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      let isLeap = year.isMultiple(of: 400) || (year.isMultiple(of: 4) && !year.isMultiple(of: 100))
      return lengths[month - 1] + (month == 2 && isLeap ? 1 : 0)
    }

    mutating func step() {
      weekday = weekday == 7 ? 1 : weekday + 1
      day += 1
      guard day > length else { return }
      (day, month) = (1, month + 1)
      if month == 13 { (month, year) = (1, year + 1) }
    }
  }

  @Test func everyDayIsTheOneAfterTheDayBefore() throws {
    var walk = Walk()
    var date = try #require(CivilDate(year: 1900, month: 1, day: 1))
    var count = 0
    var wrong: [String] = []
    while walk.year < 3000 {
      let parts = date.parts
      let made = CivilDate(year: walk.year, month: walk.month, day: walk.day)
      if parts != (walk.year, walk.month, walk.day) || date.weekday != walk.weekday || made != date {
        wrong.append("\(date) is \(walk)")
      }
      // One past the month's end is no date.
      if walk.day == walk.length, CivilDate(year: walk.year, month: walk.month, day: walk.day + 1) != nil {
        wrong.append("a day after \(date)")
      }
      if count % 331 == 0, CivilDate(date.description) != date { wrong.append("the text of \(date)") }
      walk.step()
      date = date + 1
      count += 1
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    #expect(count == 401_767)
    #expect(date.description == "2999-12-31", "held at the end")
  }

  /// Days and weekdays from almanacs and from POSIX time.
  @Test(arguments: [
    ("1970-01-01", 0, 4), ("1969-12-31", -1, 3), ("2000-02-29", 11_016, 2), ("2000-03-01", 11_017, 3),
    ("2026-09-01", 20_697, 2), ("2024-02-29", 19_782, 4), ("1900-01-01", -25_567, 1), ("2001-09-09", 11_574, 7),
    ("2038-01-19", 24_855, 2),
  ]) func knownDates(text: String, day: Int, weekday: Int) throws {
    let date = try #require(CivilDate(text))
    #expect(date.day == day)
    #expect(date.weekday == weekday)
    #expect(date.description == text)
    #expect(CivilDate(day: day) == date)
    #expect(date.monday.weekday == 1)
    #expect((0...6).contains(date - date.monday))
  }

  @Test func noDates() {
    for text in [
      "", "2026-02-29", "2100-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "2026-01-00", "1899-12-31",
      "3000-01-01", "2026-9-1", "2026/09/01", "２０２６-09-01", "+026-09-01", "2026-09-01 ", "2026-09--1", "20260901",
      String(repeating: "-", count: 1_000_000),
    ] { #expect(CivilDate(text) == nil, "\(text.prefix(20))") }
    for extreme in [Int.min, Int.max] {
      #expect(CivilDate(day: extreme) == nil)
      #expect(CivilDate(year: extreme, month: 1, day: 1) == nil)
      #expect(CivilDate(year: 2026, month: extreme, day: 1) == nil)
      #expect(CivilDate(year: 2026, month: 1, day: extreme) == nil)
      #expect(ClockTime(minute: extreme) == nil)
      #expect(ClockTime(hour: extreme, minute: 0) == nil)
      #expect(ClockTime(hour: 8, minute: extreme) == nil)
    }
  }

  @Test func arithmeticIsHeldAtTheEnds() throws {
    let first = try #require(CivilDate("1900-01-01"))
    let last = try #require(CivilDate("2999-12-31"))
    for step in [1, Int.max, Int.max - 1] {
      #expect(last + step == last)
      #expect(first - step == first)
      #expect(first + (-step) == first)
    }
    #expect(first - Int.min == last)
    #expect(last + Int.min == first)
    #expect(last - first == 401_766)
    #expect(first + (last - first) == last)
    let evening = try #require(ClockTime("23:50"))
    #expect(evening + 20 == ClockTime("24:00"))
    #expect(evening + Int.max == ClockTime("24:00"))
    #expect(evening + Int.min == ClockTime("00:00"))
    #expect(evening - ClockTime.noon == 710)
  }

  @Test func clockTimesReadAndWrite() throws {
    for minute in 0...1_440 {
      let time = try #require(ClockTime(minute: minute))
      #expect(ClockTime(time.description) == time)
      #expect(ClockTime(hour: minute / 60, minute: minute % 60) == time)
    }
    #expect(ClockTime("08:05")?.minute == 485)
    for text in ["", "8:00", "08:60", "24:01", "25:00", "08:00:00", "08：00", "0８:00", "-1:00", "08:0", "08.00"] {
      #expect(ClockTime(text) == nil, "\(text)")
    }
  }

  @Test func instantsAreThoseOfChina() throws {
    // `date -u -d 2026-09-01T00:00:00Z +%s` is 1788220800; the bell of eight rings as UTC's day begins.
    let date = try #require(CivilDate("2026-09-01"))
    let eight = try #require(ClockTime("08:00"))
    #expect(CivilTime.instant(date, eight) == 1_788_220_800_000)
    #expect(CivilTime.date(of: 1_788_220_800_000 - 8 * 3_600_000) == date)
    #expect(CivilTime.date(of: 1_788_220_800_000 - 8 * 3_600_000 - 1) == date - 1)
    #expect(CivilTime.time(of: 1_788_220_859_999) == eight)
    #expect(CivilTime.time(of: -1).description == "07:59")
    #expect(CivilTime.date(of: -1).description == "1970-01-01")
    #expect(CivilTime.date(of: -28_800_001).description == "1969-12-31")
    #expect(CivilTime.time(of: -28_800_001).description == "23:59")
  }

  @Test func instantsRoundTripThroughAllYears() {
    var generator = SeededGenerator(seed: 4)
    var wrong = 0
    for _ in 0..<20_000 {
      let day = Int.random(in: -25_567...376_199, using: &generator)
      let minute = Int.random(in: 0...1_439, using: &generator)
      guard let date = CivilDate(day: day), let time = ClockTime(minute: minute) else { continue }
      let late = CivilTime.instant(date, time) + Int64.random(in: 0...59_999, using: &generator)
      if CivilTime.date(of: late) != date || CivilTime.time(of: late) != time { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func extremeInstantsAreHeld() {
    for distance in [0, 1, 28_800_000, 86_399_999, 86_400_000, 200_000_000] as [Int64] {
      #expect(CivilTime.date(of: .min + distance).description == "1900-01-01")
      #expect(CivilTime.date(of: .max - distance).description == "2999-12-31")
      // 2^63 milliseconds are 106,751,991,167 days, 7 h 12 min 55.808 s; China is eight hours on.
      let after = Int((7 * 3_600_000 + 12 * 60_000 + 55_807 - distance + 28_800_000 + 5 * 86_400_000) % 86_400_000)
      #expect(CivilTime.time(of: .max - distance).minute == after / 60_000)
      let before = Int((distance - (7 * 3_600_000 + 12 * 60_000 + 55_808) + 28_800_000 + 86_400_000) % 86_400_000)
      #expect(CivilTime.time(of: .min + distance).minute == before / 60_000)
    }
  }

  /// A class is in one grade through a school year, of which September is the first whole month.
  @Test func schoolYearsBeginInAugust() throws {
    for (text, year) in [
      ("2026-06-30", 2025), ("2026-07-31", 2025), ("2026-08-01", 2026), ("2026-08-31", 2026), ("2026-09-01", 2026),
      ("2026-12-31", 2026), ("2027-01-01", 2026), ("2027-02-28", 2026),
    ] { #expect(try #require(CivilDate(text)).schoolYear == year, "\(text)") }
    // The first week of a term lies in one school year, whichever day of early September it begins on.
    for year in 2000...2060 {
      for day in 1...7 {
        let first = try #require(CivilDate(year: year, month: 9, day: day))
        #expect(first.monday.schoolYear == year)
        #expect((first.monday + 6).schoolYear == year)
      }
    }
  }

  @Test func aClassIsAYearOlderInSeptember() throws {
    let june = try #require(CivilDate("2026-06-15"))
    let september = try #require(CivilDate("2026-09-15"))
    let identifier = Identifier(high: 7, low: 7)
    let pupils = SchoolClass(
      id: identifier, institution: Identifier(high: 1, low: 1), name: "复式班",
      cohorts: [.init(entryYear: 2023, headCount: 9), .init(entryYear: 2025, headCount: 4)])
    #expect(pupils.cohorts.map { $0.grade(inSchoolYearStarting: june.schoolYear) } == [3, 1])
    #expect(pupils.cohorts.map { $0.grade(inSchoolYearStarting: september.schoolYear) } == [4, 2])
    let cohort = pupils.cohorts[0]
    #expect(cohort.grade(inSchoolYearStarting: 2022) == nil)
    #expect(cohort.grade(inSchoolYearStarting: 2034) == 12)
    #expect(cohort.grade(inSchoolYearStarting: 2035) == nil)
    #expect(cohort.grade(inSchoolYearStarting: .min) == nil)
    #expect(cohort.grade(inSchoolYearStarting: .max) == nil)
  }
}
