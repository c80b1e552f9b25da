/// What is wrong with a course whatever the day.
extension Inspection {
  mutating func inspectCourse() {
    inspectPairing()
    inspectRooms()
    inspectMode()
  }

  /// Lead first, then the receivers.
  private var parties: [Course.Party] { [course.lead] + course.receivers }

  private mutating func inspectPairing() {
    var seen: Set<Identifier> = []
    let members = Set(timetable.clusters[course.cluster]?.members.map(\.institution) ?? [])
    for party in parties {
      guard let institution = timetable.institution(ofRoom: party.room) else {
        report(
          Conflict(code: .unpairedInstitution, reason: .unknownRoom, course: course.id, room: party.room))
        continue
      }
      guard seen.insert(institution.id).inserted else { continue }
      if !members.contains(institution.id), !isOpenToAll {
        report(
          Conflict(
            code: .unpairedInstitution, reason: .notMember, course: course.id, institution: institution.id,
            resolutions: timetable.clusters[course.cluster] == nil ? [] : [.pairInstitution]))
      }
      if institution.kind == .teachingPoint, institution.parent == nil {
        report(
          Conflict(
            code: .unpairedInstitution, reason: .noParent, course: course.id, institution: institution.id,
            resolutions: [.nameParent]))
      }
    }
  }

  private mutating func inspectRooms() {
    for party in course.receivers {
      for conflict in lineConflicts(of: party.room) { report(conflict) }
    }
    for party in course.mode == .asyncDual ? course.receivers : parties {
      if let conflict = acceptanceConflict(of: party.room) { report(conflict) }
    }
  }

  /// Rooms that single lessons have in place of the course's.
  mutating func inspectChangedRooms() {
    let usual = Set(parties.map(\.room))
    for (index, booking) in subject.bookings.enumerated() where concerns(index) {
      for (position, site) in booking.sites.enumerated() where !usual.contains(site.room) {
        let conflicts = lineConflicts(of: site.room) + [acceptanceConflict(of: site.room)].compactMap(\.self)
        for conflict in conflicts { report(conflict, at: Place(booking: index, site: position)) }
      }
      guard booking.needsLead, !usual.contains(booking.leadRoom) else { continue }
      if let conflict = acceptanceConflict(of: booking.leadRoom) { report(conflict, at: Place(booking: index)) }
    }
  }

  /// Of a receiving room whose line is thinner than is asked; one that was never measured is not.
  private func lineConflicts(of id: Identifier) -> [Conflict] {
    guard let room = timetable.rooms[id] else { return [] }
    var conflicts: [Conflict] = []
    func note(_ reason: ConflictReason, _ rate: Int?, _ needed: Int) {
      guard let rate, rate < needed else { return }
      conflicts.append(
        Conflict(
          code: .siteBandwidth, reason: reason, course: course.id, room: room.id, resolutions: [.widenLine]))
    }
    note(.downlink, room.downlink, policy.siteDownlink)
    // A recorded lesson is played: nothing is sent.
    if course.mode != .asyncDual { note(.uplink, room.uplink, policy.siteUplink) }
    return conflicts
  }

  private func acceptanceConflict(of id: Identifier) -> Conflict? {
    guard let room = timetable.rooms[id], room.acceptedAt == nil else { return nil }
    return Conflict(
      code: .unacceptedRoom, severity: .warning, course: course.id, room: room.id, resolutions: [.acceptRoom])
  }

  private mutating func inspectMode() {
    func wrong(_ reason: ConflictReason, _ resolutions: [Resolution]) -> Conflict {
      Conflict(code: .modeOrRole, reason: reason, course: course.id, resolutions: resolutions)
    }
    let cluster = timetable.clusters[course.cluster]
    let lead = timetable.rooms[course.lead.room]?.institution
    if let member = cluster?.members.first(where: { $0.institution == lead }), !member.leads {
      var conflict = wrong(.leadOnlyReceives, [.letLead])
      conflict.institution = lead
      report(conflict)
    }
    if course.mode != .research, course.receivers.isEmpty { report(wrong(.noReceivers, [.addReceiver, .changeMode])) }
    switch course.mode {
    case .research:
      for case let schoolClass? in parties.map(\.schoolClass) {
        var conflict = wrong(.classInResearch, [.removeClass, .changeMode])
        conflict.schoolClass = schoolClass
        report(conflict)
      }
    case .asyncDual:
      for party in course.receivers where party.teacher == nil {
        var conflict = wrong(.noLocalTeacher, [.nameLocalTeacher])
        (conflict.severity, conflict.room) = (.warning, party.room)
        report(conflict)
      }
    case .sync: break
    }
    // The lead of a recorded lesson is not there.
    for party in course.mode == .asyncDual ? [] : course.receivers {
      var conflict = wrong(.leadReceives, [])
      conflict.room = party.room
      if let teacher = party.teacher, teacher == course.lead.teacher { conflict.person = teacher }
      if let schoolClass = party.schoolClass, schoolClass == course.lead.schoolClass {
        conflict.schoolClass = schoolClass
      }
      if conflict.person != nil || conflict.schoolClass != nil { report(conflict) }
    }
  }
}
