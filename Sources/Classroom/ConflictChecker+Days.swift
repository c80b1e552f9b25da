/// What the days and the bells of lead and sites are in the way of.
extension Inspection {
  private var leadSchool: Identifier? { timetable.rooms[course.lead.room]?.institution }

  /// Weekly times that fall out.
  mutating func inspectDays() {
    for missing in subject.undated {
      guard course.weeklyTimes.indices.contains(missing.weeklyTime) else { continue }
      let time = course.weeklyTimes[missing.weeklyTime]
      switch missing.reason {
      case .holiday:
        let period = leadSchool.flatMap {
          timetable.bells[$0]?.period(time.period, on: missing.date, weekday: time.weekday)
        }
        report(
          Conflict(
            code: .holiday, reason: .leadHoliday, severity: .note, course: course.id, institution: leadSchool),
          on: missing.date, weeklyTime: missing.weeklyTime, period?.start,
          period.map { period in time.minutes.map { period.start + $0 } ?? period.end })
      case .noPeriod:
        report(
          Conflict(
            code: .bellMisfit, reason: .noLeadPeriod, course: course.id, room: course.lead.room,
            institution: leadSchool), on: missing.date, weeklyTime: missing.weeklyTime, nil, nil)
      }
    }
  }

  /// Holidays, 调休 and bells of the sites, and holidays of a lead whose lessons are dated already.
  mutating func inspectSites() {
    let leadDays = leadSchool.flatMap { schools[$0] }
    for (index, booking) in subject.bookings.enumerated() where concerns(index) {
      let place = Place(booking: index)
      let lead = leadDays?.taught(on: booking.date, at: booking.span.lowerBound)
      if leadDays != nil, lead == nil, booking.needsLead {
        report(
          Conflict(
            code: .holiday, reason: .leadHoliday, severity: .warning, course: course.id, institution: leadSchool),
          at: place, weeklyTime: booking.weeklyTime)
      }
      for (position, site) in booking.sites.enumerated() {
        guard let days = schools[site.institution] else { continue }
        let taught = days.taught(on: booking.date, at: booking.span.lowerBound)
        if taught?.weekday != (lead?.weekday ?? booking.date.weekday) {
          report(
            Conflict(
              code: .holiday, reason: taught == nil ? .siteHoliday : .otherWeekday,
              severity: taught == nil ? .conflict : .warning, course: course.id, institution: site.institution),
            at: place, weeklyTime: booking.weeklyTime)
        }
        // Teachers among themselves keep no bells, and on a holiday there are none.
        guard taught != nil, booking.mode != .research else { continue }
        inspectBell(of: site, at: Place(booking: index, site: position), hasBells: days.hasBells)
      }
    }
  }

  private mutating func inspectBell(of site: Booking.Site, at place: Place, hasBells: Bool) {
    let weeklyTime = subject.bookings[place.booking].weeklyTime
    var conflict = Conflict(
      code: .bellMisfit, course: course.id, room: site.room, institution: site.institution,
      limit: policy.bellTolerance)
    switch site.misfit {
    case nil:
      (conflict.reason, conflict.severity) = hasBells ? (.noPeriod, .conflict) : (.noBells, .warning)
      report(conflict, at: place, weeklyTime: hasBells ? weeklyTime : nil)
    case 0?: break
    case let misfit?:
      conflict.reason = .departs
      conflict.severity = misfit <= policy.bellTolerance ? .note : .conflict
      report(conflict, at: place, weeklyTime: weeklyTime, minutes: misfit)
    }
  }
}
