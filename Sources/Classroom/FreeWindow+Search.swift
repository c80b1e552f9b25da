extension ConflictChecker {
  /// The weekly times of the lead's bells at which a course would have no conflict and be taught at least once.
  ///
  /// Best first: free in all weeks asked for, then larger smallest overlap, smaller largest misfit, known before not
  /// known, weekday and period. In a published term, too, the course is one whose lessons follow from its weekly time.
  /// Cost: one `check(adding:)` of one weekly time for each period of the lead's week.
  public func free(_ request: FreeRequest) -> [FreeWindow] {
    // An identifier of nobody's: no lesson is of it.
    let nobody = Identifier(high: 0, low: 0)
    var course = Course(
      id: nobody, cluster: request.cluster ?? nobody, term: timetable.term.code, subject: request.subject ?? "",
      grades: request.grades, lead: request.lead, receivers: request.sites, mode: request.mode)
    var schools = schools
    let except = request.replacing.flatMap { orders[$0] }
    let empty = plan(course, order: .max, lessons: [], schools: &schools)
    var general = Inspection(
      of: empty, in: self, schools: schools, except: except, isOpenToAll: request.cluster == nil)
    general.inspectCourse()
    guard !general.isFaulty, let lead = timetable.institution(ofRoom: request.lead.room),
      let bells = timetable.bells[lead.id], let days = schools[lead.id]
    else { return [] }
    var windows: [FreeWindow] = []
    for weekday in 1...7 {
      let schedules = bells.schedules.filter { $0.weekdays.contains(weekday) }
      for period in Set(schedules.flatMap(\.periods).map(\.number)).sorted() {
        let time = Course.WeeklyTime(weekday: weekday, period: period, weeks: request.weeks, minutes: request.minutes)
        course.weeklyTimes = [time]
        let probe = plan(course, order: .max, lessons: [], schools: &schools)
        let found = FreeSearch(checker: self, schools: schools, request: request, lead: days, except: except)
        if let window = found.window(of: probe) { windows.append(window) }
      }
    }
    return windows.sorted { FreeSearch.rank($0, request) < FreeSearch.rank($1, request) }
  }
}

/// One weekly time, held against the timetable week by week.
struct FreeSearch {
  let checker: ConflictChecker
  let schools: SchoolTable
  let request: FreeRequest
  /// The days of the lead's school.
  let lead: SchoolDays
  let except: Int?

  /// Nil when no week is left, or none in which there is a lesson.
  func window(of probe: CheckedCourse) -> FreeWindow? {
    var probe = probe
    let asked = WeekSet(request.weeks.numbers.filter { $0 * 7 <= lead.days.count })
    var bad: Set<Int> = []
    for missing in probe.undated where missing.reason == .noPeriod {
      bad.formUnion(weeks(of: missing, weekday: probe.course.weeklyTimes[missing.weeklyTime].weekday))
    }
    // What is too much in a week with other weeks may not be so without them: asked again with what is left.
    while true {
      probe.bookings.removeAll { bad.contains(week(of: $0)) }
      var inspection = inspection(of: probe)
      inspection.inspectBookings()
      guard !inspection.faulty.isEmpty else { break }
      for booking in inspection.faulty { bad.insert(week(of: probe.bookings[booking])) }
    }
    let weeks = bad.isEmpty ? request.weeks : WeekSet(asked.numbers.filter { !bad.contains($0) })
    guard let (start, end) = usualTimes(probe.bookings), let time = probe.course.weeklyTimes.first else { return nil }
    return FreeWindow(
      weekday: time.weekday, period: time.period, start: start, end: end, weeks: weeks, sites: fits(probe.bookings))
  }

  private func inspection(of probe: CheckedCourse) -> Inspection {
    Inspection(of: probe, in: checker, schools: schools, except: except, isOpenToAll: request.cluster == nil)
  }

  /// The week that is taught: what the weeks of a weekly time count.
  private func week(of booking: Booking) -> Int {
    lead.taught(on: booking.date, at: booking.span.lowerBound)?.week ?? 0
  }

  /// Those that its date would have taught; its hour is not known.
  private func weeks(of missing: Undated, weekday: Int) -> [Int] {
    let day = lead[missing.date]
    return [day?.morning, day?.afternoon].compactMap { $0?.weekday == weekday ? $0?.week : nil }
  }

  /// Those of most lessons, of two the earlier in the term.
  private func usualTimes(_ bookings: [Booking]) -> (ClockTime, ClockTime)? {
    var counts: [(start: ClockTime, minutes: Int, count: Int)] = []
    for booking in bookings {
      let start = CivilTime.time(of: booking.span.lowerBound)
      if let place = counts.firstIndex(where: { $0.start == start && $0.minutes == booking.span.minutes }) {
        counts[place].count += 1
      } else {
        counts.append((start, booking.span.minutes, 1))
      }
    }
    guard var usual = counts.first else { return nil }
    for other in counts where other.count > usual.count { usual = other }
    return (usual.start, usual.start + usual.minutes)
  }

  private func fits(_ bookings: [Booking]) -> [FreeWindow.SiteFit] {
    guard let places = bookings.first?.sites.indices else { return [] }
    return places.map { place in
      let sites = bookings.map { $0.sites[place] }
      let isKnown = sites[0].schoolClass.map(checker.timetable.knowsLocals) ?? false
      return FreeWindow.SiteFit(
        room: sites[0].room, overlapMinutes: sites.map(\.overlap).min() ?? 0,
        misfit: sites.contains { $0.misfit == nil } ? nil : sites.compactMap(\.misfit).max(),
        isKnown: isKnown || request.mode == .research)
    }
  }

  /// The smaller comes first.
  static func rank(_ window: FreeWindow, _ request: FreeRequest) -> (Int, Int, Int, Int, Int) {
    (
      window.weeks == request.weeks ? 0 : 1, -(window.sites.map(\.overlapMinutes).min() ?? 0),
      window.sites.map { $0.misfit ?? .max }.max() ?? 0, window.sites.allSatisfy(\.isKnown) ? 0 : 1,
      window.weekday * 100 + window.period
    )
  }
}
