// Goal: who may do what where is exactly what was agreed, for every role, operation and scope. Method: the whole
// product is decided and held against two tables written out by hand: how far each role's right goes, and what such a
// right means at each place of a small city.
import Classroom
import Testing

@Suite struct AccessTableTests {
  /// Columns: systemAdmin, securityAdmin, auditor, cityCoordinator, countyCoordinator, schoolAdmin | leadTeacher,
  /// localTeacher, researcher, reviewer | device, platform, parent. A letter says how far the right goes (see
  /// `meaning`), a point that there is none.
  static let table: [(AccessOperation, String)] = [
    (.readInstitutions, "t.tttt tttt .t."),
    (.readRooms, "t.tttt ttt. ..."),
    (.readClasses, "..tttt ttt. ..."),
    (.readPersons, "tttttt .... ..."),
    (.readClusters, "..tttt ttt. ..."),
    (.readCourses, "..tttt tttt .t."),
    (.readTerms, "e.teee eeee eee"),
    (.readBells, "e.teee eeee eee"),
    (.readLocalLessons, "..tttt tt.. ..."),
    (.readLessons, "..tttt tttt ttt"),
    (.changeInstitutions, "...ww. .... ..."),
    (.changeRooms, "...www .... ..."),
    (.changeClasses, "...www .... ..."),
    (.changePersons, "...www .... ..."),
    (.changeClusters, "...ww. .... ..."),
    (.changeCourses, "...ww. .... ..."),
    (.changeTerms, "...www .... ..."),
    (.changeBells, "...www .... ..."),
    (.changeLocalLessons, "...www .... ..."),
    (.changeLesson, "...ll. .... ..."),
    (.importTables, "...www .... ..."),
    (.exportTables, "..tttt ..t. ..."),
    (.shareCalendars, "...ttt tt.. ..."),
    (.publishTerm, "...ww. .... ..."),
    (.acceptRoom, "...ww. .... ..."),
    (.testRoom, "...www ww.. w.."),
    (.watchLive, "..tttt ttt. t.."),
    (.call, "...lll l... ..."),
    (.mute, "...aaa l... ..."),
    (.eject, "...aaa l... ..."),
    (.ban, "...aaa l... ..."),
    (.grantMedia, "...lll l... ..."),
    (.pause, "...lll l... ..."),
    (.mark, "...lll l... ..."),
    (.conductPlayback, "...ttt .t.. t.."),
    (.stop, ".w.lll l... ..."),
    (.stopAll, ".w.www .... ..."),
    (.publishLead, "...... l... l.."),
    (.publishReturn, "...... tt.. t.."),
    (.receiveMedia, "...ttt ttt. t.."),
    (.readResources, "..teee eeee eee"),
    (.reviewResources, "...www ...w ..."),
    (.readReports, "..tttt ltt. .t."),
    (.readAudit, "..t... .... ..."),
    (.readMetrics, "w.t... .... ..."),
    (.readUnpublished, "..tlll l..l ..."),
    (.replayLesson, "..t... tt.. t.."),
    (.submitResources, "...lll l... ..."),
    (.answerPush, "...www ww.. ..."),
    (.deliverUsage, "...ww. .... .t."),
    (.manageAccounts, "w..www .... ..."),
    (.revokeTokens, ".w.www .... ..."),
    (.enrolDevices, "...www .... ..."),
    (.changeSecurity, ".w.... .... ..."),
    (.changeSettings, "w..... .... ..."),
  ]

  static let columns: [Role] = [
    .systemAdmin, .securityAdmin, .auditor, .cityCoordinator, .countyCoordinator, .schoolAdmin, .leadTeacher,
    .localTeacher, .researcher, .reviewer, .device, .platform, .parent,
  ]

