import Classroom

/// Finds conflicts by comparing every two dated lessons minute by minute, from the rows of the term alone.
///
/// Written from what is asked of the timetable and not from how it is answered: it shares only values with it, neither
/// the calendar's nor the bells' nor the bookings' arithmetic.
struct BruteForce {
  /// Something wrong on one date.
  struct Finding: Hashable, Comparable, CustomStringConvertible {
    var code: ConflictCode
    /// Of misfits and holidays alone.
    var reason: ConflictReason?
    var severity = TimetablePolicy.Severity.conflict
    var course: Identifier
    var other: Conflict.Other?
    /// The person, the room, the class or the school; nil for the relay and the lead's own bells.
    var what: Identifier?
    var date: CivilDate

    var description: String {
      "\(date) \(code) \(reason.map { "\($0)" } ?? "") \(severity) \(course) with \(other.map { "\($0)" } ?? "-") at "
        + "\(what?.description ?? "-")"
    }
    static func < (first: Self, second: Self) -> Bool { first.description < second.description }
  }

  enum Kind { case person, room, schoolClass }

  /// Whom or what a lesson needs, in which minutes of its date.
  struct Use {
    var who: Identifier
    var kind: Kind
    var isLead: Bool
    var minutes: Range<Int>
  }

  struct Lesson {
    /// In the order of the courses.
    var course: Int
    var date: CivilDate
    var minutes: Range<Int>
    /// The week that is taught.
    var week: Int
    /// As it was first planned.
    var origin: LessonOrigin
    var uses: [Use]
    var seats: Int
    /// What is wrong with it by the bells and days of its sites.
    var misfits: [Finding]
  }

  /// What a published lesson has become.
  struct Change {
    var date: CivilDate
    var minutes: Range<Int>
    var teacher: Identifier?
    /// In place of the course's, by those.
    var rooms: [Identifier: Identifier] = [:]
  }

  private(set) var timetable: Timetable
  /// By course and origin; nil within for what is cancelled.
  private let changes: [Identifier: [LessonOrigin: Change?]]
  let schedules: [Identifier: [BellSchedule]]
  private(set) var lessons: [Lesson] = []
  private(set) var findings: Set<Finding> = []
  /// By school and day.
  private var rings: [Identifier: [Int: [Range<Int>]]] = [:]
  /// Places in `lessons` by the day of their date.
  private var byDay: [Int: [Int]] = [:]
  /// Local lessons by the day of their date.
  private var locals: [Int: [(lesson: LocalLesson, minutes: Range<Int>)]] = [:]

  init(
    _ timetable: Timetable, bells: [BellSchedule], changes: [Identifier: [LessonOrigin: Change?]] = [:]
  ) {
    self.timetable = timetable
    self.changes = changes
    schedules = Dictionary(grouping: bells, by: \.institution)
    dateDays()
    for index in timetable.courses.indices { check(index) }
  }

  /// Holds a course against those before it.
  private mutating func check(_ index: Int) {
    let before = lessons.count
    date(index)
    for place in lessons.indices[before...] { byDay[lessons[place].date.day, default: []].append(place) }
    for lesson in lessons[before...] {
      findings.formUnion(lesson.misfits)
      for other in byDay[lesson.date.day] ?? [] { compare(lessons[other], lesson) }
      compareWithLocals(lesson)
      countSeats(lesson)
    }
  }

  /// The lessons of a course behind all others, and what is wrong with them alone.
  func adding(_ course: Course) -> (lessons: [Lesson], findings: Set<Finding>) {
    var other = self
    other.findings = []
    other.timetable.courses.append(course)
    other.check(timetable.courses.count)
    return (Array(other.lessons[lessons.count...]), other.findings)
  }

  // MARK: The calendar

