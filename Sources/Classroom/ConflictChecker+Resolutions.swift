/// What would resolve a conflict, asked of the rest of the timetable.
extension Inspection {
  /// Colleagues and rooms that are asked whether they are free.
  private static let candidates = 64

  func resolutions(of conflict: Conflict, at places: [Place]) -> [Resolution] {
    var offered = conflict.resolutions
    switch conflict.code {
    case .leadTeacher, .leadRoom, .leadClass, .siteRoom, .siteClass:
      if conflict.other != .course(course.id) {
        offered += adoption(at: places) { isOut($0, $1) }
        offered += shortening(at: places)
      }
      offered.append(.moveLesson)
      if conflict.other != .course(course.id) { offered += replacement(of: conflict, at: places) }
    case .bellMisfit where conflict.reason == .departs && conflict.severity == .conflict:
      offered += adoption(at: places) { place, kept in isClear(place, kept) }
      offered += fitting(at: places)
      offered.append(.moveLesson)
    case .bellMisfit where conflict.severity == .conflict, .relayCapacity: offered.append(.moveLesson)
    case .holiday where conflict.reason != .leadHoliday || conflict.severity == .warning: offered.append(.moveLesson)
    case .screenTime: offered += rests(conflict, at: places)
    default: break
    }
    return offered
  }

  // MARK: The site keeps the lead's bell

  private func adoption(at places: [Place], resolves: (Place, Range<Int64>) -> Bool) -> [Resolution] {
    var room: Identifier?
    for place in places {
      let booking = subject.bookings[place.booking]
      guard let site = place.site.map({ booking.sites[$0] }), booking.mode != .research, !site.keepsLeadBell,
        booking.weeklyTime != nil, room ?? site.room == site.room,
        let best = schools[site.institution]?.fit(booking.span, on: booking.date).best,
        resolves(place, booking.span.joined(best))
      else { return [] }
      room = site.room
    }
    return room.map { [.siteAdoptsLeadBell(room: $0)] } ?? []
  }

  /// Whether what a site would occupy leaves the other side alone.
  private func isOut(_ place: Place, _ occupied: Range<Int64>) -> Bool {
    place.other.map { !$0.overlaps(occupied) } ?? false
  }

  /// Whether a site has nothing else in the time it would occupy.
  private func isClear(_ place: Place, _ occupied: Range<Int64>) -> Bool {
    guard let position = place.site else { return false }
    let booking = subject.bookings[place.booking]
    let site = booking.sites[position]
    var resources: [Resource] = [.room(site.room)]
    if let schoolClass = site.schoolClass { resources.append(.schoolClass(schoolClass)) }
    if let teacher = site.teacher { resources.append(.person(teacher)) }
    return resources.allSatisfy { isClear($0, occupied, on: booking.date) }
  }

  private func isClear(_ resource: Resource, _ span: Range<Int64>, on date: CivilDate) -> Bool {
    var isClear = true
    checker.uses[resource]?.forEach(overlapping: span) { if isOther($0.order) { isClear = false } }
    let locals = checker.locals
    locals.forEach(of: locals.groups(resource), on: date, overlapping: span, schools: schools) { lesson, _ in
      let local = locals.lessons[lesson]
      if !fills(local.schoolClass, local.subject) { isClear = false }
    }
    return isClear
  }

  // MARK: A shorter lesson

  /// `minutes` when all lessons are longer and the policy lets them be that short; a weekly time has ten at least.
  private func shorten(_ minutes: Int?, at places: [Place]) -> [Resolution] {
    guard let minutes, minutes >= max(policy.shortestLesson, 10), minutes <= 120,
      places.allSatisfy({ subject.bookings[$0.booking].span.minutes > minutes })
    else { return [] }
    return [.shorten(minutes: minutes)]
  }

