// Goal: each code that is not about double booking is reported when it applies, at its severity, and not a minute
// before. Method: a small town in which nothing is wrong, changed by the one thing a test is about.
import Classroom
import Testing

@Suite struct ConflictRuleTests {
  typealias Town = ConflictTown
  let town = ConflictTown()
  var course: Course { town.course(1, Town.weekly(1, 3)) }

  private func check(_ course: Course? = nil, _ change: (inout ConflictTown) -> Void) -> [Conflict] {
    var town = town
    change(&town)
    return town.check(course ?? self.course)
  }

  @Test func institutionsThatAreNotPaired() {
    let stranger = town.check(town.course(1, sites: [Town.party(.stranger)], Town.weekly(1, 3)))
    #expect(stranger.map(\.code) == [.unpairedInstitution])
    #expect(stranger.first?.reason == .notMember)
    #expect(stranger.first?.institution == Town.institution(.stranger))
    #expect(stranger.first?.resolutions == [.pairInstitution])
    #expect(stranger.first?.dates == [])
    let orphan = check { $0.institutions[1].kind = .teachingPoint }
    #expect(orphan.map(\.reason) == [.noParent])
    #expect(
      check {
        $0.institutions[1].kind = .teachingPoint
        $0.institutions[1].parent = Town.institution(.third)
      } == [])
    let gone = check { $0.rooms.removeAll { $0.id == Town.room(.second) } }
    #expect(gone.map(\.reason) == [.unknownRoom])
    var unknown = course
    unknown.cluster = Identifier(high: 8, low: 2)
    #expect(town.check(unknown).map(\.reason) == [.notMember, .notMember])
    #expect(town.check(unknown).map(\.resolutions) == [[], []])
  }

  @Test func bellsThatDepart() throws {
    func misfit(_ third: String) -> [Conflict] {
      check { $0.ring(.second, ["08:00-08:40", "08:50-09:30", third, "11:10-11:50"]) }
    }
    #expect(misfit("10:10-10:50") == [])
    let note = misfit("10:15-10:55")
    #expect(note.map(\.code) == [.bellMisfit])
    #expect(note.map(\.severity) == [.note])
    #expect(note.map(\.minutes) == [5])
    #expect(note.map(\.limit) == [5])
    let conflict = try #require(misfit("10:16-10:56").first)
    #expect(conflict.severity == .conflict)
    #expect(conflict.minutes == 6)
    #expect(conflict.room == Town.room(.second))
    #expect(conflict.dates.count == 4)
    #expect(conflict.resolutions == [.siteAdoptsLeadBell(room: Town.room(.second)), .moveLesson])
    // The site's period ends six minutes early: the lesson may end with it, while 35 minutes are left.
    #expect(
      misfit("10:04-10:45").first?.resolutions == [.siteAdoptsLeadBell(room: Town.room(.second)), .moveLesson],
      "a shorter lesson does not begin earlier")
    func early(_ end: String) -> [Resolution]? {
      check {
        $0.ring(.lead, ["08:00-08:45", "08:50-09:35", "10:10-10:55"])
        $0.ring(.second, ["08:00-08:40", "10:10-\(end)"])
      }.first?.resolutions
    }
    #expect(
      early("10:47") == [.siteAdoptsLeadBell(room: Town.room(.second)), .shorten(minutes: 37), .moveLesson])
    #expect(early("10:44") == [.siteAdoptsLeadBell(room: Town.room(.second)), .moveLesson])
  }

  @Test func anAdoptedBell() {
    func bells(_ town: inout ConflictTown) {
      town.ring(.second, ["08:00-08:40", "08:50-09:30", "10:00-10:40", "10:45-11:25"])
    }
    let room = Town.room(.second)
    #expect(check(nil, bells).map(\.resolutions) == [[.siteAdoptsLeadBell(room: room), .moveLesson]])
    let adopted = town.course(1, Town.weekly(1, 3, adoptedBy: [room]))
    #expect(check(adopted, bells) == [])
    #expect(check(town.course(1, Town.weekly(1, 3, adoptedBy: [Town.room(.third)])), bells).count == 1)
    // The class has Chinese in the fourth period, which the lesson runs into: that is in the way, adopted or not.
    func busy(_ town: inout ConflictTown) {
      bells(&town)
      town.teachLocally(.second, weekday: 1, .period(4))
    }
    #expect(check(nil, busy).map(\.code) == [.siteClass, .bellMisfit])
    #expect(check(nil, busy).map { $0.resolutions.first } == [.shorten(minutes: 35), .moveLesson])
    #expect(check(adopted, busy).map(\.code) == [.siteClass])
    // A later course needs the room while the site would keep the lead's bell.
    var town = town
    bells(&town)
    let later = town.course(
      2, lead: Town.party(.third), sites: [Course.Party(room: room)], Town.weekly(1, 3, .odd))
    #expect(town.check(course, later).first { $0.code == .bellMisfit }?.resolutions == [.moveLesson])
  }

  @Test func periodsThatThereAreNot() {
    let between = check { $0.ring(.second, ["08:00-08:40", "08:50-09:30", "11:00-11:40"]) }
    #expect(between.map(\.reason) == [.noPeriod])
    #expect(between.map(\.severity) == [.conflict])
    let unknown = check { town in town.bells.removeAll { $0.institution == Town.institution(.second) } }
    #expect(unknown.map(\.reason) == [.noBells])
    #expect(unknown.map(\.severity) == [.warning])
    #expect(unknown.first?.dates.count == 4)
    let ninth = check(town.course(1, Town.weekly(1, 9))) { _ in }
    #expect(ninth.map(\.reason) == [.noLeadPeriod])
    #expect(ninth.first?.dates.count == 4)
  }

  @Test func holidays() {
    let monday = CalendarRule(from: Town.date(9, 7), through: Town.date(9, 7), kind: .holiday)
    let everywhere = check { $0.term.rules = [monday] }
    #expect(everywhere.map(\.reason) == [.leadHoliday])
    #expect(everywhere.map(\.severity) == [.note])
    #expect(everywhere.map(\.dates) == [[Town.date(9, 7)]])
    #expect(everywhere.first?.start == Town.time("10:10"))
    func atSite(_ rule: CalendarRule) -> [Conflict] {
      check { $0.term.deviations = [Term.Deviation(institution: Town.institution(.second), rules: [rule])] }
    }
    let site = atSite(monday)
    #expect(site.map(\.reason) == [.siteHoliday])
    #expect(site.map(\.severity) == [.conflict])
    #expect(site.map(\.institution) == [Town.institution(.second)])
    #expect(site.map(\.dates) == [[Town.date(9, 7)]])
    #expect(site.map(\.resolutions) == [[.moveLesson]])
    var afternoon = monday
    afternoon.part = .afternoon
    #expect(atSite(afternoon) == [])
    var other = monday
    other.kind = .follows(weekday: 2, week: nil)
    #expect(atSite(other).map(\.reason) == [.otherWeekday])
    #expect(atSite(other).map(\.severity) == [.warning])
    other.kind = .follows(weekday: 1, week: 1)
    #expect(atSite(other) == [])
  }

  @Test func relayCapacity() {
    func check(_ seats: Int, _ second: Course.WeeklyTime, mode: Course.Mode = .sync) -> [Conflict] {
      var town = town
      town.policy.relaySeats = seats
      return town.check(
        course, town.course(2, lead: Town.party(.lead, 2), sites: [Town.party(.third)], mode: mode, second))
    }
    #expect(check(4, Town.weekly(1, 3)) == [])
    let full = check(3, Town.weekly(1, 3, .odd))
    #expect(full.map(\.code) == [.relayCapacity])
    #expect(full.map(\.course) == [Town.course(2)])
    #expect(full.map(\.seats) == [4])
    #expect(full.map(\.limit) == [3])
    #expect(full.map(\.dates) == [[Town.date(8, 31), Town.date(9, 14)]])
    #expect(check(3, Town.weekly(1, 4)) == [])
    #expect(check(3, Town.weekly(1, 3), mode: .asyncDual) == [])
    #expect(check(1, Town.weekly(1, 4)).map(\.code) == [.relayCapacity, .relayCapacity])
  }

  @Test func roomsAndTheirLines() {
    let room = Town.room(.second)
    func check(_ change: (inout Room) -> Void) -> [Conflict] { self.check { $0.change(room: room, change) } }
    #expect(check { $0.acceptedAt = nil }.map(\.code) == [.unacceptedRoom])
    #expect(check { $0.acceptedAt = nil }.map(\.severity) == [.warning])
    #expect(self.check { $0.change(room: Town.room(.lead)) { $0.acceptedAt = nil } }.map(\.code) == [.unacceptedRoom])
    #expect(self.check { $0.change(room: Town.room(.third)) { $0.acceptedAt = nil } } == [])
    #expect(check { ($0.downlink, $0.uplink) = (2_500, 500) } == [])
    #expect(check { ($0.downlink, $0.uplink) = (nil, nil) } == [])
    #expect(check { $0.downlink = 2_499 }.map(\.reason) == [.downlink])
    #expect(check { $0.uplink = 499 }.map(\.reason) == [.uplink])
    #expect(check { $0.uplink = 499 }.map(\.severity) == [.conflict])
    #expect(self.check { $0.change(room: Town.room(.lead)) { $0.uplink = 1 } } == [])
  }

  @Test func modesAndParts() {
    func codes(_ course: Course) -> [ConflictReason?] { town.check(course).map(\.reason) }
    let time = Town.weekly(1, 3)
    #expect(codes(town.course(1, lead: Town.party(.second), sites: [Town.party(.third)], time)) == [.leadOnlyReceives])
    #expect(codes(town.course(1, lead: Town.party(.third), time)) == [])
    #expect(codes(town.course(1, sites: [], time)) == [.noReceivers])
    #expect(codes(town.course(1, sites: [], mode: .asyncDual, time)) == [.noReceivers])
    #expect(codes(town.course(1, lead: Course.Party(room: Town.room(.lead)), sites: [], mode: .research, time)) == [])
    #expect(codes(town.course(1, mode: .research, time)) == [.classInResearch, .classInResearch])
    let alone = Course.Party(schoolClass: Town.schoolClass(.second), room: Town.room(.second))
    #expect(codes(town.course(1, sites: [alone], time)) == [])
    #expect(codes(town.course(1, sites: [alone], mode: .asyncDual, time)) == [.noLocalTeacher])
    #expect(town.check(town.course(1, sites: [alone], mode: .asyncDual, time)).first?.severity == .warning)
    var both = Town.party(.second)
    both.teacher = Town.person(.lead)
    #expect(codes(town.course(1, sites: [both], time)) == [.leadReceives])
    #expect(codes(town.course(1, sites: [both], mode: .asyncDual, time)) == [])
  }

  @Test func lessonsOverMidnightLoadTheRelayTwice() {
    var town = town
    town.policy.relaySeats = 3
    town.term.state = .published
    func lesson(_ number: UInt64, _ day: Int, _ from: String, hours: Int64) -> Lesson {
      let start = CivilTime.instant(Town.date(9, day), Town.time(from))
      let id = Identifier(high: 7, low: number)
      return Lesson(
        id: id, registration: id, course: Town.course(number), cluster: town.cluster.id, title: "教研",
        plannedStart: start, plannedEnd: start + hours * 3_600_000,
        origin: LessonOrigin(date: Town.date(9, day), period: 1))
    }
    func codes(_ lessons: [Lesson]) -> [Conflict] {
      town.lessons = lessons
      let lead = Course.Party(room: Town.room(.lead, 2))
      let site = Course.Party(room: Town.room(.third))
      let research = town.course(2, lead: lead, sites: [site], mode: .research, Town.weekly(1, 1))
      let first = town.course(1, sites: [Course.Party(room: Town.room(.second))], mode: .research, Town.weekly(1, 1))
      return town.check(first, research).filter { $0.code == .relayCapacity }
    }
    let night = lesson(1, 8, "22:00", hours: 12)
    #expect(codes([night, lesson(2, 9, "09:00", hours: 1)]).map(\.dates) == [[Town.date(9, 9)]])
    #expect(codes([night, lesson(2, 9, "10:00", hours: 1)]) == [])
    let long = lesson(2, 8, "22:00", hours: 12)
    #expect(codes([lesson(1, 9, "09:00", hours: 1), long]).map(\.dates) == [[Town.date(9, 8)]])
  }

  @Test func nothingTrapsOnAPolicyOrTermThatMakesNoSense() {
    var town = town
    for index in town.rooms.indices { town.rooms[index].acceptedAt = nil }
    for school in Town.School.allCases { town.teachLocally(school, weekday: 1, .period(3)) }
    for extreme in [Int.min, -1, 0, Int.max] {
      town.policy.bellTolerance = extreme
      town.policy.shortestLesson = extreme
      town.policy.relaySeats = extreme
      town.policy.screenTime.weeklyShare = extreme
      town.policy.screenTime.breakMinutes = extreme
      town.policy.screenTime.continuousMinutes = extreme
      town.policy.screenTime.dailyMinutes = [extreme]
      town.term.weeks = extreme == .max ? 30 : max(0, extreme)
      let checker = ConflictChecker(town.timetable(course))
      #expect(checker.check().contains { $0.code == .unacceptedRoom })
      #expect(checker.free(FreeRequest(for: course)).count <= 30)
    }
  }
}