  /// Which weekday of which week a school teaches at a minute of a date.
  func taught(_ school: Institution, _ date: CivilDate, _ minute: Int) -> (weekday: Int, week: Int)? {
    let term = timetable.term
    let own = term.deviations.last { $0.institution == school.id }
    let county = term.deviations.last { $0.region == school.region }
    let firstDay = own?.firstDay ?? county?.firstDay ?? term.firstDay
    let offset = date.day - firstDay.day + firstDay.weekday - 1
    guard (0..<term.weeks * 7).contains(offset) else { return nil }
    for rules in [own?.rules, county?.rules, term.rules] {
      for rule in (rules ?? []).reversed() where rule.from.day <= date.day && date.day <= rule.through.day {
        if rule.part == .morning && minute >= 720 || rule.part == .afternoon && minute < 720 { continue }
        switch rule.kind {
        case .holiday: return nil
        case .ordinary: return (date.weekday, offset / 7 + 1)
        case .follows(let weekday, let week): return (weekday, week ?? offset / 7 + 1)
        }
      }
    }
    return (date.weekday, offset / 7 + 1)
  }

  /// The bells a school has for a weekday, in the season of a date.
  func bells(_ school: Institution, _ date: CivilDate, _ weekday: Int) -> [(number: Int, minutes: Range<Int>)] {
    var best: (length: Int, days: Int, periods: [BellSchedule.Period])?
    for schedule in schedules[school.id] ?? [] {
      if let from = schedule.from, date < from { continue }
      if let through = schedule.through, through < date { continue }
      guard schedule.weekdays.contains(weekday) else { continue }
      var length = 10_000_000
      if schedule.from != nil || schedule.through != nil { length = 1_000_000 }
      if let from = schedule.from, let through = schedule.through { length = through.day - from.day }
      if let best, (best.length, best.days) <= (length, schedule.weekdays.count) { continue }
      best = (length, schedule.weekdays.count, schedule.periods)
    }
    return (best?.periods ?? []).map { ($0.number, $0.start.minute..<$0.end.minute) }
  }

  /// The periods that ring at a school on a date: those of the weekday that their part of the day is taught as.
  func ringing(_ school: Institution, _ date: CivilDate) -> [Range<Int>] {
    (1...7).flatMap { weekday in
      bells(school, date, weekday).map(\.minutes).filter {
        taught(school, date, $0.lowerBound)?.weekday == weekday
      }
    }.sorted { $0.lowerBound < $1.lowerBound }
  }

  // MARK: The lessons

  private mutating func date(_ index: Int) {
    let course = timetable.courses[index]
    guard let school = timetable.rooms[course.lead.room].flatMap({ timetable.institutions[$0.institution] }) else {
      return
    }
    for day in timetable.term.firstDay.day - 14...timetable.term.firstDay.day + timetable.term.weeks * 7 + 14 {
      guard let date = CivilDate(day: day) else { continue }
      let halves = [0, 720].compactMap { taught(school, date, $0) }
      for time in course.weeklyTimes where halves.contains(where: { $0.weekday == time.weekday }) {
        guard let period = bells(school, date, time.weekday).first(where: { $0.number == time.period }) else {
          if halves.contains(where: { $0.weekday == time.weekday && time.weeks.contains($0.week) }) {
            findings.insert(
              Finding(code: .bellMisfit, reason: .noLeadPeriod, course: course.id, date: date))
          }
          continue
        }
        guard let day = taught(school, date, period.minutes.lowerBound), day.weekday == time.weekday,
          time.weeks.contains(day.week)
        else { continue }
        let start = period.minutes.lowerBound
        let end = min(period.minutes.upperBound, start + (time.minutes ?? 1_440))
        let origin = LessonOrigin(date: date, period: time.period)
        let planned = Change(date: date, minutes: start..<end)
        guard let held = changes[course.id]?[origin] ?? planned else { continue }
        let isMoved = held.date != date || held.minutes.lowerBound != start
        let heldDay = taught(school, held.date, held.minutes.lowerBound)
        lessons.append(
          lesson(
            index, held, origin, day: heldDay ?? (held.date.weekday, 0), adoptedBy: isMoved ? [] : time.adoptedBy))
      }
    }
  }

