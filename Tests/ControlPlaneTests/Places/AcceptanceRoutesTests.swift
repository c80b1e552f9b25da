// Goal: a room is measured, accepted by what was measured, and a lesson's sites are judged by it; the line's endpoint
// is bounded. Method: HTTP requests to a running relay, and the pace by itself with a clock of the test's.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct AcceptanceRoutesTests {
  private static let good = RoomTestRequest(
    source: "page", device: "Firefox 128", cameras: ["C"], microphones: ["M"], speakers: ["S"],
    codecs: ["H264", "opus"], downlink: 20_000_000, uplink: 4_000_000, roundTrip: 20_000, loss: 2)

  private func county() async throws -> TimetableRelay {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    return county
  }

  @Test func aRoomIsAcceptedByWhatWasMeasured() async throws {
    let county = try await county()
    let room = "/api/v1/rooms/B01-2"
    let request = AcceptanceRequest(use: "receiving")
    let early = try await county.ask("POST", room + "/acceptance", body: request)
    #expect(early.status == 409 && early.kind == "noRecentTest")
    #expect(try early.value(ProblemReply.self).detail.contains("tongke site test B01-2"), "\(early.text)")
    #expect(try await county.ask("GET", room + "/acceptance").status == 404)

    var poor = Self.good
    poor.uplink = 400_000
    poor.codecs = ["opus"]
    let stored = try await county.ask("POST", room + "/tests", body: poor)
    #expect(stored.status == 201, "\(stored.text)")
    #expect(
      try stored.value(RoomTestReply.self).findings.filter { $0.state != "met" }.map(\.requirement)
        == ["codecs", "uplink"])
    let refused: AcceptanceReply = try await county.ask("POST", room + "/acceptance", body: request).value()
    #expect(!refused.accepted && refused.profile == "standard" && refused.version == 1)
    let codec = try #require(refused.findings.first { $0.requirement == "codecs" })
    #expect(codec.remedy.contains("h264") && codec.remedy.contains("B01-2"), "\(codec)")
    // It was accepted by its sheet; what was measured says otherwise, and the timetable warns of it.
    let before: RoomReply = try await county.ask("GET", room).value()
    #expect(before.acceptedOn == nil && before.uplink == 400 && before.testedAt != nil)
    #expect(try await county.check().findings.contains { $0.code == "unacceptedRoom" && $0.course == "K2" })

    #expect(try await county.ask("POST", room + "/tests", body: Self.good).status == 201)
    let accepted: AcceptanceReply = try await county.ask("POST", room + "/acceptance", body: request).value()
    #expect(accepted.accepted && accepted.findings.count == 9 && accepted.findings.allSatisfy { $0.remedy.isEmpty })
    let latest: AcceptanceReply = try await county.ask("GET", room + "/acceptance").value()
    #expect(latest == accepted)
    let after: RoomReply = try await county.ask("GET", room).value()
    #expect(after.acceptedOn != nil && after.uplink == 4_000)
    #expect(try await !county.check().findings.contains { $0.code == "unacceptedRoom" })
    let tests: [RoomTestReply] = try await county.ask("GET", room + "/tests").value()
    #expect(tests.map(\.result.uplink) == [4_000_000, 400_000] && tests[0].result.codecs == ["h264", "opus"])
    let trail = try county.relay.store.auditEntries().map(\.entry.operation)
    #expect(trail.count { $0 == "testRoom" } == 2 && trail.count { $0 == "acceptRoom" } == 2)
    await county.relay.stop()
  }

  @Test func everySiteOfALessonIsJudged() async throws {
    let county = try await county()
    #expect(try await county.ask("POST", "/api/v1/terms/\(TimetableRelay.term)/publish").status == 200)
    let list: LessonList = try await county.ask(
      "GET", "/api/v1/lessons?course=K1&from=\(county.monday)&to=\(county.monday + 6)"
    ).value()
    let path = "/api/v1/lessons/\(try #require(list.lessons.first).id)/check"
    let untested: LessonCheckReply = try await county.ask("GET", path).value()
    #expect(!untested.good && untested.sites.map(\.room) == ["A01-1", "B01-1"])
    #expect(untested.sites.map(\.role) == ["lead", "receiver"])
    #expect(untested.sites.allSatisfy { $0.testedAt == nil && $0.connectedAt == nil && $0.sentence.contains("从未测试") })
    #expect(untested.sites[1].remedies == ["在教室自己的电脑上运行 tongke site test B01-1。"])
    for room in ["A01-1", "B01-1"] {
      #expect(try await county.ask("POST", "/api/v1/rooms/\(room)/tests", body: Self.good).status == 201)
    }
    let tested: LessonCheckReply = try await county.ask("GET", path).value()
    #expect(tested.good && tested.sites.allSatisfy { $0.good && $0.remedies.isEmpty }, "\(tested)")
    var thin = Self.good
    thin.uplink = 1_000_000
    #expect(try await county.ask("POST", "/api/v1/rooms/A01-1/tests", body: thin).status == 201)
    let lead: LessonCheckReply = try await county.ask("GET", path).value()
    #expect(!lead.good && lead.sites.map(\.good) == [false, true], "a lead needs more of its line")
    #expect(lead.sites[0].sentence.contains("1000 kbit/s") && lead.sites[0].sentence.contains("2500 kbit/s"))
    // A school sees its own rows; a county that takes no part none.
    let school = try #require(try county.relay.store.institution(number: "B01")).id
    let site: LessonCheckReply = try await county.ask(
      "GET", path, token: try county.token(.localTeacher, .school(school))
    ).value()
    #expect(site.sites.map(\.room) == ["B01-1"] && site.good)
    let foreign = try county.token(.countyCoordinator, .county("乙县"))
    #expect(try await county.ask("GET", path, token: foreign).status == 403)
    #expect(try await county.ask("GET", "/api/v1/lessons/\(school)/check").status == 404)
    await county.relay.stop()
  }

  @Test func measurementsAreTakenFromWhoStandsThere() async throws {
    let county = try await county()
    let room = try #require(try county.relay.store.rooms(number: "B01-1").first)
    let device = try county.token(.device, .room(room.id))
    #expect(
      try await county.ask("POST", "/api/v1/rooms/\(room.id)/tests", token: device, body: Self.good).status == 201)
    let other = try await county.ask("POST", "/api/v1/rooms/B01-2/tests", token: device, body: Self.good)
    #expect(other.kind == "outsideScope")
    let accept = AcceptanceRequest(use: "receiving")
    #expect(
      try await county.ask("POST", "/api/v1/rooms/B01-1/acceptance", token: device, body: accept).kind == "wrongRole")
    let parent = try county.token(.parent, .school(room.institution))
    #expect(try await county.ask("GET", "/api/v1/rooms/B01-1/throughput", token: parent).kind == "wrongRole")
    var wrong = Self.good
    wrong.downlink = -1
    #expect(try await county.ask("POST", "/api/v1/rooms/B01-1/tests", body: wrong).status == 400)
    wrong = Self.good
    wrong.source = "guess"
    #expect(try await county.ask("POST", "/api/v1/rooms/B01-1/tests", body: wrong).status == 400)
    #expect(
      try await county.ask("POST", "/api/v1/rooms/B01-1/acceptance", body: AcceptanceRequest(use: "dancing")).status
        == 400)
    await county.relay.stop()
  }

  /// The client's own measurement, by real transfers.
  @Test func aLineIsMeasuredByTransfers() async throws {
    let county = try await county()
    let room = try #require(try county.relay.store.rooms(number: "B01-1").first)
    let client = try ControlClient(
      base: county.relay.localBase, token: try county.token(.device, .room(room.id)), language: "zh-CN")
    let line = try await client.measureLine(room: "B01-1")
    #expect(line.downlink > 0 && line.uplink > 0, "\(line)")
    #expect((1..<10_000_000).contains(line.roundTrip), "\(line)")
    await client.shutdown()
    let path = "/api/v1/rooms/B01-1/throughput"
    let some = try await county.ask("GET", path + "?bytes=100001")
    #expect(some.data.count == 100_001 && Set(some.data.prefix(4_096)).count > 200)
    for bytes in ["0", "16777217", "x"] {
      #expect(try await county.ask("GET", path + "?bytes=" + bytes).status == 400)
    }
    #expect(try await county.ask("POST", path, body: ["a": "b"]).status == 415)
    await county.relay.stop()
  }

  @Test func transfersAreBounded() throws {
    let pace = ThroughputPace()
    let callers = (1...6).map { Identifier(high: 1, low: UInt64($0)) }
    func wait(_ caller: Int, bytes: Int = 1, at now: Int64) -> Int? {
      do { try pace.enter(callers[caller], bytes: bytes, now: now) } catch { return error.retryAfter }
      return nil
    }
    #expect(wait(0, at: 0) == nil)
    #expect(wait(0, at: 1) == 5, "one at a time")
    pace.leave(callers[0])
    for caller in 0..<ThroughputPace.placeLimit { #expect(wait(caller, at: 2) == nil) }
    #expect(wait(5, at: 3) == 5, "all places are taken")
    // Who went away without a word is not waited for.
    #expect(wait(5, at: 200_000) == nil)
    for caller in callers { pace.leave(caller) }
    let start: Int64 = 10_000_000
    for _ in 0..<(ThroughputPace.byteLimit / ThroughputPace.transferLimit) {
      #expect(wait(4, bytes: ThroughputPace.transferLimit, at: start) == nil)
      pace.leave(callers[4])
    }
    #expect(wait(4, at: start + 1_000) == 600)
    #expect(wait(3, at: start + 1_000) == nil, "others are not held up")
    #expect(wait(4, at: start + ThroughputPace.window) == nil)
    pace.leave(callers[4])
    #expect(wait(4, at: 5) == nil, "also when the clock was set back")
  }
}
