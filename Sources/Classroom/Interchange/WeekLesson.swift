/// A lesson of a week's timetable, in names instead of identifiers: what a class, a room or a teacher has at which
/// time.
public struct WeekLesson: Hashable, Sendable {
  /// ISO weekday, 1…7.
  public var weekday: Int
  public var start: ClockTime
  /// Exclusive.
  public var end: ClockTime
  public var weeks: WeekSet
  /// Such as 音乐.
  public var subject: String
  /// May be empty, as all that follow.
  public var teacher: String
  public var room: String
  public var title: String
  /// Whether it is the school's own, and not a joint one.
  public var isLocal: Bool

  /// What a sheet of local lessons calls a lesson that is none, in either language.
  public static let jointWords = ["联校课", "joint"]

  public init(
    weekday: Int, start: ClockTime, end: ClockTime, weeks: WeekSet = .all, subject: String, teacher: String = "",
    room: String = "", title: String = "", isLocal: Bool = false
  ) {
    self.weekday = weekday
    self.start = start
    self.end = end
    self.weeks = weeks
    self.subject = subject
    self.teacher = teacher
    self.room = room
    self.title = title
    self.isLocal = isLocal
  }

  /// Lessons of one week that are looked at; a class has at most 20 a day, a room no more.
  static let limit = 1_000

  /// In the order of the week: weekday, time, then names.
  static func precedes(_ first: WeekLesson, _ second: WeekLesson) -> Bool {
    (first.weekday, first.start, first.end, first.subject, first.teacher, first.room)
      < (second.weekday, second.start, second.end, second.subject, second.teacher, second.room)
  }

  /// Which of a term's weeks it is in, as far as most programs can say it.
  enum Pattern: Hashable {
    case all, odd, even, none
    case others
  }

  func pattern(termWeeks: Int) -> Pattern {
    let term = WeekSet(1...min(max(termWeeks, 1), WeekSet.weeks.upperBound))
    let held = weeks.intersection(term)
    if held.isEmpty { return .none }
    if held == term { return .all }
    if held == WeekSet.odd.intersection(term) { return .odd }
    return held == WeekSet.even.intersection(term) ? .even : .others
  }
}