  private func lesson(
    _ index: Int, _ held: Change, _ origin: LessonOrigin, day: (weekday: Int, week: Int), adoptedBy: [Identifier]
  ) -> Lesson {
    let (date, minutes) = (held.date, held.minutes)
    let course = timetable.courses[index]
    var lesson = Lesson(
      course: index, date: date, minutes: minutes, week: day.week, origin: origin, uses: [],
      seats: course.mode == .asyncDual ? 0 : 1,
      misfits: [])
    if course.mode != .asyncDual {
      lesson.uses.append(
        Use(who: held.rooms[course.lead.room] ?? course.lead.room, kind: .room, isLead: true, minutes: minutes))
      if let teacher = held.teacher ?? course.lead.teacher {
        lesson.uses.append(Use(who: teacher, kind: .person, isLead: true, minutes: minutes))
      }
      if let row = course.lead.schoolClass, course.mode == .sync {
        lesson.uses.append(Use(who: row, kind: .schoolClass, isLead: true, minutes: minutes))
      }
    }
    for site in course.receivers {
      let room = held.rooms[site.room] ?? site.room
      guard let school = timetable.rooms[room].flatMap({ timetable.institutions[$0.institution] }) else {
        continue
      }
      if course.mode != .asyncDual { lesson.seats += 1 }
      let (occupied, misfit) = suit(
        minutes, school, date, room, course, keeps: adoptedBy.contains(site.room))
      lesson.misfits += [misfit, holiday(minutes, school, date, day.weekday, course)].compactMap { $0 }
      lesson.uses.append(Use(who: room, kind: .room, isLead: false, minutes: occupied))
      if let teacher = site.teacher {
        lesson.uses.append(Use(who: teacher, kind: .person, isLead: false, minutes: occupied))
      }
      if let row = site.schoolClass, course.mode != .research {
        lesson.uses.append(Use(who: row, kind: .schoolClass, isLead: false, minutes: occupied))
      }
    }
    return lesson
  }

  /// A site that has no lessons then, or those of another weekday.
  private func holiday(
    _ minutes: Range<Int>, _ school: Institution, _ date: CivilDate, _ weekday: Int, _ course: Course
  ) -> Finding? {
    let day = taught(school, date, minutes.lowerBound)
    if day?.weekday == weekday { return nil }
    return Finding(
      code: .holiday, reason: day == nil ? .siteHoliday : .otherWeekday, severity: day == nil ? .conflict : .warning,
      course: course.id, what: school.id, date: date)
  }

  /// What a lesson takes of a site's day, and what is wrong with that.
  private func suit(
    _ minutes: Range<Int>, _ school: Institution, _ date: CivilDate, _ room: Identifier, _ course: Course, keeps: Bool
  ) -> (occupied: Range<Int>, misfit: Finding?) {
    if course.mode == .research { return (minutes, nil) }
    let touched = (rings[school.id]?[date.day] ?? []).filter { period in minutes.contains { period.contains($0) } }
    var best: Range<Int>?
    func shared(_ period: Range<Int>) -> Int { minutes.count { period.contains($0) } }
    for period in touched where best.map({ shared(period) > shared($0) }) ?? true { best = period }
    var occupied = minutes
    for period in touched where !keeps || period == best {
      occupied = min(occupied.lowerBound, period.lowerBound)..<max(occupied.upperBound, period.upperBound)
    }
    // On a holiday the day is what is wrong, not its bells.
    guard !keeps, taught(school, date, minutes.lowerBound) != nil else { return (occupied, nil) }
    var finding = Finding(code: .bellMisfit, reason: .departs, course: course.id, what: room, date: date)
    if schedules[school.id] == nil {
      // What is not known is no conflict.
      (finding.reason, finding.severity) = (.noBells, .warning)
      return (occupied, finding)
    }
    guard let best else {
      finding.reason = .noPeriod
      return (occupied, finding)
    }
    let early = abs(minutes.lowerBound - best.lowerBound)
    let misfit = max(early, minutes.upperBound - best.upperBound)
    if misfit == 0 { return (occupied, nil) }
    if misfit <= timetable.policy.bellTolerance { finding.severity = .note }
    return (occupied, finding)
  }

  // MARK: What meets

  private func meet(_ first: Range<Int>, _ second: Range<Int>) -> Bool { first.contains { second.contains($0) } }

  private mutating func compare(_ first: Lesson, _ second: Lesson) {
    if first.course == second.course {
      compareWithin(first, second)
      return
    }
    let (earlier, later) = first.course < second.course ? (first, second) : (second, first)
    for one in earlier.uses {
      for other in later.uses where one.kind == other.kind && one.who == other.who {
        guard meet(one.minutes, other.minutes) else { continue }
        findings.insert(
          Finding(
            code: code(one.kind, isLed: isLed(earlier, by: one) || isLed(later, by: other)),
            course: timetable.courses[later.course].id, other: .course(timetable.courses[earlier.course].id),
            what: one.who, date: later.date))
      }
    }
  }

