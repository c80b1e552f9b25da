/// The local lessons of the term, by class and by teacher.
struct LocalTable: Sendable {
  /// A local lesson, in the form that is asked.
  struct Slot: Sendable {
    var weeks: WeekSet
    var time: LocalLesson.Time
    /// The place among all lessons of the table.
    var lesson: Int
  }

  /// Those of one class or teacher in one school: people may teach in several.
  struct Group: Sendable {
    var school: Identifier
    /// By ISO weekday; place 0 stays empty.
    var weekdays: [[Slot]] = Array(repeating: [], count: 8)
  }

  private(set) var lessons: [(schoolClass: Identifier, subject: String)] = []
  private var classes: [Identifier: [Group]] = [:]
  private var persons: [Identifier: [Group]] = [:]

  init(_ timetable: Timetable) {
    // By class, so that the places do not depend on hashing.
    for (schoolClass, locals) in timetable.localLessons.sorted(by: { $0.key < $1.key }) {
      for local in locals where (1...7).contains(local.weekday) {
        let slot = Slot(weeks: local.weeks, time: local.time, lesson: lessons.count)
        lessons.append((schoolClass, local.subject))
        Self.add(slot, local, to: &classes[schoolClass, default: []])
        if let teacher = local.teacher { Self.add(slot, local, to: &persons[teacher, default: []]) }
      }
    }
  }

  private static func add(_ slot: Slot, _ local: LocalLesson, to groups: inout [Group]) {
    if let place = groups.firstIndex(where: { $0.school == local.institution }) {
      groups[place].weekdays[local.weekday].append(slot)
    } else {
      var group = Group(school: local.institution)
      group.weekdays[local.weekday].append(slot)
      groups.append(group)
    }
  }

  func groups(_ resource: Resource) -> [Group] {
    switch resource {
    case .person(let person): persons[person] ?? []
    case .schoolClass(let schoolClass): classes[schoolClass] ?? []
    case .room: []
    }
  }

  /// Those of `groups` that share time with `span`, which begins on `date` and lasts a day at most.
  func forEach(
    of groups: [Group], on date: CivilDate, overlapping span: Range<Int64>, schools: SchoolTable,
    _ body: (_ lesson: Int, _ span: Range<Int64>) -> Void
  ) {
    for group in groups { forEach(of: group, on: date, overlapping: span, schools: schools, body) }
    guard date + 1 > date, CivilTime.instant(date + 1, .midnight) < span.upperBound else { return }
    for group in groups { forEach(of: group, on: date + 1, overlapping: span, schools: schools, body) }
  }

  private func forEach(
    of group: Group, on date: CivilDate, overlapping span: Range<Int64>, schools: SchoolTable,
    _ body: (_ lesson: Int, _ span: Range<Int64>) -> Void
  ) {
    guard let day = schools[group.school]?[date] else { return }
    let midnight = CivilTime.instant(date, .midnight)
    func visit(_ taught: SchoolDays.Taught, _ covers: (ClockTime) -> Bool) {
      for slot in group.weekdays[taught.weekday] where slot.weeks.contains(taught.week) {
        guard let (start, end) = Self.times(slot, day), start < end, covers(start) else { continue }
        let lower = midnight + Int64(start.minute) * 60_000
        let upper = midnight + Int64(end.minute) * 60_000
        if lower < span.upperBound, span.lowerBound < upper { body(slot.lesson, lower..<upper) }
      }
    }
    if let taught = day.morning, taught == day.afternoon {
      visit(taught) { _ in true }
    } else {
      if let taught = day.morning { visit(taught) { $0 < .noon } }
      if let taught = day.afternoon { visit(taught) { $0 >= .noon } }
    }
  }

  private static func times(_ slot: Slot, _ day: SchoolDays.Day) -> (ClockTime, ClockTime)? {
    switch slot.time {
    case .clock(let start, let end): (start, end)
    case .period(let number): day.periods.first { $0.number == number }.map { ($0.start, $0.end) }
    }
  }
}
