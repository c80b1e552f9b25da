// Goal: what holds beside the table: who may hold and give what, no county sees another, nothing hostile traps.
// Method: cases written out, and random cities in which each answer is held against a plain re-reading of the rule.
import Classroom
import Testing

@Suite struct AccessRulesTests {
  private let school = Scope.school(SmallCity.schoolA1)

  @Test func nobodyHoldsTwoOfTheSeparatedAdmins() {
    let admins = [Role.systemAdmin, .securityAdmin, .auditor].map { Grant($0, .city) }
    for first in admins {
      for second in admins {
        #expect(AccessRules.conflicts([first, second]) == (first != second), "\(first.role) \(second.role)")
        guard first != second else { continue }
        let decision = AccessRules.decide(grants: [first, second], operation: .readPersons, target: .city)
        #expect(decision == .refused(.conflictingRoles))
      }
    }
    #expect(!AccessRules.conflicts([admins[0], Grant(.cityCoordinator, .city)]))
    for alone in [Grant(.auditor, .city), Grant(.parent, school), Grant(.device, .room(SmallCity.a1))] {
      #expect(AccessRules.conflicts([alone, Grant(.leadTeacher, school)]), "\(alone.role)")
      #expect(!AccessRules.conflicts([alone]))
    }
    let many = (0..<17).map { Grant(.schoolAdmin, .school(Identifier(high: 9, low: $0))) }
    #expect(AccessRules.conflicts(many) && !AccessRules.conflicts(many.dropLast()))
  }

  /// A parent who also teaches has two tokens; together they open nothing.
  @Test func aParentNeverOpensLiveMediaWithAnyOtherRole() {
    for role in Role.allCases {
      guard let kind = role.scopeKinds.sorted(by: { $0.rawValue < $1.rawValue }).first else { continue }
      let grants = [Grant(.parent, school), Grant(role, SmallCity.scope(kind))]
      for operation in AccessOperation.allCases where operation.isLiveMedia {
        for target in SmallCity.targets {
          let decision = AccessRules.decide(
            grants: grants, operation: operation, target: target.value, places: SmallCity.places)
          #expect(!decision.isAllowed, "\(role) \(operation) \(target.name)")
        }
      }
    }
  }

  @Test func aGrantOfAWrongScopeIsWorthNothing() {
    for role in Role.allCases {
      for kind in Scope.Kind.allCases where !role.scopeKinds.contains(kind) {
        let grant = Grant(role, SmallCity.scope(kind))
        #expect(throws: ClassroomError.badRange) { try grant.validate() }
      }
    }
    #expect(throws: ClassroomError.badName) { try Grant(.countyCoordinator, .county("")).validate() }
    let nameless = AccessRules.decide(
      grants: [Grant(.countyCoordinator, .county(""))], operation: .readRooms,
      target: .place(AccessPlace(county: "")))
    #expect(nameless == .refused(.wrongRole))
  }

  @Test func whatIsNotKnownBelongsToTheCityAlone() {
    let stray = Identifier(high: 77, low: 77)
    let targets: [AccessTarget] = [
      .place(SmallCity.places.place(school: stray)), .place(SmallCity.places.place(room: stray)),
      SmallCity.places.target(lesson: stray, seats: []),
    ]
    for target in targets {
      #expect(AccessRules.decide(grants: [Grant(.cityCoordinator, .city)], operation: .stop, target: target).isAllowed)
      let county = [Grant(.countyCoordinator, .county("冷水滩区"))]
      #expect(!AccessRules.decide(grants: county, operation: .stop, target: target).isAllowed)
    }
    #expect(SmallCity.places.target(.lesson(stray)) == nil)
    #expect(SmallCity.places.target(.room(SmallCity.a1)) == SmallCity.target("room a1"))
  }

  @Test func clustersAndCoursesAreChangedByWhoHasAllOfThem() {
    let cluster = Cluster(
      id: Identifier(high: 5, low: 1), name: "联校群",
      members: [
        Cluster.Member(institution: SmallCity.schoolA1, leads: true),
        Cluster.Member(institution: SmallCity.schoolB1, leads: false),
      ])
    let course = Course(
      id: Identifier(high: 5, low: 2), cluster: cluster.id, term: "2026-2027-1", subject: "music", grades: [3],
      lead: Course.Party(room: SmallCity.a1), receivers: [Course.Party(room: SmallCity.a2)])
    let county = [Grant(.countyCoordinator, .county("冷水滩区"))]
    let places = SmallCity.places
    func may(_ operation: AccessOperation, _ target: AccessTarget) -> Bool {
      AccessRules.decide(grants: county, operation: operation, target: target).isAllowed
    }
    #expect(may(.readClusters, places.target(cluster: cluster)))
    #expect(!may(.changeClusters, places.target(cluster: cluster)))
    #expect(may(.changeCourses, places.target(course: course)))
  }