  /// Ends before what is in the way, and before the period of the site through which it is.
  private func shortening(at places: [Place]) -> [Resolution] {
    var minutes: Int?
    for place in places {
      guard let other = place.other else { return [] }
      let booking = subject.bookings[place.booking]
      var end = other.lowerBound
      if let site = place.site.map({ booking.sites[$0] }), let days = schools[site.institution] {
        for period in days.spans(on: booking.date)
        where period.overlaps(other) && period.lowerBound > booking.span.lowerBound {
          end = min(end, period.lowerBound)
        }
      }
      guard end > booking.span.lowerBound else { return [] }
      minutes = min(minutes ?? .max, (booking.span.lowerBound..<end).minutes)
    }
    let offered = shorten(minutes, at: places)
    guard let minutes, !offered.isEmpty, places.allSatisfy({ isOut($0, occupied(at: $0, minutes: minutes)) }) else {
      return []
    }
    return offered
  }

  /// What the place's side would occupy with a lesson of some minutes.
  private func occupied(at place: Place, minutes: Int) -> Range<Int64> {
    let booking = subject.bookings[place.booking]
    let span = booking.span.lowerBound..<(booking.span.lowerBound + Int64(minutes) * 60_000)
    guard let site = place.site.map({ booking.sites[$0] }), booking.mode != .research,
      let fit = schools[site.institution]?.fit(span, on: booking.date)
    else { return span }
    return site.keepsLeadBell ? fit.best.map { span.joined($0) } ?? span : fit.occupied
  }

  /// Ends with the site's period, where it begins with it but for the tolerance.
  private func fitting(at places: [Place]) -> [Resolution] {
    var minutes: Int?
    for place in places {
      let booking = subject.bookings[place.booking]
      guard let site = place.site.map({ booking.sites[$0] }),
        let fit = schools[site.institution]?.fit(booking.span, on: booking.date), let best = fit.best,
        abs(best.lowerBound - booking.span.lowerBound) <= Int64(min(policy.bellTolerance, 1_440)) * 60_000,
        fit.overlap >= policy.shortestLesson, best.upperBound > booking.span.lowerBound
      else { return [] }
      minutes = min(minutes ?? .max, (booking.span.lowerBound..<best.upperBound).minutes)
    }
    return shorten(minutes, at: places)
  }

  /// A lesson too long by itself is shortened, one too many is moved; the week's share is what it is.
  private func rests(_ conflict: Conflict, at places: [Place]) -> [Resolution] {
    switch conflict.reason {
    case .day: [.moveLesson]
    case .continuous where places.allSatisfy({ $0.other != nil }): [.moveLesson]
    case .continuous where places.allSatisfy({ $0.other == nil }): shorten(conflict.limit, at: places)
    default: []
    }
  }

  // MARK: Somebody or somewhere else

  private func replacement(of conflict: Conflict, at places: [Place]) -> [Resolution] {
    guard let first = places.first else { return [] }
    let booking = subject.bookings[first.booking]
    let institution =
      first.site.map { booking.sites[$0].institution } ?? timetable.rooms[booking.leadRoom]?.institution
    guard let institution else { return [] }
    func isFree(_ resource: Resource) -> Bool {
      places.allSatisfy { isClear(resource, occupied(at: $0), on: subject.bookings[$0.booking].date) }
    }
    switch conflict.code {
    case .leadTeacher:
      let own = Set(([course.lead] + course.receivers).compactMap(\.teacher))
      let others = (checker.personsOf[institution] ?? []).prefix(Self.candidates)
      return others.contains { !own.contains($0) && isFree(.person($0)) } ? [.changeTeacher] : []
    case .leadRoom, .siteRoom:
      let own = Set(([course.lead] + course.receivers).map(\.room))
      let others = (checker.roomsOf[institution] ?? []).prefix(Self.candidates)
      return others.contains { !own.contains($0) && isFree(.room($0)) } ? [.changeRoom] : []
    default: return []
    }
  }

  private func occupied(at place: Place) -> Range<Int64> {
    let booking = subject.bookings[place.booking]
    return place.site.map { booking.sites[$0].occupied } ?? booking.span
  }
}

extension SchoolDays {
  /// The periods of a date in UTC milliseconds.
  func spans(on date: CivilDate) -> [Range<Int64>] {
    (self[date]?.periods ?? []).compactMap { period in
      period.start < period.end
        ? CivilTime.instant(date, period.start)..<CivilTime.instant(date, period.end) : nil
    }
  }
}
