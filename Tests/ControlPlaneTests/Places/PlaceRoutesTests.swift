// Goal: schools and clusters are looked up, registered, changed and closed one by one by the rules of the import, seen
// by those alone whose they are. Method: HTTP requests to a running relay with a small county of its own.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct PlaceRoutesTests {
  private func county() async throws -> TimetableRelay {
    let county = try await TimetableRelay()
    let answer = try await county.send(county.places)
    #expect(answer.status == 200, "\(answer.text)")
    return county
  }

  @Test func listsArePagedAndFiltered() async throws {
    let county = try await county()
    let all: Page<RoomReply> = try await county.ask("GET", "/api/v1/rooms").value()
    #expect(all.rows.map(\.number) == ["A01-1", "A01-2", "B01-1", "B01-2"] && all.next == nil)
    #expect(all.rows[0].institution == "A01" && all.rows[0].acceptedOn == "2026-08-20" && all.rows[0].testedAt == nil)
    var paged: [RoomReply] = []
    var cursor: String? = ""
    while let next = cursor, paged.count < 10 {
      let page: Page<RoomReply> = try await county.ask(
        "GET", "/api/v1/rooms?limit=3" + (next.isEmpty ? "" : "&cursor=" + next)
      ).value()
      #expect(page.rows.count <= 3)
      paged += page.rows
      cursor = page.next
    }
    #expect(paged == all.rows)
    func numbers(_ query: String) async throws -> [String] {
      let page: Page<InstitutionReply> = try await county.ask("GET", "/api/v1/institutions?" + query).value()
      return page.rows.map(\.number)
    }
    #expect(try await numbers("kind=teachingPoint") == ["B01"])
    #expect(try await numbers("parent=A01") == ["B01"])
    #expect(try await numbers("region=%E4%B9%99%E5%8E%BF") == [])
    #expect(try await numbers("search=a0") == ["A01"])
    #expect(try await numbers("open=1") == ["A01", "B01"])
    #expect(try await numbers("open=0") == [])
    let unaccepted: Page<RoomReply> = try await county.ask("GET", "/api/v1/rooms?accepted=0").value()
    #expect(unaccepted.rows.isEmpty)
    let persons: Page<PersonReply> = try await county.ask("GET", "/api/v1/persons?institution=A01").value()
    #expect(persons.rows.map(\.name) == ["李红", "王强"], "\(persons)")
    let clusters: Page<ClusterReply> = try await county.ask("GET", "/api/v1/clusters?institution=B01").value()
    #expect(clusters.rows.first?.members.map(\.leads) == [true, false])
    for bad in ["limit=0", "limit=5001", "cursor=x", "kind=shop", "open=yes"] {
      #expect(try await county.ask("GET", "/api/v1/institutions?" + bad).status == 400, "\(bad)")
    }
    #expect(try await county.ask("GET", "/api/v1/rooms?institution=Z99").kind == "unknownName")
    await county.relay.stop()
  }

  @Test func aSchoolIsRegisteredChangedAndClosed() async throws {
    let county = try await county()
    let path = "/api/v1/institutions"
    let fields = ["number": "C01", "name": "白水冲教学点", "kind": "教学点", "parent": "A01", "region": TimetableRelay.county]
    let added = try await county.ask("POST", path, body: fields)
    #expect(added.status == 201 && added.tag != nil, "\(added.text)")
    let reply: InstitutionReply = try added.value()
    #expect(reply.kind == "teachingPoint" && reply.parent == "A01" && reply.open && reply.setting == "rural")
    #expect(try await county.ask("POST", path, body: fields).kind == "taken")
    let orphan = try await county.ask(
      "POST", path, body: ["number": "C02", "name": "点", "kind": "teachingPoint", "parent": "X9"])
    #expect(orphan.status == 422 && orphan.kind == "rowRefused", "\(orphan.text)")
    #expect(try orphan.value(ProblemReply.self).issues?.first?.code == "unknownReference")
    #expect(try await county.ask("POST", path, body: ["colour": "red"]).status == 400)

    // A change by a column, and one of somebody who has not seen it.
    let tag = try #require(added.tag)
    #expect(try await county.ask("PATCH", path + "/C01", body: ["name": "x"]).kind == "noTag")
    let renamed = try await county.ask(
      "PATCH", path + "/C01", body: ["name": "白水冲小学教学点"], headers: ["If-Match": tag])
    #expect(try renamed.value(InstitutionReply.self).name == "白水冲小学教学点")
    #expect(renamed.tag != tag)
    let stale = try await county.ask("PATCH", path + "/C01", body: ["setting": "town"], headers: ["If-Match": tag])
    #expect(stale.status == 412 && stale.kind == "staleRow" && stale.tag == renamed.tag)
    let title = try stale.value(ProblemReply.self).title
    #expect(title.contains("名称") && title.contains("白水冲小学教学点") && !title.contains("城乡"), "\(title)")

    let close = ["validUntil": "2026-01-01", "successor": "A01"]
    let closed = try await county.ask("PATCH", path + "/C01", body: close, headers: ["If-Match": renamed.tag ?? ""])
    let gone: InstitutionReply = try closed.value()
    #expect(!gone.open && gone.validUntil == "2026-01-01" && gone.successor == "A01" && gone.parent == "A01")
    // The same again changes nothing and is no entry of the trail.
    let entries = try county.relay.store.auditEntries().count
    let again = try await county.ask("PATCH", path + "/C01", body: close, headers: ["If-Match": closed.tag ?? ""])
    #expect(again.status == 200 && again.tag == closed.tag)
    let trail = try county.relay.store.auditEntries()
    #expect(trail.count == entries)
    let changes = trail.filter { $0.entry.operation == "changeInstitutions" }.map(\.entry)
    #expect(changes.count == 3 && changes.allSatisfy { $0.target.hasPrefix("institution/") })
    #expect(changes.last?.new?.contains("validUntil") == true && changes.last?.new?.contains("name") == false)
    #expect(changes.first?.old == nil)
    // Its number cannot be made another's, nor a new one.
    for number in ["B01", "D01"] {
      let moved = try await county.ask(
        "PATCH", path + "/C01", body: ["number": number], headers: ["If-Match": closed.tag ?? ""])
      #expect(moved.status == 400, "\(number): \(moved.text)")
    }
    #expect(try await county.ask("GET", path + "/D01").kind == "unknownName")
    await county.relay.stop()
  }

  @Test func pairingIsMadeAndChecked() async throws {
    let county = try await county()
    func codes() async throws -> [String] {
      let found: [PairingReply] = try await county.ask("GET", "/api/v1/pairing").value()
      #expect(found.allSatisfy { !$0.sentence.isEmpty && !$0.remedy.isEmpty && !$0.sentence.contains("{") })
      return found.map(\.code)
    }
    // A01 is rural unless it is said, and nobody of a town is there.
    #expect(try await codes() == ["noPartner"])
    for (number, setting) in [("L01", "城区"), ("C01", "乡村")] {
      let added = try await county.ask(
        "POST", "/api/v1/institutions",
        body: ["number": number, "name": "校\(number)", "setting": setting, "region": TimetableRelay.county])
      #expect(added.status == 201, "\(added.text)")
    }
    #expect(try await codes() == ["noPartner", "noPartner"])
    let cluster = try await county.ask("GET", "/api/v1/clusters/Q1")
    let changed = try await county.ask(
      "PATCH", "/api/v1/clusters/Q1", body: ["leads": "A01、L01", "receivers": "B01、C01"],
      headers: ["If-Match": cluster.tag ?? ""])
    #expect(try changed.value(ClusterReply.self).members.map(\.institution) == ["A01", "L01", "B01", "C01"])
    #expect(try await codes() == [])
    let made = try await county.ask(
      "POST", "/api/v1/clusters", body: ["number": "Q2", "name": "群", "leads": "L01", "receivers": ""])
    #expect(made.status == 201)
    #expect(try await codes() == ["tooSmall"])
    await county.relay.stop()
  }

  @Test func nobodySeesOrChangesWhatIsNotTheirs() async throws {
    let county = try await county()
    let own = try county.token(.countyCoordinator, .county(TimetableRelay.county))
    let foreign = try county.token(.countyCoordinator, .county("乙县"))
    let auditor = try county.token(.auditor, .city)
    let teacher = try county.token(.leadTeacher, .school(Identifier(high: 7, low: 7)))
    let fields = ["number": "C01", "name": "校", "region": TimetableRelay.county]
    for kind in ["institutions", "rooms", "persons", "clusters"] {
      let path = "/api/v1/" + kind
      #expect(try await county.ask("GET", path, token: own).text.contains("A01"), "\(kind)")
      let empty = try await county.ask("GET", path, token: foreign)
      #expect(empty.status == 200 && !empty.text.contains("A01"), "\(kind)")
      #expect(try await county.ask("GET", path, token: auditor).status == 200)
    }
    #expect(try await county.ask("GET", "/api/v1/persons", token: teacher).kind == "wrongRole")
    #expect(try await county.ask("GET", "/api/v1/persons/A01/1001", token: foreign).kind == "outsideScope")
    #expect(try await county.ask("GET", "/api/v1/institutions/A01", token: foreign).kind == "outsideScope")
    #expect(try await county.ask("POST", "/api/v1/institutions", token: foreign, body: fields).kind == "outsideScope")
    #expect(try await county.ask("POST", "/api/v1/institutions", token: auditor, body: fields).kind == "wrongRole")
    #expect(try await county.ask("POST", "/api/v1/institutions", token: own, body: fields).status == 201)
    // Nor can a school be taken out of one county into another by who has one of them.
    let school = try await county.ask("GET", "/api/v1/institutions/C01", token: own)
    let headers = ["If-Match": school.tag ?? ""]
    let path = "/api/v1/institutions/C01"
    #expect(
      try await county.ask("PATCH", path, token: own, body: ["region": "乙县"], headers: headers).kind == "outsideScope")
    #expect(
      try await county.ask("PATCH", path, token: foreign, body: ["region": "乙县"], headers: headers).status == 403)
    let pairing: [PairingReply] = try await county.ask("GET", "/api/v1/pairing", token: foreign).value()
    #expect(pairing.isEmpty)
    let refused = try county.relay.store.auditEntries().filter { $0.entry.outcome == .refused }
    #expect(refused.contains { $0.entry.operation == "changeInstitutions" })
    await county.relay.stop()
  }
}
