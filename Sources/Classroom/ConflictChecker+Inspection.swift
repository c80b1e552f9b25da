/// One course held against the courses before it.
struct Inspection {
  /// What makes two findings repetitions of one conflict.
  private struct Key: Hashable {
    var conflict: Conflict
    var weeklyTime: Int?
    var otherTime: Int?
  }

  /// Where a repetition took place, for the resolutions.
  struct Place {
    var booking: Int
    /// Among the booking's sites; nil for the lead.
    var site: Int?
    /// What is in the way, UTC milliseconds.
    var other: Range<Int64>?
  }

  let subject: CheckedCourse
  let checker: ConflictChecker
  let schools: SchoolTable
  private let bound: Int
  private let except: Int?
  /// The booking that alone is asked about; nil for all.
  private var focus: Int?
  /// Whether the cluster does not matter.
  let isOpenToAll: Bool
  private var found: [(conflict: Conflict, places: [Place])] = []
  private var positions: [Key: Int] = [:]
  /// Bookings of the subject that have a finding of severity `conflict`.
  private(set) var faulty: Set<Int> = []
  /// Whether something is so wrong with the course, whatever the day.
  private(set) var isFaulty = false

  /// - Parameters:
  ///   - before: courses of this order and later ones are not looked at.
  ///   - except: nor is that of this one.
  ///   - isOpenToAll: members of any cluster may take part.
  init(
    of subject: CheckedCourse, in checker: ConflictChecker, schools: SchoolTable, before: Int = .max,
    except: Int? = nil, isOpenToAll: Bool = false
  ) {
    self.subject = subject
    self.checker = checker
    self.schools = schools
    bound = before
    self.except = except
    self.isOpenToAll = isOpenToAll
  }

  var course: Course { subject.course }
  var timetable: Timetable { checker.timetable }
  var policy: TimetablePolicy { checker.timetable.policy }

  func isAsked(_ order: Int) -> Bool { order < bound && order != except }
  /// What would resolve a conflict must be out of the way of later courses too.
  func isOther(_ order: Int) -> Bool { order != subject.order && order != except }

  /// In the order of the codes.
  func conflicts() -> [Conflict] {
    var inspection = self
    inspection.inspectCourse()
    inspection.inspectDays()
    inspection.inspectBookings()
    return inspection.resolved()
  }

  /// Those of one dated lesson, in the order of the codes.
  func conflicts(of lesson: Identifier) -> [Conflict] {
    var inspection = self
    inspection.focus = subject.bookings.firstIndex { $0.lesson == lesson }
    guard inspection.focus != nil else { return [] }
    inspection.inspectBookings()
    return inspection.resolved()
  }

  private func resolved() -> [Conflict] {
    let resolved = found.map { finding in
      var conflict = finding.conflict
      conflict.resolutions = resolutions(of: conflict, at: finding.places)
      return conflict
    }
    return ConflictCode.allCases.flatMap { code in resolved.filter { $0.code == code } }
  }

  /// Whether what is wrong with a booking is told.
  func concerns(_ booking: Int) -> Bool { focus == nil || focus == booking }

  /// Of two of its own lessons either may be the one that is asked about.
  private func concerns(_ conflict: Conflict, _ place: Place) -> Bool {
    guard let focus, focus != place.booking else { return true }
    return conflict.other == .course(course.id) && place.other == subject.bookings[focus].span
  }

  /// What depends on the other lessons of the term and on the bells and days of the sites.
  mutating func inspectBookings() {
    inspectSites()
    inspectChangedRooms()
    inspectClashes()
    inspectLoad()
    inspectScreens()
  }

  /// Takes down what is wrong whatever the day.
  mutating func report(_ conflict: Conflict) {
    if conflict.severity == .conflict { isFaulty = true }
    found.append((conflict, []))
  }

  /// Takes down what is wrong with one booking, as a repetition where there is one already.
  mutating func report(
    _ conflict: Conflict, at place: Place, weeklyTime: Int? = nil, otherTime: Int? = nil, minutes: Int? = nil,
    limit: Int? = nil, seats: Int? = nil
  ) {
    guard concerns(conflict, place) else { return }
    let booking = subject.bookings[place.booking]
    if conflict.severity == .conflict { faulty.insert(place.booking) }
    let start = CivilTime.time(of: booking.span.lowerBound)
    let position = position(
      Key(conflict: conflict, weeklyTime: weeklyTime, otherTime: otherTime), booking.date, start,
      start + booking.span.minutes)
    found[position].places.append(place)
    if let minutes, minutes > found[position].conflict.minutes ?? -1 {
      found[position].conflict.minutes = minutes
      if let limit { found[position].conflict.limit = limit }
    }
    if let seats { found[position].conflict.seats = max(seats, found[position].conflict.seats ?? seats) }
  }

  /// Takes down what is wrong with a date on which there is no lesson.
  mutating func report(
    _ conflict: Conflict, on date: CivilDate, weeklyTime: Int, _ start: ClockTime?, _ end: ClockTime?
  ) {
    _ = position(Key(conflict: conflict, weeklyTime: weeklyTime), date, start, end)
  }

  private mutating func position(_ key: Key, _ date: CivilDate, _ start: ClockTime?, _ end: ClockTime?) -> Int {
    guard let position = positions[key] else {
      positions[key] = found.count
      var conflict = key.conflict
      (conflict.dates, conflict.start, conflict.end) = ([date], start, end)
      found.append((conflict, []))
      return found.count - 1
    }
    // Findings come by date, but for those of the screen and of lessons that were moved.
    let dates = found[position].conflict.dates
    if let last = dates.last, date <= last {
      let place = dates.firstIndex { $0 >= date } ?? dates.count
      guard place == dates.count || dates[place] != date else { return position }
      found[position].conflict.dates.insert(date, at: place)
      if place == 0 { (found[position].conflict.start, found[position].conflict.end) = (start, end) }
    } else {
      found[position].conflict.dates.append(date)
    }
    return position
  }
}
