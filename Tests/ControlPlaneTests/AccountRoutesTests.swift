// Goal: accounts are made, given roles and let in over HTTP by those who may, and by nobody else; who comes in, and
// who is refused, stands in the trail. Method: a running relay; each route is asked with a token of each role, and the
// roles that get through are compared with a written-out list.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct AccountRoutesTests {
  private typealias Kind = Problem.Kind

  /// A county with two schools, a teacher who leads at A01, and a device in A01-1.
  private struct County {
    let asked: TimetableRelay
    let school: Identifier
    let room: Identifier
    let teacher: Identifier
    var store: LedgerStore { asked.relay.store }

    init() async throws {
      asked = try await TimetableRelay()
      try #require(try await asked.send(asked.places + [asked.courses()]).status == 200)
      let store = asked.relay.store
      school = try #require(try store.institution(number: "A01")).id
      room = try #require(try store.rooms(number: "A01-1").first).id
      teacher = try #require(try store.person(institution: school, staffNumber: "1001")).id
    }

    func token(_ role: Role, _ scope: Scope) throws -> String { try asked.token(role, scope) }

    /// A scope of each role that covers the school, or is as wide as it may be.
    func scope(of role: Role) -> Scope {
      switch role {
      case .countyCoordinator: .county(TimetableRelay.county)
      case .schoolAdmin, .leadTeacher, .localTeacher, .parent: .school(school)
      case .device: .room(room)
      default: .city
      }
    }

    /// The roles whose tokens a request is not refused to.
    func allowed(_ method: String, _ path: String, _ body: (any Encodable)?) async throws -> Set<Role> {
      var allowed: Set<Role> = []
      for role in Role.allCases {
        let answer = try await asked.ask(method, path, token: token(role, scope(of: role)), body: body)
        #expect(answer.status < 500, "\(method) \(path) as \(role): \(answer.text)")
        if answer.status != 403 { allowed.insert(role) }
      }
      return allowed
    }
  }

  private static let readers: Set<Role> = [
    .systemAdmin, .securityAdmin, .auditor, .cityCoordinator, .countyCoordinator, .schoolAdmin,
  ]
  private static let keepers: Set<Role> = [.systemAdmin, .cityCoordinator, .countyCoordinator, .schoolAdmin]
  private static let enrollers: Set<Role> = [.cityCoordinator, .countyCoordinator, .schoolAdmin]

  @Test func eachRouteIsForTheRolesThatAreWrittenHere() async throws {
    let county = try await County()
    let desk = county.asked.relay.accessDesk
    try county.store.give(
      HeldGrant(
        id: Identifier(high: 9, low: 1), subject: county.teacher, grant: Grant(.leadTeacher, .school(county.school))))
    let device = try desk.enrol(link: desk.makeDeviceLink(room: county.room).code, from: "192.0.2.1")
    try #require(try await county.asked.ask("POST", "/api/v1/terms/T1/publish").status == 200)
    let lesson = try #require(try county.store.lessons(room: county.room).first).id
    let person = "/api/v1/accounts/A01%2F1001"
    typealias Row = (method: String, path: String, body: (any Encodable)?, roles: Set<Role>)
    let table: [Row] = [
      ("GET", "/api/v1/accounts", nil, Self.readers), ("GET", "/api/v1/accounts?institution=A01", nil, Self.readers),
      ("GET", person, nil, Self.readers),
      ("POST", "/api/v1/accounts", AccountRequest(name: "张一", institution: "A01", staffNumber: "77"), Self.keepers),
      (
        "POST", "/api/v1/accounts", AccountRequest(name: "张二", institution: nil, staffNumber: "78"),
        [.systemAdmin, .cityCoordinator]
      ),
      ("POST", person + "/grants", GrantRequest(role: "localTeacher", scope: "school:A01"), Self.keepers),
      (
        "POST", person + "/grants", GrantRequest(role: "schoolAdmin", scope: "school:A01"),
        [.systemAdmin, .cityCoordinator, .countyCoordinator]
      ),
      ("POST", person + "/grants", GrantRequest(role: "systemAdmin", scope: "city"), [.systemAdmin]),
      ("POST", person + "/identity", IdentityReply(issuer: "https://id.example.cn", subject: "u7"), [.systemAdmin]),
      ("DELETE", person + "/sessions", nil, [.securityAdmin, .cityCoordinator]),
      ("POST", person + "/lock", nil, [.securityAdmin]), ("POST", person + "/unlock", nil, [.securityAdmin]),
      ("DELETE", person + "/second-factor", nil, [.securityAdmin]),
      ("POST", person + "/links", nil, [.systemAdmin]), ("DELETE", person + "/identity", nil, [.systemAdmin]),
      ("POST", "/api/v1/rooms/A01-1/device-codes", ["kind": "link"], Self.enrollers),
      ("GET", "/api/v1/devices", nil, Self.enrollers), ("GET", "/api/v1/devices?room=A01-1", nil, Self.enrollers),
      ("DELETE", "/api/v1/devices/\(device.device)", nil, Self.enrollers),
      ("GET", "/api/v1/devices/me/next-lesson", nil, [.device]),
      ("POST", "/api/v1/lessons/\(lesson)/seat", [String: String](), [.leadTeacher, .device]),
      ("GET", "/api/v1/session", nil, Set(Role.allCases)), ("POST", "/api/v1/session/refresh", nil, []),
      ("POST", "/api/v1/session/terminal-code", nil, []),
    ]
    for row in table {
      let allowed = try await county.allowed(row.method, row.path, row.body)
      #expect(allowed == row.roles, "\(row.method) \(row.path): \(allowed.symmetricDifference(row.roles))")
    }
    await county.asked.relay.stop()
  }

  @Test func anotherPlacesKeepersHaveNoHandInIt() async throws {
    let county = try await County()
    let other = try #require(try county.store.institution(number: "B01")).id
    let strangers = [
      try county.token(.countyCoordinator, .county("乙县")), try county.token(.schoolAdmin, .school(other)),
    ]
    let person = "/api/v1/accounts/A01%2F1001"
    for token in strangers {
      for (method, path, body) in [
        ("GET", person, nil), ("POST", person + "/links", nil), ("DELETE", person + "/sessions", nil),
        ("POST", person + "/grants", GrantRequest(role: "leadTeacher", scope: "school:A01")),
        ("POST", "/api/v1/rooms/A01-1/device-codes", ["kind": "digits"]),
      ] as [(String, String, (any Encodable)?)] {
        let answer = try await county.asked.ask(method, path, token: token, body: body)
        #expect(answer.status == 403 && answer.kind == "outsideScope", "\(method) \(path): \(answer.text)")
      }
      let list: AccountList = try await county.asked.ask("GET", "/api/v1/accounts?all=1", token: token).value()
      #expect(list.accounts.isEmpty)
    }
    let own: AccountList = try await county.asked.ask(
      "GET", "/api/v1/accounts?all=1&limit=1", token: county.token(.schoolAdmin, .school(county.school))
    ).value()
    #expect(own.accounts.count == 1 && own.accounts[0].institution == "A01" && own.next != nil)
    let next: AccountList = try await county.asked.ask(
      "GET", "/api/v1/accounts?all=1&cursor=\(own.next ?? "")"
    ).value()
    #expect(next.accounts.count == 1 && next.accounts != own.accounts && next.next == nil)
    let refusals = try county.store.auditEntries(limit: 1_000).filter { $0.entry.outcome == .refused }
    #expect(refusals.count >= 10, "every refusal stands in the trail")
    await county.asked.relay.stop()
  }

  @Test func nobodyComesInAsSomebodyWhoMayMore() async throws {
    let county = try await County()
    let admin = try county.token(.schoolAdmin, .school(county.school))
    let person = "/api/v1/accounts/A01%2F1001"
    #expect(try await county.asked.ask("POST", person + "/links", token: admin).status == 201)
    let more = GrantRequest(role: "countyCoordinator", scope: "county:\(TimetableRelay.county)")
    #expect(try await county.asked.ask("POST", person + "/grants", body: more).status == 201)
    for (path, body) in [
      ("/links", nil), ("/identity", IdentityReply(issuer: "https://id.example.cn", subject: "me")),
    ] as [(String, (any Encodable)?)] {
      #expect(try await county.asked.ask("POST", person + path, token: admin, body: body).kind == "outsideScope")
    }
    // 三员: nobody holds two of them, whoever gives them.
    let system = try county.token(.systemAdmin, .city)
    let security = AccountRequest(
      name: "安全员", institution: nil, staffNumber: "9", grant: GrantRequest(role: "securityAdmin", scope: "city"))
    #expect(try await county.asked.ask("POST", "/api/v1/accounts", token: system, body: security).status == 201)
    for role in ["systemAdmin", "auditor"] {
      let answer = try await county.asked.ask(
        "POST", "/api/v1/accounts/%2F9/grants", token: system, body: GrantRequest(role: role, scope: "city"))
      #expect(answer.status == 403 && answer.kind == "conflictingRoles")
    }
    for (role, scope) in [("teacher", "city"), ("leadTeacher", "city"), ("leadTeacher", "school:"), ("parent", "x")] {
      let answer = try await county.asked.ask(
        "POST", person + "/grants", body: GrantRequest(role: role, scope: scope))
      #expect(answer.status == 400, "\(role) \(scope): \(answer.text)")
    }
    let unknown = GrantRequest(role: "leadTeacher", scope: "school:Z99")
    #expect(try await county.asked.ask("POST", person + "/grants", body: unknown).status == 404)
    #expect(try await county.asked.ask("GET", "/api/v1/accounts/A01%2F9999").status == 404)
    await county.asked.relay.stop()
  }

  // MARK: Sessions

  private func signIn(_ county: County, _ code: String, from address: String = "203.0.113.9") async throws
    -> TimetableRelay.Answer
  {
    try await county.asked.ask(
      "POST", "/api/v1/sign-in", token: "none", body: SignInRequest(code: code),
      headers: ["X-Forwarded-For": address])
  }

  @Test func aLinkMakesASessionThatIsKeptTakenToATerminalAndEnded() async throws {
    let county = try await County()
    let ask = county.asked.ask
    let person = "/api/v1/accounts/A01%2F1001"
    let given: AccountReply = try await ask(
      "POST", person + "/grants", nil, GrantRequest(role: "leadTeacher", scope: "room:A01-1"), [:]
    ).value()
    #expect(given.grants.map(\.scope) == ["room:A01-1"] && given.grants[0].place == "录播教室")
    let link: LinkReply = try await ask("POST", person + "/links", nil, nil, [:]).value()
    #expect(link.link.hasSuffix("/sign-in#code=" + link.code) && !link.page.contains(link.code))
    let session: SessionReply = try await signIn(county, link.code).value()
    let token = try #require(session.token)
    #expect(session.name == "李红" && session.kind == "person" && session.grants.map(\.role) == ["leadTeacher"])
    #expect(try await signIn(county, link.code).kind == "badCode", "once")
    let own: SessionReply = try await ask("GET", "/api/v1/session", token, nil, [:]).value()
    #expect(own.token == nil && own.id == session.id)
    let next: SessionReply = try await ask("POST", "/api/v1/session/refresh", token, nil, [:]).value()
    #expect(next.token != nil && next.ends == session.ends)

    let code: TerminalCodeReply = try await ask("POST", "/api/v1/session/terminal-code", token, nil, [:]).value()
    let typed = code.code.lowercased().replacing("-", with: " ")
    let terminal: SessionReply = try await signIn(county, typed).value()
    let other = try #require(terminal.token)
    #expect(try await signIn(county, code.code).kind == "badCode", "once")
    #expect(try await ask("DELETE", "/api/v1/session", next.token, nil, [:]).status == 204)
    #expect(try await ask("GET", "/api/v1/session", token, nil, [:]).kind == "revokedToken", "the whole session")
    #expect(try await ask("GET", "/api/v1/session", other, nil, [:]).status == 200, "one of its own")
    #expect(try await ask("DELETE", person + "/sessions", nil, nil, [:]).status == 204)
    #expect(try await ask("GET", "/api/v1/session", other, nil, [:]).kind == "revokedToken")

    let ways = try county.store.auditEntries(limit: 1_000).map(\.entry).filter { $0.actor == county.teacher }
    #expect(ways.map(\.operation) == ["signIn.link", "signIn.code", "signIn.terminal", "signOut"])
    #expect(ways.first?.address == "203.0.113.9")
    await county.asked.relay.stop()
  }

  @Test func takingARoleBackAndLockingEndWhatWasBegun() async throws {
    let county = try await County()
    let ask = county.asked.ask
    let person = "/api/v1/accounts/A01%2F1001"
    let given: AccountReply = try await ask(
      "POST", person + "/grants", nil, GrantRequest(role: "leadTeacher", scope: "school:A01"), [:]
    ).value()
    func session() async throws -> String {
      let link: LinkReply = try await ask("POST", person + "/links", nil, nil, [:]).value()
      return try #require(try await signIn(county, link.code).value(SessionReply.self).token)
    }
    let locked = try await session()
    let security = try county.token(.securityAdmin, .city)
    let reply: AccountReply = try await ask("POST", person + "/lock", security, nil, [:]).value()
    #expect(reply.lock == "locked")
    #expect(try await ask("GET", "/api/v1/session", locked, nil, [:]).kind == "revokedToken")
    let waiting: LinkReply = try await ask("POST", person + "/links", nil, nil, [:]).value()
    #expect(try await signIn(county, waiting.code).kind == "accountLocked")
    #expect(try await ask("POST", person + "/unlock", security, nil, [:]).value(AccountReply.self).lock == "open")
    #expect(try await signIn(county, waiting.code).status == 200, "the link was not used up")

    let token = try await session()
    let grant = try #require(given.grants.first?.id)
    #expect(try await ask("DELETE", person + "/grants/\(grant)", nil, nil, [:]).status == 204)
    #expect(try await ask("GET", "/api/v1/session", token, nil, [:]).kind == "revokedToken")
    #expect(try await ask("DELETE", person + "/grants/\(grant)", nil, nil, [:]).status == 404, "it is gone")
    await county.asked.relay.stop()
  }

  @Test func guessingClosesTheDoorAndSaysUntilWhen() async throws {
    let county = try await County()
    for _ in 0..<10 { #expect(try await signIn(county, "AAAA-AAAA", from: "203.0.113.66").kind == "badCode") }
    let closed = try await signIn(county, "AAAA-AAAA", from: "203.0.113.66")
    #expect(closed.status == 429 && closed.kind == "lockedOut")
    let detail = try closed.value(ProblemReply.self).detail
    #expect(detail.contains(/20\d\d-\d\d-\d\d \d\d:\d\d/) && !detail.contains("{"), "\(detail)")
    #expect(try await signIn(county, "AAAA-AAAA", from: "203.0.113.67").kind == "badCode", "another address")
    for hostile in ["", "x", String(repeating: "A", count: 43), String(repeating: "é", count: 2_000)] {
      #expect(try await signIn(county, hostile, from: "203.0.113.68").kind == "badCode")
    }
    let refused = try county.store.auditEntries(limit: 1_000).map(\.entry).filter { $0.operation == "signIn.terminal" }
    #expect(refused.contains { $0.address == "203.0.113.66" && $0.new?.contains("lockedOut") == true })
    await county.asked.relay.stop()
  }
}
