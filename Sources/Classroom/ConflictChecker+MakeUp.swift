extension ConflictChecker {
  /// Days that are looked through for a time to make a lesson up at.
  public static let makeUpDays = 60

  /// The first period of a site's own bells in which one lesson more of a course would be in nobody's way.
  ///
  /// - Parameters:
  ///   - lesson: the one more, whatever its time.
  ///   - course: a recorded one for one site, in the term or not.
  ///   - span: in which the period lies whole, UTC milliseconds.
  /// - Returns: nil where there is none, or the site's bells are not known. Cost: a `check(changing:)` for each period
  ///   before the one that is found.
  public func nextFree(for lesson: Lesson, of course: Course, within span: Range<Int64>) -> Range<Int64>? {
    guard let room = course.receivers.first?.room, let school = timetable.institution(ofRoom: room),
      let bells = timetable.bells[school.id]
    else { return nil }
    let calendar = timetable.calendar(of: school)
    let first = CivilTime.date(of: span.lowerBound)
    for offset in 0..<Self.makeUpDays {
      let date = first + offset
      guard CivilTime.instant(date, .midnight) < span.upperBound else { return nil }
      // Morning and afternoon of a day of 调休 may follow different weekdays.
      let weekdays = Set([ClockTime.midnight, .noon].compactMap { calendar.taught(on: date, at: $0)?.weekday })
      let periods = weekdays.flatMap { weekday in
        bells.periods(on: date, weekday: weekday).filter {
          calendar.taught(on: date, at: $0.start)?.weekday == weekday
        }
      }
      for period in periods.sorted(by: { $0.start < $1.start }) {
        let found = CivilTime.instant(date, period.start)..<CivilTime.instant(date, period.end)
        guard found.lowerBound >= span.lowerBound, found.upperBound <= span.upperBound else { continue }
        var moved = lesson
        (moved.plannedStart, moved.plannedEnd) = (found.lowerBound, found.upperBound)
        if check(changing: moved, of: course).allSatisfy({ $0.severity != .conflict }) { return found }
      }
    }
    return nil
  }
}
