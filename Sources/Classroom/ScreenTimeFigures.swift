/// How long classes looked at lessons on a screen, against the timetable's policy.
public struct ScreenTimeFigures: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    public var schoolClass: Identifier
    /// Days with screen lessons.
    public var days = 0
    public var minutes = 0
    public var mostInADay = 0
    /// Minutes a day for the highest grade of the class; nil where the class has none.
    public var dailyLimit: Int?
    public var daysOver = 0
    /// Longest stretch without a break, and how often one was longer than the policy lets it.
    public var longest = 0
    public var stretchesOver = 0
  }

  private struct Screen {
    var start: Int64
    var end: Int64
    var milliseconds: Int64
  }

  /// By class.
  public var rows: [Row]

  /// Lessons that were live and played ones alike: time that a seat of the class was really connected.
  public init(
    _ lessons: some Sequence<CountedLesson>, classes: [Identifier: SchoolClass],
    policy: TimetablePolicy.ScreenTime = TimetablePolicy.standard.screenTime
  ) {
    var screens: [Identifier: [Screen]] = [:]
    for lesson in lessons where lesson.outcome != .excluded && lesson.fact.mode != .research {
      var perClass: [Identifier: Int64] = [:]
      for seat in lesson.fact.seats where seat.role == .receiver && seat.effectiveMilliseconds > 0 {
        guard let row = seat.schoolClass else { continue }
        // A class in two rooms looks at one lesson.
        perClass[row] = max(perClass[row] ?? 0, seat.effectiveMilliseconds)
      }
      for (row, milliseconds) in perClass {
        let start = lesson.fact.plannedStart
        let length = min(milliseconds, Limits.plannedMilliseconds)
        screens[row, default: []].append(Screen(start: start, end: start &+ length, milliseconds: length))
      }
    }
    rows = screens.keys.sorted().map { Self.row(of: $0, screens[$0] ?? [], classes[$0], policy) }
  }

  private static func row(
    of id: Identifier, _ screens: [Screen], _ schoolClass: SchoolClass?, _ policy: TimetablePolicy.ScreenTime
  ) -> Row {
    var row = Row(schoolClass: id)
    var perDay: [CivilDate: Int64] = [:]
    let pause = Int64(policy.breakMinutes) * 60_000
    var (run, end) = (Int64(0), Int64.min)
    var longest: Int64 = 0
    func close() {
      longest = max(longest, run)
      if run > Int64(policy.continuousMinutes) * 60_000 { row.stretchesOver += 1 }
    }
    for screen in screens.sorted(by: { $0.start < $1.start }) {
      perDay[CivilTime.date(of: screen.start), default: 0] += screen.milliseconds
      if run > 0, screen.start - end >= pause {
        close()
        run = 0
      }
      run += screen.milliseconds
      end = max(end, screen.end)
    }
    close()
    row.longest = Int(longest / 60_000)
    row.days = perDay.count
    for (day, milliseconds) in perDay {
      let minutes = Int(milliseconds / 60_000)
      row.minutes += minutes
      row.mostInADay = max(row.mostInADay, minutes)
      guard let limit = limit(of: schoolClass, on: day, policy) else { continue }
      row.dailyLimit = max(row.dailyLimit ?? 0, limit)
      if minutes > limit { row.daysOver += 1 }
    }
    return row
  }

  private static func limit(
    of schoolClass: SchoolClass?, on day: CivilDate, _ policy: TimetablePolicy.ScreenTime
  ) -> Int? {
    let grades = schoolClass?.cohorts.compactMap { $0.grade(inSchoolYearStarting: day.schoolYear) }
    guard let grade = grades?.max() else { return nil }
    let stage = grade <= 6 ? 0 : grade <= 9 ? 1 : 2
    return policy.dailyMinutes.indices.contains(stage) ? policy.dailyMinutes[stage] : nil
  }
}
