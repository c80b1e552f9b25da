/// What is needed twice at one time.
extension Inspection {
  mutating func inspectClashes() {
    for (resource, list) in subject.uses {
      if let others = checker.uses[resource] {
        for use in list where concerns(use.booking) { inspect(use, of: resource, against: others) }
      }
      let groups = checker.locals.groups(resource)
      guard !groups.isEmpty else { continue }
      for use in list where concerns(use.booking) { inspect(use, of: resource, against: groups) }
    }
    inspectOwnLessons()
  }

  private mutating func inspect(_ use: Use, of resource: Resource, against others: UseList) {
    others.forEach(overlapping: use.span) { other in
      guard isAsked(other.order), let course = checker.courses[other.order] else { return }
      let isLed =
        subject.bookings[use.booking].leads(with: resource) || course.bookings[other.booking].leads(with: resource)
      report(
        clash(over: resource, isLed: isLed, with: .course(course.course.id)),
        at: Place(booking: use.booking, site: use.site, other: other.span),
        weeklyTime: subject.bookings[use.booking].weeklyTime,
        otherTime: course.bookings[other.booking].weeklyTime)
    }
  }

  private mutating func inspect(_ use: Use, of resource: Resource, against groups: [LocalTable.Group]) {
    let booking = subject.bookings[use.booking]
    let locals = checker.locals
    locals.forEach(of: groups, on: booking.date, overlapping: use.span, schools: schools) { place, span in
      let local = locals.lessons[place]
      guard !fills(local.schoolClass, local.subject) else { return }
      report(
        clash(
          over: resource, isLed: use.site == nil,
          with: .local(schoolClass: local.schoolClass, subject: local.subject)),
        at: Place(booking: use.booking, site: use.site, other: span), weeklyTime: booking.weeklyTime,
        otherTime: place)
    }
  }

  /// Whether a local lesson is the slot that the course fills: of its subject, and of a class that takes part in it.
  func fills(_ schoolClass: Identifier, _ subject: String) -> Bool {
    guard subject == course.subject, course.mode != .research else { return false }
    return course.receivers.contains { $0.schoolClass == schoolClass }
      || course.mode == .sync && course.lead.schoolClass == schoolClass
  }

  private func clash(over resource: Resource, isLed: Bool, with other: Conflict.Other) -> Conflict {
    switch resource {
    case .person(let person):
      Conflict(code: .leadTeacher, course: course.id, other: other, person: person)
    case .room(let room):
      Conflict(code: isLed ? .leadRoom : .siteRoom, course: course.id, other: other, room: room)
    case .schoolClass(let schoolClass):
      Conflict(code: isLed ? .leadClass : .siteClass, course: course.id, other: other, schoolClass: schoolClass)
    }
  }

  /// Two lessons of the course itself have all in common: they are told once, by the room.
  private mutating func inspectOwnLessons() {
    let bookings = subject.bookings
    for (index, booking) in bookings.enumerated() {
      guard let room = booking.needsLead ? booking.leadRoom : booking.sites.first?.room else { continue }
      for earlier in (0..<index).reversed() {
        // None lasts longer than a day.
        guard bookings[earlier].span.lowerBound + Limits.plannedMilliseconds > booking.span.lowerBound else { break }
        guard bookings[earlier].span.overlaps(booking.span) else { continue }
        report(
          clash(over: .room(room), isLed: booking.needsLead, with: .course(course.id)),
          at: Place(booking: index, site: booking.needsLead ? nil : 0, other: bookings[earlier].span),
          weeklyTime: booking.weeklyTime, otherTime: bookings[earlier].weeklyTime)
      }
    }
  }
}

extension Booking {
  /// Whether it is led from a room, or by a class.
  fileprivate func leads(with resource: Resource) -> Bool {
    switch resource {
    case .person(let person): leadTeacher == person
    case .room(let room): needsLead && leadRoom == room
    case .schoolClass(let schoolClass): leadClass == schoolClass
    }
  }
}
