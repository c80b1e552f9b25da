/// One lesson of a course's weekly times, dated by the calendar and the bells of its lead's school.
public struct Occurrence: Hashable, Sendable {
  public var course: Identifier
  public var origin: LessonOrigin
  /// Which of the course's weekly times it comes from.
  public var weeklyTime: Int
  /// The weekday and week that are taught; another than the date's on a day of 调休.
  public var day: SchoolCalendar.TaughtDay
  public var start: ClockTime
  /// Exclusive.
  public var end: ClockTime

  public var date: CivilDate { origin.date }
  /// UTC milliseconds, end exclusive.
  public var span: Range<Int64> { CivilTime.instant(date, start)..<CivilTime.instant(date, end) }
}

/// A weekly time that could not be dated.
public struct Undated: Hashable, Sendable {
  public enum Reason: Hashable, Sendable {
    /// The lead's school has no such period on that day.
    case noPeriod
    /// The day is a holiday of the lead's school.
    case holiday(CalendarRule)
  }
  public var course: Identifier
  public var weeklyTime: Int
  public var date: CivilDate
  public var reason: Reason
}

extension Timetable {
  /// The lessons of a course through the term, by date and time; and the dates on which one falls out.
  ///
  /// A day of 调休 teaches the lessons of the day it follows; those of its own weekday then fall out with it, untold.
  /// `minutes` of a weekly time never reach past its period. Cost: dates of the term × weekly times. A course whose
  /// lead room or its school is not known has none.
  public func occurrences(of course: Course) -> (dated: [Occurrence], undated: [Undated]) {
    guard let school = institution(ofRoom: course.lead.room) else { return ([], []) }
    let calendar = calendar(of: school)
    let bells = bells[school.id] ?? SchoolBells([])
    var dated: [Occurrence] = []
    var undated: [Undated] = []
    for offset in 0...(calendar.dates.upperBound - calendar.monday) {
      let date = calendar.monday + offset
      let isPlain = !calendar.hasRule(on: date)
      for (index, time) in course.weeklyTimes.enumerated() where !isPlain || time.weekday == date.weekday {
        // The bells of the weekday that is taught say when; whether that time is taught says the calendar.
        guard let period = bells.period(time.period, on: date, weekday: time.weekday) else {
          if let reason = calendar.reason(without: time, on: date) {
            undated.append(Undated(course: course.id, weeklyTime: index, date: date, reason: reason))
          }
          continue
        }
        if let day = calendar.taught(on: date, at: period.start) {
          guard day.weekday == time.weekday, time.weeks.contains(day.week) else { continue }
          let end = time.minutes.map { min(period.start + $0, period.end) } ?? period.end
          dated.append(
            Occurrence(
              course: course.id, origin: LessonOrigin(date: date, period: time.period), weeklyTime: index, day: day,
              start: period.start, end: end))
        } else if let reason = calendar.holiday(for: time, on: date, at: period.start) {
          undated.append(Undated(course: course.id, weeklyTime: index, date: date, reason: reason))
        }
      }
    }
    return (dated.sorted { ($0.date, $0.start) < ($1.date, $1.start) }, undated)
  }
}

extension SchoolCalendar {
  fileprivate func hasRule(on date: CivilDate) -> Bool { rules.contains { $0.from <= date && date <= $0.through } }

  /// Why a weekly time that the day's bells do not have falls out; nil when the day would not have taught it anyway.
  ///
  /// Without bells its hour is not known, so it is missed where either half of the day teaches it.
  fileprivate func reason(without time: Course.WeeklyTime, on date: CivilDate) -> Undated.Reason? {
    let halves = [ClockTime.midnight, .noon].map { taught(on: date, at: $0) }
    let isTaught = halves.contains { $0.map { $0.weekday == time.weekday && time.weeks.contains($0.week) } ?? false }
    if isTaught { return .noPeriod }
    return halves.allSatisfy { $0 == nil } ? holiday(for: time, on: date, at: .noon) : nil
  }

  /// The holiday that takes a weekly time on its own date; nil when it would not have been taught then.
  fileprivate func holiday(for time: Course.WeeklyTime, on date: CivilDate, at hour: ClockTime) -> Undated.Reason? {
    guard date.weekday == time.weekday, let week = week(of: date), time.weeks.contains(week),
      let rule = rule(on: date, at: hour), rule.kind == .holiday
    else { return nil }
    return .holiday(rule)
  }
}
