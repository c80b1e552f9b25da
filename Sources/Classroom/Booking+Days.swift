/// The days of one school through a term, worked out once from its calendar and its bells.
struct SchoolDays: Sendable {
  /// Which day of which week is taught.
  struct Taught: Equatable, Sendable {
    var weekday: Int
    var week: Int
  }

  struct Day: Sendable {
    /// Nil on a holiday.
    var morning: Taught?
    var afternoon: Taught?
    /// Those whose part of the day is taught, in the order of the day.
    var periods: [BellSchedule.Period]

    func taught(at time: ClockTime) -> Taught? { time < .noon ? morning : afternoon }
  }

  /// How a lesson lies in the periods of a day.
  struct Fit: Equatable {
    /// UTC milliseconds: the lesson, and every period it touches.
    var occupied: Range<Int64>
    /// UTC milliseconds: the period it shares most time with, the earlier of two; nil when it shares time with none.
    var best: Range<Int64>?
    /// Minutes shared with `best`.
    var overlap: Int
    /// Minutes: how far the lesson's start lies from that of `best` or its end behind it; nil without one.
    var misfit: Int?
  }

  let first: CivilDate
  let days: [Day]
  /// Whether any bells of the school are known.
  let hasBells: Bool

  /// Cost: days of the term × rules of the calendar and schedules of the school.
  init(calendar: SchoolCalendar, bells: SchoolBells?) {
    first = calendar.monday
    hasBells = bells != nil
    days = (0..<max(0, min(calendar.weeks, WeekSet.weeks.upperBound)) * 7).map { offset in
      let date = calendar.monday + offset
      func taught(_ time: ClockTime) -> Taught? {
        calendar.taught(on: date, at: time).map { Taught(weekday: $0.weekday, week: $0.week) }
      }
      func periods(_ part: Taught?) -> [BellSchedule.Period] {
        part.flatMap { bells?.periods(on: date, weekday: $0.weekday) } ?? []
      }
      let (morning, afternoon) = (taught(.midnight), taught(.noon))
      // Mostly the whole day follows one weekday, and its periods are shared with the schedule.
      let ofDay =
        morning?.weekday == afternoon?.weekday
        ? periods(morning)
        : periods(morning).filter { $0.start < .noon } + periods(afternoon).filter { $0.start >= .noon }
      return Day(morning: morning, afternoon: afternoon, periods: ofDay)
    }
  }

  /// Nil outside the term.
  subscript(date: CivilDate) -> Day? {
    let offset = date - first
    return days.indices.contains(offset) ? days[offset] : nil
  }

  /// What is taught at an instant of a date; nil on a holiday and outside the term.
  func taught(on date: CivilDate, at instant: Int64) -> Taught? {
    self[date]?.taught(at: CivilTime.time(of: instant))
  }

  /// Cost: periods of the day.
  func fit(_ span: Range<Int64>, on date: CivilDate) -> Fit {
    var fit = Fit(occupied: span, best: nil, overlap: 0, misfit: nil)
    guard let day = self[date] else { return fit }
    let midnight = CivilTime.instant(date, .midnight)
    var most: Int64 = 0
    var (lower, upper) = (span.lowerBound, span.upperBound)
    for period in day.periods {
      let start = midnight + Int64(period.start.minute) * 60_000
      let end = midnight + Int64(period.end.minute) * 60_000
      let shared = min(end, span.upperBound) - max(start, span.lowerBound)
      guard shared > 0 else { continue }
      if shared > most { (most, fit.best) = (shared, start..<end) }
      (lower, upper) = (min(lower, start), max(upper, end))
    }
    fit.occupied = lower..<upper
    if let best = fit.best {
      let late = max(0, span.upperBound - best.upperBound)
      fit.misfit = Int((max(abs(span.lowerBound - best.lowerBound), late) + 59_999) / 60_000)
      fit.overlap = Int(most / 60_000)
    }
    return fit
  }
}

extension ClockTime {
  static let midnight = ClockTime.noon + -720
}

extension Range where Bound == Int64 {
  /// Whole minutes of a span of milliseconds.
  var minutes: Int { Int((upperBound - lowerBound) / 60_000) }
  func joined(_ other: Self) -> Self {
    Swift.min(lowerBound, other.lowerBound)..<Swift.max(upperBound, other.upperBound)
  }
}

/// The days of the schools that have come up so far.
struct SchoolTable: Sendable {
  private var schools: [Identifier: SchoolDays] = [:]

  /// Nil for a school that the timetable does not know.
  subscript(school: Identifier) -> SchoolDays? { schools[school] }

  mutating func days(of school: Identifier, in timetable: Timetable) -> SchoolDays? {
    if let known = schools[school] { return known }
    guard let institution = timetable.institutions[school] else { return nil }
    let days = SchoolDays(calendar: timetable.calendar(of: institution), bells: timetable.bells[school])
    schools[school] = days
    return days
  }
}
