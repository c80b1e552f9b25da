import Classroom

extension ConflictTown {
  /// A town in which much is wrong: bells, calendars, local lessons and courses at random, few resources for many
  /// courses.
  static func random(seed: UInt64, courses count: Int = 14) -> ConflictTown {
    var generator = SeededGenerator(seed: seed)
    var town = ConflictTown()
    town.policy = .standard
    town.policy.relaySeats = Int.random(in: 5...9, using: &generator)
    if Bool.random(using: &generator) { town.policy.screenTime.severity = .conflict }
    town.cluster.members = town.cluster.members.map { member in
      Cluster.Member(institution: member.institution, leads: Int.random(in: 0..<8, using: &generator) > 0)
    }
    for school in School.allCases where Bool.random(using: &generator) {
      let shift = [-12, -6, -5, -2, 3, 5, 12].randomElement(using: &generator) ?? 0
      let spans = bell.map { span in
        span.split(separator: "-").map { (time($0) + shift).description }.joined(separator: "-")
      }
      town.ring(school, spans)
    }
    for school in School.allCases where Int.random(in: 0..<3, using: &generator) == 0 {
      let day = date(8, 31) + Int.random(in: 0..<28, using: &generator)
      let kind: CalendarRule.Kind =
        Bool.random(using: &generator)
        ? .holiday : .follows(weekday: Int.random(in: 1...5, using: &generator), week: nil)
      let part = DayPart.allCases.randomElement(using: &generator) ?? .whole
      town.term.deviations.append(
        Term.Deviation(
          institution: institution(school), rules: [CalendarRule(from: day, through: day, part: part, kind: kind)]))
    }
    for _ in 0..<40 {
      let school = School.allCases.randomElement(using: &generator) ?? .lead
      town.teachLocally(
        school, UInt64.random(in: 1...3, using: &generator),
        teacher: person(school, .random(in: 1...3, using: &generator)),
        subject: ["music", "chinese"].randomElement(using: &generator) ?? "music",
        weekday: .random(in: 1...5, using: &generator), .period(.random(in: 1...6, using: &generator)),
        [WeekSet.all, .odd, .even].randomElement(using: &generator) ?? .all)
    }
    for number in 1...max(1, count) {
      town.courses.append(town.randomCourse(UInt64(number), &generator))
    }
    return town
  }

  func randomCourse(_ number: UInt64, _ generator: inout SeededGenerator) -> Course {
    let schools = [School.lead, .second, .third].shuffled(using: &generator)
    func party(_ school: School) -> Course.Party {
      var party = Self.party(school, .random(in: 1...3, using: &generator))
      party.teacher = Self.person(school, .random(in: 1...3, using: &generator))
      if Int.random(in: 0..<4, using: &generator) == 0 { party.teacher = nil }
      if Int.random(in: 0..<4, using: &generator) == 0 { party.schoolClass = nil }
      return party
    }
    let modes: [Course.Mode] = [.sync, .sync, .sync, .asyncDual, .research]
    var course = course(
      number, lead: party(schools[0]), sites: schools[1...].prefix(.random(in: 1...2, using: &generator)).map(party),
      mode: modes.randomElement(using: &generator) ?? .sync,
      subject: ["music", "art"].randomElement(using: &generator) ?? "art")
    for _ in 0..<Int.random(in: 1...2, using: &generator) {
      course.weeklyTimes.append(
        Self.weekly(
          .random(in: 1...5, using: &generator), .random(in: 1...6, using: &generator),
          [WeekSet.all, .all, .odd, .even, WeekSet([2, 3])].randomElement(using: &generator) ?? .all,
          minutes: [nil, nil, 35, 45].randomElement(using: &generator) ?? nil,
          adoptedBy: Bool.random(using: &generator) ? course.receivers.map(\.room) : []))
    }
    return course
  }
}
