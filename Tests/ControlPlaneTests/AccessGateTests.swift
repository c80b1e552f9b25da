// Goal: every route asks the one gate, refusals and changes are audited, and strangers cannot flood the trail. Method:
// the gate itself, and a whole relay asked over HTTP with tokens of each role.
import Classroom
import ControlPlane
import Crypto
import Foundation
import FoundationNetworking
import Ledger
import Logging
import Synchronization
import Testing

@Suite struct AccessGateTests {
  private final class Trail: Sendable {
    let records = Mutex<[AccessRecord]>([])
    var all: [AccessRecord] { records.withLock { $0 } }
  }

  private let folder: AccessFolder
  private let trail = Trail()
  private let gate: AccessGate

  init() throws {
    folder = try AccessFolder()
    let cache = AccessPlacesCache(store: folder.store) { [folder] in folder.now }
    gate = AccessGate(
      tokens: folder.tokens, clock: { [folder] in folder.now }, places: { cache.places() },
      audit: { [trail] record in trail.records.withLock { $0.append(record) } })
  }

  private func caller(_ role: Role, _ scope: Scope) throws -> Caller {
    try gate.caller(authorization: "Bearer " + folder.tokens.sign(folder.claims(role, scope)), address: "192.0.2.7")
  }

  @Test func refusalsAreAuditedAndReadingIsNot() throws {
    let county = try caller(.countyCoordinator, .county(AccessFolder.county))
    let place = AccessTarget.place(AccessPlace(county: AccessFolder.county, school: folder.school))
    try gate.require(.readRooms, on: place, by: county)
    #expect(trail.all.isEmpty)
    #expect(
      refusal { try gate.require(.readRooms, on: .place(AccessPlace(county: "零陵区")), by: county) } == .outsideScope)
    #expect(refusal { try gate.require(.readAudit, on: .city, by: county) } == .wrongRole)
    let lesson = AccessTarget.joint(.init(lesson: folder.room, leads: [], sites: []))
    #expect(refusal { try gate.require(.stop, on: lesson, by: county) } == .wrongLesson)
    gate.changed(.changeRooms, on: place, by: county, old: #"{"name":"a"}"#, new: #"{"name":"b"}"#)
    let all = trail.all
    #expect(all.map(\.operation) == ["readRooms", "readAudit", "stop", "changeRooms"])
    #expect(all.map(\.refusal) == ["outsideScope", "wrongRole", "outsideScope", nil])
    #expect(
      all.allSatisfy { $0.actor == folder.person && $0.address == "192.0.2.7" && $0.role == "countyCoordinator" })
    #expect(all[0].target == "county/零陵区" && all[2].target == "lesson/\(folder.room)")
    #expect(all[3].old == #"{"name":"a"}"# && all[3].target == "institution/\(folder.school)")
  }

  @Test func whatEnclosesAScopeIsFoundInTheLedger() throws {
    let teacher = try caller(.leadTeacher, .room(folder.room))
    try gate.require(.readTerms, on: .place(AccessPlace(county: AccessFolder.county)), by: teacher)
    #expect(
      refusal { try gate.require(.readTerms, on: .place(AccessPlace(county: "零陵区")), by: teacher) } == .outsideScope)
  }

  @Test func strangersAreAuditedAFewTimesASecond() {
    for _ in 0..<500 {
      #expect(refusal { _ = try gate.caller(authorization: "Bearer x.y.z", address: "203.0.113.9") } == .badToken)
      #expect(refusal { _ = try gate.caller(authorization: nil, address: "203.0.113.9") } == .noToken)
    }
    #expect(trail.all.count == 20)
    #expect(trail.all.allSatisfy { $0.actor == nil && $0.refusal == "badToken" && $0.address == "203.0.113.9" })
    folder.advance(seconds: 1)
    _ = refusal { _ = try gate.caller(authorization: "Bearer x.y.z", address: "") }
    #expect(trail.all.count == 21)
  }

  // MARK: Over HTTP

  private struct Answer {
    var status: Int
    var kind: String
  }

  private static func ask(
    _ relay: Relay, _ method: String, _ path: String, token: String?, body: String = "", type: String = ""
  ) async throws -> Answer {
    var request = URLRequest(url: try #require(URL(string: relay.localBase + path)))
    request.httpMethod = method
    if let token { request.setValue("Bearer " + token, forHTTPHeaderField: "Authorization") }
    if !type.isEmpty { request.setValue(type, forHTTPHeaderField: "Content-Type") }
    // Not from this machine itself, as `/metrics` sees it.
    request.setValue("203.0.113.5", forHTTPHeaderField: "X-Forwarded-For")
    if !body.isEmpty { request.httpBody = Data(body.utf8) }
    let (data, response) = try await URLSession.shared.data(for: request)
    let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    let kind = (object?["type"] as? String ?? "").split(separator: ":").last.map(String.init) ?? ""
    return Answer(status: (response as? HTTPURLResponse)?.statusCode ?? 0, kind: kind)
  }

  @Test func everyRouteAsksTheGate() async throws {
    let scratch = try ScratchFolder()
    var configuration = RelayConfiguration()
    configuration.http = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.https = nil
    configuration.udpPort = 0
    configuration.loopbackOnly = true
    configuration.data = scratch.path
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let relay = try await Relay.start(configuration: configuration, logger: logger)
    let links = try relay.makeLesson(title: "Test", receivers: 1, seconds: 600)
    let other = try relay.makeLesson(title: "Other", receivers: 1, seconds: 600)
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    func token(_ grants: [Grant]) throws -> String {
      try relay.tokens.sign(
        AccessClaims(subject: Identifier(high: 3, low: 1), grants: grants, expires: now / 1_000 + 600, now: now))
    }
    let lesson = "/api/v1/lessons/\(links.lesson)"
    let new = #"{"title":"x","plannedStart":\#(now),"plannedEnd":\#(now + 60_000),"receivers":0}"#
    let auditor = try token([Grant(.auditor, .city)])
    let parent = try token([Grant(.parent, .school(Identifier(high: 1, low: 1)))])
    let both = try token([Grant(.auditor, .city), Grant(.cityCoordinator, .city)])
    let city = relay.operatorToken()
    let (lead, site, foreign) = (links.whip[0].token, links.whep[0].token, other.whip[0].token)
    typealias Case = (method: String, path: String, token: String?, body: String, status: Int, kind: String)
    let cases: [Case] = [
      ("GET", lesson, nil, "", 401, "noToken"), ("GET", lesson, "a.b.c", "", 401, "badToken"),
      ("GET", lesson, lead, "", 200, ""), ("GET", lesson, site, "", 200, ""), ("GET", lesson, auditor, "", 200, ""),
      ("GET", lesson, foreign, "", 403, "wrongLesson"), ("GET", lesson, parent, "", 403, "wrongLesson"),
      ("GET", lesson, both, "", 403, "conflictingRoles"), ("GET", lesson, city, "", 200, ""),
      ("GET", lesson + "/events", parent, "", 403, "wrongRole"),
      ("GET", lesson + "/events", foreign, "", 403, "wrongLesson"),
      ("POST", "/api/v1/lessons", lead, new, 403, "wrongRole"), ("POST", "/api/v1/lessons", city, new, 201, ""),
      ("POST", "/api/v1/lessons", auditor, new, 403, "wrongRole"),
      ("GET", "/metrics", nil, "", 401, "noToken"), ("GET", "/metrics", lead, "", 403, "wrongRole"),
      ("GET", "/metrics", city, "", 200, ""), ("GET", "/metrics", auditor, "", 200, ""),
      ("POST", "/whep/lessons/\(links.lesson)", parent, "v=0", 403, "wrongRole"),
      ("POST", "/whep/lessons/\(links.lesson)", auditor, "v=0", 403, "wrongRole"),
      ("POST", "/whep/lessons/\(links.lesson)", foreign, "v=0", 403, "wrongLesson"),
      ("POST", "/whip/lessons/\(links.lesson)/camera", site, "v=0", 403, "wrongRole"),
      ("POST", "/whip/lessons/\(links.lesson)/camera", parent, "v=0", 403, "wrongRole"),
      ("POST", lesson + "/end", site, "", 403, "wrongRole"), ("POST", lesson + "/end", auditor, "", 403, "wrongRole"),
      ("POST", lesson + "/end", foreign, "", 403, "wrongLesson"), ("POST", lesson + "/end", lead, "", 202, ""),
      ("POST", "/api/v1/lessons/\(other.lesson)/end", city, "", 202, ""),
    ]
    for each in cases {
      let type = each.body.hasPrefix("{") ? "application/json" : each.body.isEmpty ? "" : "application/sdp"
      let answer = try await Self.ask(
        relay, each.method, each.path, token: each.token, body: each.body, type: type)
      #expect(answer.status == each.status, "\(each.method) \(each.path): \(answer)")
      if !each.kind.isEmpty { #expect(answer.kind == each.kind, "\(each.method) \(each.path)") }
    }
    try relay.accessDesk.revoke(subject: AccessClaims.operator)
    #expect(try await Self.ask(relay, "GET", lesson, token: city).kind == "revokedToken")
    await relay.stop()
  }
}