  /// What a right that goes so far comes to with a grant of each scope, target by target, in the order of
  /// `SmallCity.targets`.
  static let meaning: [(Scope.Kind, Character, String)] = [
    (.county, "w", "010 110 110 10000 000"),
    (.county, "l", "010 110 110 11000 100"),
    (.county, "a", "010 110 110 11000 110"),
    (.county, "t", "010 110 110 11101 110"),
    (.county, "e", "110 110 110 11101 110"),
    (.school, "w", "000 100 110 00000 000"),
    (.school, "l", "000 100 110 11000 100"),
    (.school, "a", "000 100 110 11000 110"),
    (.school, "t", "000 100 110 11101 110"),
    (.school, "e", "110 100 110 11101 110"),
    (.room, "w", "000 000 100 00000 000"),
    (.room, "l", "000 000 100 11000 100"),
    (.room, "a", "000 000 100 11000 110"),
    (.room, "t", "000 000 100 11101 110"),
    (.room, "e", "110 100 100 11101 110"),
    (.lesson, "w", "000 000 000 01000 100"),
    (.lesson, "l", "000 000 000 01000 100"),
    (.lesson, "a", "000 000 000 01000 100"),
    (.lesson, "t", "000 000 000 01000 100"),
    (.lesson, "e", "100 000 000 01000 100"),
  ]

  /// Which scopes a role may be given: what has none of these is worth nothing anywhere.
  static let scopes: [Role: Set<Scope.Kind>] = [
    .systemAdmin: [.city], .securityAdmin: [.city], .auditor: [.city], .cityCoordinator: [.city],
    .countyCoordinator: [.county], .schoolAdmin: [.school], .leadTeacher: [.school, .room, .lesson],
    .localTeacher: [.school, .room, .lesson], .researcher: [.city, .county, .school, .lesson],
    .reviewer: [.city, .county], .device: [.room], .platform: [.city, .county], .parent: [.school],
  ]

  private static func cells(_ text: String) -> [Character] { text.filter { $0 != " " } }

  @Test func theTableIsWhole() {
    #expect(Self.table.map(\.0) == AccessOperation.allCases, "every operation once, in order")
    #expect(Set(Self.columns) == Set(Role.allCases) && Self.columns.count == Role.allCases.count)
    #expect(Set(Self.scopes.keys) == Set(Role.allCases))
    for (operation, row) in Self.table { #expect(Self.cells(row).count == 13, "\(operation)") }
    for (kind, letter, row) in Self.meaning {
      #expect(Self.cells(row).count == SmallCity.targets.count, "\(kind) \(letter)")
    }
  }

  @Test(arguments: Scope.Kind.allCases) func everyRoleOperationAndTarget(kind: Scope.Kind) throws {
    let scope = SmallCity.scope(kind)
    var allowed = 0
    for (operation, row) in Self.table {
      for (role, letter) in zip(Self.columns, Self.cells(row)) {
        let isGiven = try #require(Self.scopes[role]).contains(kind)
        let expected: [Character]
        if letter == "." || !isGiven {
          expected = Array(repeating: "0", count: SmallCity.targets.count)
        } else if kind == .city {
          expected = Array(repeating: "1", count: SmallCity.targets.count)
        } else {
          expected = Self.cells(try #require(Self.meaning.first { $0.0 == kind && $0.1 == letter }).2)
        }
        for (target, verdict) in zip(SmallCity.targets, expected) {
          let decision = AccessRules.decide(
            grants: [Grant(role, scope)], operation: operation, target: target.value, places: SmallCity.places)
          #expect(
            decision.isAllowed == (verdict == "1"), "\(role) of \(kind): \(operation) on \(target.name): \(decision)")
          allowed += decision.isAllowed ? 1 : 0
        }
      }
    }
    #expect(allowed > 50, "nothing was allowed to anybody")
  }

  @Test func refusalsSayWhy() {
    func reason(_ grants: [Grant], _ operation: AccessOperation, _ target: String) -> AccessDecision.Reason? {
      let decision = AccessRules.decide(
        grants: grants, operation: operation, target: SmallCity.target(target), places: SmallCity.places)
      if case .refused(let reason) = decision { return reason }
      return nil
    }
    let county = Grant(.countyCoordinator, .county("冷水滩区"))
    #expect(reason([], .readTerms, "city") == .noGrant)
    #expect(reason([county], .stopAll, "county A") == nil)
    #expect(reason([county], .stopAll, "county B") == .outsideScope)
    #expect(reason([county], .stopAll, "city") == .outsideScope)
    #expect(reason([county], .readAudit, "county A") == .wrongRole)
    let parent = Grant(.parent, .school(SmallCity.schoolA1))
    for operation in [AccessOperation.receiveMedia, .publishReturn, .publishLead] {
      #expect(reason([parent], operation, "own lesson") == .parentNeverLive)
    }
    let auditor = Grant(.auditor, .city)
    for operation in AccessOperation.allCases where !operation.isReading {
      #expect(reason([auditor], operation, "city") == .auditorNeverChanges, "\(operation)")
    }
    for operation in AccessOperation.allCases where operation.isReading {
      #expect(reason([auditor], operation, "own lesson") == nil, "\(operation)")
    }
  }
}

/// Two counties, four schools, five rooms and the lessons between them, seen from county A, school A1 and room a1.
enum SmallCity {
  static let schoolA1 = Identifier(high: 1, low: 1)
  static let schoolA2 = Identifier(high: 1, low: 2)
  static let schoolB1 = Identifier(high: 1, low: 3)
  static let schoolB2 = Identifier(high: 1, low: 4)
  static let a1 = Identifier(high: 2, low: 1)
  static let a1x = Identifier(high: 2, low: 2)
  static let a2 = Identifier(high: 2, low: 3)
  static let b1 = Identifier(high: 2, low: 4)
  static let b2 = Identifier(high: 2, low: 5)
  static let crossLesson = Identifier(high: 3, low: 2)

