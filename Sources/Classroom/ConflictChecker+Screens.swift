/// What is too much for the eyes of a receiving class; the lead class has its teacher in the room.
extension Inspection {
  /// A lesson on the screen of one class.
  private struct Screen {
    var date: CivilDate
    var span: Range<Int64>
    /// The subject's booking; nil for another course's.
    var booking: Int?
  }

  mutating func inspectScreens() {
    var seen: Set<Identifier> = []
    for case let schoolClass? in subject.bookings.first?.sites.map(\.schoolClass) ?? []
    where seen.insert(schoolClass).inserted {
      let screens = screens(of: schoolClass)
      for day in Self.runs(screens, by: \.date) { inspect(day, of: schoolClass) }
      // Without the local timetable nobody knows the week's teaching time.
      let groups = checker.locals.groups(.schoolClass(schoolClass))
      guard !groups.isEmpty, timetable.knowsLocals(of: schoolClass) else { continue }
      for week in Self.runs(screens, by: \.date.monday) { inspect(week, of: schoolClass, among: groups) }
    }
  }

  /// All of them through the term, by start.
  private func screens(of schoolClass: Identifier) -> [Screen] {
    var screens: [Screen] = []
    var last: (order: Int, booking: Int)?
    let uses = checker.uses[.schoolClass(schoolClass)]?.sorted ?? []
    for use in uses.sorted(by: { ($0.order, $0.booking) < ($1.order, $1.booking) })
    where use.site != nil && isAsked(use.order) {
      // A class in two rooms looks at one lesson.
      if let last, last == (use.order, use.booking) { continue }
      last = (use.order, use.booking)
      guard let booking = checker.courses[use.order]?.bookings[use.booking] else { continue }
      screens.append(Screen(date: booking.date, span: booking.span))
    }
    for (index, booking) in subject.bookings.enumerated()
    where booking.sites.contains(where: { $0.schoolClass == schoolClass }) {
      screens.append(Screen(date: booking.date, span: booking.span, booking: index))
    }
    return screens.sorted { ($0.span.lowerBound, $0.span.upperBound) < ($1.span.lowerBound, $1.span.upperBound) }
  }

  /// Neighbours with the same key, where a lesson of the subject is among them.
  private static func runs<Key: Equatable>(_ screens: [Screen], by key: (Screen) -> Key) -> [[Screen]] {
    var runs: [[Screen]] = []
    for screen in screens {
      if let last = runs.last?.last, key(last) == key(screen) {
        runs[runs.count - 1].append(screen)
      } else {
        runs.append([screen])
      }
    }
    return runs.filter { $0.contains { $0.booking != nil } }
  }

  private mutating func inspect(_ day: [Screen], of schoolClass: Identifier) {
    if let limit = dailyMinutes(of: schoolClass, on: day[0].date) {
      report(day, of: schoolClass, .day, minutes: day.reduce(0) { $0 + $1.span.minutes }, limit: limit)
    }
    var run: [Screen] = []
    var end = Int64.min
    let pause = Int64(min(max(0, policy.screenTime.breakMinutes), 1_440)) * 60_000
    for screen in day {
      if !run.isEmpty, screen.span.lowerBound - end >= pause {
        inspectRun(run, of: schoolClass)
        run = []
      }
      end = run.isEmpty ? screen.span.upperBound : max(end, screen.span.upperBound)
      run.append(screen)
    }
    inspectRun(run, of: schoolClass)
  }

  private mutating func inspectRun(_ run: [Screen], of schoolClass: Identifier) {
    report(
      run, of: schoolClass, .continuous, minutes: run.reduce(0) { $0 + $1.span.minutes },
      limit: policy.screenTime.continuousMinutes)
  }

  /// A week of which no local lesson is known is not asked.
  private mutating func inspect(_ week: [Screen], of schoolClass: Identifier, among groups: [LocalTable.Group]) {
    let minutes = week.reduce(0) { $0 + $1.span.minutes }
    var taught: [Range<Int64>] = []
    for offset in 0..<7 {
      let date = week[0].date.monday + offset
      let day = CivilTime.instant(date, .midnight)..<CivilTime.instant(date + 1, .midnight)
      guard !day.isEmpty else { continue }
      checker.locals.forEach(of: groups, on: date, overlapping: day, schools: schools) { taught.append($1) }
    }
    guard !taught.isEmpty else { return }
    taught = (taught + week.map(\.span)).sorted { $0.lowerBound < $1.lowerBound }
    var (total, end) = (Int64(0), Int64.min)
    for span in taught where span.upperBound > end {
      total += span.upperBound - max(span.lowerBound, end)
      end = span.upperBound
    }
    let limit = Int(total / 60_000) * min(max(0, policy.screenTime.weeklyShare), 1_000) / 1_000
    report(week, of: schoolClass, .week, minutes: minutes, limit: limit)
  }

  private mutating func report(
    _ screens: [Screen], of schoolClass: Identifier, _ reason: ConflictReason, minutes: Int, limit: Int
  ) {
    guard minutes > limit else { return }
    // The weeks of a class differ in length; one conflict tells the worst of them.
    let conflict = Conflict(
      code: .screenTime, reason: reason, severity: policy.screenTime.severity, course: course.id,
      schoolClass: schoolClass)
    let others = screens.count == 1 ? nil : screens[0].span.joined(screens[screens.count - 1].span)
    for case let booking? in screens.map(\.booking) {
      report(conflict, at: Place(booking: booking, other: others), minutes: minutes, limit: limit)
    }
  }

  /// By the highest grade of the class in that school year; nil when it has none.
  private func dailyMinutes(of schoolClass: Identifier, on date: CivilDate) -> Int? {
    let grades = timetable.classes[schoolClass]?.cohorts.compactMap { $0.grade(inSchoolYearStarting: date.schoolYear) }
    guard let grade = grades?.max() else { return nil }
    let stage = grade <= 6 ? 0 : grade <= 9 ? 1 : 2
    let limits = policy.screenTime.dailyMinutes
    return limits.indices.contains(stage) ? limits[stage] : nil
  }
}