  @Test func rolesAreGivenWithinOnesOwnScopeAlone() {
    let places = SmallCity.places
    func give(_ grant: Grant, by giver: [Grant], to held: [Grant] = []) -> AccessDecision {
      AccessRules.decideGiving(grant, at: places.target(grant.scope) ?? .city, to: held, by: giver)
    }
    let county = [Grant(.countyCoordinator, .county("冷水滩区"))]
    let admin = [Grant(.schoolAdmin, school)]
    #expect(give(Grant(.schoolAdmin, school), by: county) == .allowed)
    #expect(give(Grant(.schoolAdmin, .school(SmallCity.schoolB1)), by: county) == .refused(.outsideScope))
    #expect(give(Grant(.countyCoordinator, .county("冷水滩区")), by: county) == .refused(.wrongRole))
    #expect(give(Grant(.leadTeacher, school), by: admin) == .allowed)
    #expect(give(Grant(.schoolAdmin, school), by: admin) == .refused(.wrongRole))
    #expect(give(Grant(.device, .room(SmallCity.a1)), by: admin) == .allowed)
    #expect(give(Grant(.device, .room(SmallCity.a2)), by: admin) == .refused(.outsideScope))
    let system = [Grant(.systemAdmin, .city)]
    #expect(give(Grant(.auditor, .city), by: system) == .allowed)
    #expect(give(Grant(.auditor, .city), by: system, to: system) == .refused(.conflictingRoles))
    #expect(give(Grant(.auditor, .city), by: [Grant(.auditor, .city)]) == .refused(.auditorNeverChanges))
    #expect(give(Grant(.leadTeacher, .city), by: system) == .refused(.outsideScope))
    // The place from one grant and the role from another make no right.
    let mixed = [Grant(.schoolAdmin, .school(SmallCity.schoolB1)), Grant(.countyCoordinator, .county("冷水滩区"))]
    #expect(give(Grant(.researcher, .school(SmallCity.schoolB1)), by: mixed) == .refused(.outsideScope))
  }

  @Test func scopesReadBack() {
    for kind in Scope.Kind.allCases {
      let scope = SmallCity.scope(kind)
      #expect(Scope(scope.description) == scope)
    }
    let hostile = [
      "", "city:", "City", "county:", "county", "county:\u{0}", "school:", "school:zz", "room", "lesson:../../",
      "county:" + String(repeating: "县", count: 201), String(repeating: "a", count: 5_000_000), ":", "city:x",
    ]
    for text in hostile { #expect(Scope(text) == nil, "\(text.prefix(20))") }
  }

  /// Random cities and lessons: a county's grant reads exactly what has a place in the county.
  @Test func noCountySeesAnother() {
    var generator = SeededGenerator(seed: 7)
    let counties = ["甲", "乙", "丙"]
    var seen = 0
    for _ in 0..<2_000 {
      let rooms = (0..<6).map { _ in
        AccessPlace(
          county: counties[Int(generator.next() % 3)], school: Identifier(high: 1, low: generator.next() % 9),
          room: Identifier(high: 2, low: generator.next() % 9))
      }
      let joint = AccessTarget.Joint(
        lesson: Identifier(high: 3, low: 3), leads: Array(rooms.prefix(Int(generator.next() % 2))),
        sites: Array(rooms.suffix(Int(generator.next() % 4))))
      let holder = counties[Int(generator.next() % 3)]
      let isThere = (joint.leads + joint.sites).contains { $0.county == holder }
      for operation in [AccessOperation.readLessons, .watchLive, .readReports, .receiveMedia] {
        let decision = AccessRules.decide(
          grants: [Grant(.countyCoordinator, .county(holder))], operation: operation, target: .joint(joint))
        #expect(decision.isAllowed == isThere)
      }
      // Of a shared lesson a county sees its own sites' rows, and all of them where it leads.
      for site in joint.sites {
        var row = joint
        row.actedOn = site
        let decision = AccessRules.decide(
          grants: [Grant(.countyCoordinator, .county(holder))], operation: .watchLive, target: .joint(row))
        let leads =
          joint.leads.isEmpty ? joint.sites.allSatisfy { $0.county == holder } : joint.leads[0].county == holder
        #expect(decision.isAllowed == (leads || site.county == holder))
        seen += decision.isAllowed ? 1 : 0
      }
    }
    #expect(seen > 500)
  }
}