  static let places = AccessPlaces(
    regions: [schoolA1: "冷水滩区", schoolA2: "冷水滩区", schoolB1: "零陵区", schoolB2: "零陵区"],
    institutions: [a1: schoolA1, a1x: schoolA1, a2: schoolA2, b1: schoolB1, b2: schoolB2])

  static func scope(_ kind: Scope.Kind) -> Scope {
    switch kind {
    case .city: .city
    case .county: .county("冷水滩区")
    case .school: .school(schoolA1)
    case .room: .room(a1)
    case .lesson: .lesson(crossLesson)
    }
  }

  private static func lesson(
    _ number: UInt64, lead: Identifier?, sites: [Identifier], actedOn: Identifier? = nil
  ) -> AccessTarget {
    let id = Identifier(high: 3, low: number)
    let rooms = (lead.map { [($0, Seat.Role.lead)] } ?? []) + sites.map { ($0, .receiver) }
    let seats = rooms.enumerated().map { index, room in
      Seat(id: Identifier(high: 4, low: UInt64(index)), lesson: id, role: room.1, room: room.0)
    }
    return places.target(lesson: id, seats: seats, actedOn: actedOn)
  }

  static let targets: [(name: String, value: AccessTarget)] = [
    ("city", .city),
    ("county A", .place(AccessPlace(county: "冷水滩区"))),
    ("county B", .place(AccessPlace(county: "零陵区"))),
    ("school A1", .place(places.place(school: schoolA1))),
    ("school A2", .place(places.place(school: schoolA2))),
    ("school B1", .place(places.place(school: schoolB1))),
    ("room a1", .place(places.place(room: a1))),
    ("room a1x", .place(places.place(room: a1x))),
    ("room b1", .place(places.place(room: b1))),
    ("own lesson", lesson(1, lead: a1, sites: [a2])),
    ("cross lesson", lesson(2, lead: a1, sites: [a2, b1])),
    ("received lesson", lesson(3, lead: b1, sites: [a1])),
    ("foreign lesson", lesson(4, lead: b1, sites: [b2])),
    ("research without lead", lesson(5, lead: nil, sites: [a1, b1])),
    ("cross lesson, b1", lesson(2, lead: a1, sites: [a2, b1], actedOn: b1)),
    ("received lesson, a1", lesson(3, lead: b1, sites: [a1], actedOn: a1)),
    ("received lesson, b1", lesson(3, lead: b1, sites: [a1], actedOn: b1)),
  ]

  static func target(_ name: String) -> AccessTarget {
    guard let target = targets.first(where: { $0.name == name }) else { preconditionFailure("no target \(name)") }
    return target.value
  }
}
