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
  /// A day of 调休 teaches the lessons of the day it follows; those of its own weekday then fall out with it.
  /// Cost: dates of the term × weekly times. A course whose lead room or its school is not known has none.
  public func occurrences(of course: Course) -> (dated: [Occurrence], undated: [Undated]) {
    guard let school = institution(ofRoom: course.lead.room) else { return ([], []) }
    let calendar = calendar(of: school)
    let bells = bells[school.id] ?? SchoolBells([])
    var dated: [Occurrence] = []
    var undated: [Undated] = []
    for offset in 0..<(calendar.weeks * 7) {
      let date = calendar.monday + offset
      for (index, time) in course.weeklyTimes.enumerated() {
        // The bells of the weekday that is taught say when; whether that time is taught says the calendar.
        guard let period = bells.period(time.period, on: date, weekday: time.weekday) else {
          if date.weekday == time.weekday, time.weeks.contains(offset / 7 + 1) {
            undated.append(Undated(course: course.id, weeklyTime: index, date: date, reason: .noPeriod))
          }
          continue
        }
        let end = time.minutes.map { period.start + $0 } ?? period.end
        if let day = calendar.taught(on: date, at: period.start) {
          guard day.weekday == time.weekday, time.weeks.contains(day.week) else { continue }
          dated.append(
            Occurrence(
              course: course.id, origin: LessonOrigin(date: date, period: time.period), weeklyTime: index, day: day,
              start: period.start, end: end))
        } else if date.weekday == time.weekday, time.weeks.contains(offset / 7 + 1),
          let rule = calendar.rule(on: date, at: period.start)
        {
          undated.append(Undated(course: course.id, weeklyTime: index, date: date, reason: .holiday(rule)))
        }
      }
    }
    return (dated.sorted { ($0.date, $0.start) < ($1.date, $1.start) }, undated)
  }
}
