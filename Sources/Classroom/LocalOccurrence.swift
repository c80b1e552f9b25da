/// A local lesson on one date.
public struct LocalOccurrence: Hashable, Sendable {
  public var lesson: LocalLesson
  public var date: CivilDate
  public var start: ClockTime
  /// Exclusive.
  public var end: ClockTime

  public init(lesson: LocalLesson, date: CivilDate, start: ClockTime, end: ClockTime) {
    self.lesson = lesson
    self.date = date
    self.start = start
    self.end = end
  }

  /// UTC milliseconds, end exclusive.
  public var span: Range<Int64> { CivilTime.instant(date, start)..<CivilTime.instant(date, end) }
}

extension Timetable {
  /// The local lessons of a class on seven days from `monday`, by date and time, as its school teaches them: with its
  /// holidays, days of 调休 and bells. One in a period that the day's bells do not have is left out.
  ///
  /// Cost: seven times the local lessons of the class.
  public func localOccurrences(of schoolClass: Identifier, from monday: CivilDate) -> [LocalOccurrence] {
    var found: [LocalOccurrence] = []
    for (school, lessons) in Dictionary(grouping: localLessons[schoolClass] ?? [], by: \.institution) {
      guard let institution = institutions[school] else { continue }
      let calendar = calendar(of: institution)
      for date in (0..<7).map({ monday + $0 }) {
        for lesson in lessons {
          guard let (start, end) = times(of: lesson, on: date), start < end,
            let day = calendar.taught(on: date, at: start), day.weekday == lesson.weekday,
            lesson.weeks.contains(day.week)
          else { continue }
          found.append(LocalOccurrence(lesson: lesson, date: date, start: start, end: end))
        }
      }
    }
    return found.sorted { ($0.date, $0.start, $0.lesson.subject) < ($1.date, $1.start, $1.lesson.subject) }
  }

  private func times(of lesson: LocalLesson, on date: CivilDate) -> (ClockTime, ClockTime)? {
    switch lesson.time {
    case .clock(let start, let end): (start, end)
    case .period(let number):
      bells[lesson.institution]?.period(number, on: date, weekday: lesson.weekday).map { ($0.start, $0.end) }
    }
  }
}