  /// Two lessons of one course share everything: that is told once, by the room.
  private mutating func compareWithin(_ first: Lesson, _ second: Lesson) {
    let course = timetable.courses[second.course]
    guard first.origin != second.origin, meet(first.minutes, second.minutes),
      let room = second.uses.first(where: { $0.kind == .room })
    else { return }
    findings.insert(
      Finding(
        code: room.isLead ? .leadRoom : .siteRoom, course: course.id, other: .course(course.id), what: room.who,
        date: second.date))
  }

  private func isLed(_ lesson: Lesson, by use: Use) -> Bool {
    lesson.uses.contains { $0.isLead && $0.kind == use.kind && $0.who == use.who }
  }

  private func code(_ kind: Kind, isLed: Bool) -> ConflictCode {
    switch kind {
    case .person: .leadTeacher
    case .room: isLed ? .leadRoom : .siteRoom
    case .schoolClass: isLed ? .leadClass : .siteClass
    }
  }

  /// Those whose classes have the lesson.
  private static func parties(of course: Course) -> [Course.Party] {
    switch course.mode {
    case .sync: course.receivers + [course.lead]
    case .asyncDual: course.receivers
    case .research: []
    }
  }

  private mutating func compareWithLocals(_ lesson: Lesson) {
    let course = timetable.courses[lesson.course]
    let parties = Self.parties(of: course).compactMap(\.schoolClass)
    for (local, minutes) in locals[lesson.date.day] ?? [] {
      // The slot that the course fills.
      if local.subject == course.subject, parties.contains(local.schoolClass) { continue }
      for use in lesson.uses where use.who == local.schoolClass || use.who == local.teacher {
        guard meet(use.minutes, minutes) else { continue }
        findings.insert(
          Finding(
            code: code(use.kind, isLed: use.isLead), course: course.id,
            other: .local(schoolClass: local.schoolClass, subject: local.subject), what: use.who, date: lesson.date))
      }
    }
  }

  /// The local lessons and the bells of every day of the term.
  private mutating func dateDays() {
    for day in timetable.term.firstDay.day - 14...timetable.term.firstDay.day + timetable.term.weeks * 7 + 14 {
      guard let date = CivilDate(day: day) else { continue }
      var weekdays: [Identifier: Set<Int>] = [:]
      for school in timetable.institutions.values {
        weekdays[school.id] = Set([0, 720].compactMap { taught(school, date, $0)?.weekday })
        rings[school.id, default: [:]][day] = ringing(school, date)
      }
      locals[day] = timetable.localLessons.values.joined().compactMap { local in
        guard weekdays[local.institution]?.contains(local.weekday) == true else { return nil }
        return minutes(of: local, on: date).map { (local, $0) }
      }
    }
  }

  private func minutes(of local: LocalLesson, on date: CivilDate) -> Range<Int>? {
    guard let school = timetable.institutions[local.institution] else { return nil }
    let minutes: Range<Int>
    switch local.time {
    case .clock(let start, let end): minutes = start.minute..<end.minute
    case .period(let number):
      guard let period = bells(school, date, local.weekday).first(where: { $0.number == number }) else { return nil }
      minutes = period.minutes
    }
    guard let day = taught(school, date, minutes.lowerBound) else { return nil }
    return day.weekday == local.weekday && local.weeks.contains(day.week) ? minutes : nil
  }

  /// Too many seats in some minute of the lesson, with the courses up to its own.
  private mutating func countSeats(_ lesson: Lesson) {
    guard lesson.seats > 0 else { return }
    let together = (byDay[lesson.date.day] ?? []).map { lessons[$0] }.filter { $0.course <= lesson.course }
    let most = lesson.minutes.map { minute in
      together.reduce(0) { $0 + ($1.minutes.contains(minute) ? $1.seats : 0) }
    }.max()
    guard let most, most > timetable.policy.relaySeats else { return }
    findings.insert(
      Finding(code: .relayCapacity, course: timetable.courses[lesson.course].id, date: lesson.date))
  }
}
