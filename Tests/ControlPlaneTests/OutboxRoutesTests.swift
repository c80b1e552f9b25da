// Goal: coordinators see what is on its way to platforms, import spaces and hold deliveries back, and nobody else does.
// Method: a relay that is asked over HTTP, and stores' answers in the forms that real ones write.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct OutboxRoutesTests {
  private static let header = "空间类型,学校编号,班级编号,教师工号,区县,平台主页,空间账号\n"

  private func spaces(_ rows: String) -> ImportRequest.File {
    ImportRequest.File(name: "spaces.csv", data: Data((Self.header + rows).utf8))
  }

  @Test func theOutboxIsShownHeldBackAndLetGoByTheRightOnes() async throws {
    let county = try await TimetableRelay()
    let path = "/api/v1/reports/outbox"
    let reply: OutboxReply = try await county.ask("GET", path).value()
    #expect(reply.activityBase.hasSuffix(".tongke.invalid") && !reply.paused && !reply.refused)
    #expect(reply.platforms.isEmpty && reply.waiting == 0 && reply.oldestWaiting == nil)
    let paused: OutboxReply = try await county.ask("POST", path + "/pause").value()
    #expect(paused.paused)
    #expect(try await county.ask("GET", path).value(OutboxReply.self).paused)
    #expect(try await county.ask("POST", path + "/resume").value(OutboxReply.self).paused == false)
    let all = OutboxRetryRequest()
    #expect(try await county.ask("POST", path + "/retry", body: all).value(OutboxRetryReply.self).retried == 0)
    let one = OutboxRetryRequest(id: "\(Identifier(high: 1, low: 1))")
    #expect(try await county.ask("POST", path + "/retry", body: one).status == 404)
    #expect(try await county.ask("GET", path + "/unmapped").value([UnmappedReply].self).isEmpty)
    #expect(try await county.ask("GET", path + "/parked").value(Page<ParkedReply>.self).rows.isEmpty)
    #expect(try await county.ask("GET", path + "/parked?limit=0").status == 400)

    let platform = try county.token(.platform, .city)
    #expect(try await county.ask("GET", path, token: platform).status == 200)
    #expect(try await county.ask("POST", path + "/pause", token: platform).status == 200)
    #expect(try await county.ask("POST", path + "/resume", token: platform).status == 200)
    let auditor = try county.token(.auditor, .city)
    #expect(try await county.ask("GET", path, token: auditor).status == 200)
    #expect(try await county.ask("POST", path + "/pause", token: auditor).status == 403)
    // What is the whole relay's is no county's.
    let local = try county.token(.countyCoordinator, .county(TimetableRelay.county))
    #expect(try await county.ask("POST", path + "/pause", token: local).status == 403)
    #expect(try await county.ask("GET", path, token: "x").status == 401)
    let trail: Page<AuditReply> = try await county.ask(
      "GET", "/api/v1/audit?operation=deliverUsage", token: auditor
    ).value()
    #expect(trail.rows.filter { $0.outcome == "refused" }.count == 2)
    #expect(trail.rows.contains { $0.new == #"{"paused":true}"# && $0.old == #"{"paused":false}"# })
    let metrics = try await county.ask("GET", "/metrics").text
    #expect(
      metrics.contains(#"tongke_outbox_statements{state="waiting"} 0"#)
        && metrics.contains("tongke_outbox_sent_total 0"))
    await county.relay.stop()
  }

  @Test func spacesAreImportedLikeAllElse() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    let rows = """
      学校,A01,,,,https://space.example.cn,S-1
      教师,A01,,1001,,https://space.example.cn,T-1
      区域,,,,甲县,https://space.example.cn,R-1

      """
    let made: ImportReply = try await county.send([spaces(rows)]).value()
    #expect(made.applied && made.counts.add == 3)
    let again: ImportReply = try await county.send([spaces(rows)]).value()
    #expect(again.counts.add == 0 && again.counts.same == 3)
    let changed: ImportReply = try await county.send(
      [spaces("名师,A01,,1001,,https://space.example.cn,T-1\n")]
    ).value()
    #expect(changed.counts.change == 1 && changed.counts.absent == 2)
    let sheet = try await county.ask("GET", "/api/v1/exports/spaces").text
    #expect(sheet.contains("名师,A01,1001") || sheet.contains("名师,A01,,1001"), "\(sheet)")
    #expect(sheet.contains("区域") && sheet.contains("R-1"))
    for (row, code) in [
      ("教师,A01,,9999,,https://space.example.cn,T-9\n", "unknownReference"),
      ("教师,A01,,,,https://space.example.cn,T-9\n", "missingValue"),
      ("学生,A01,,1001,,https://space.example.cn,T-9\n", "badChoice"),
      ("学校,A01,,,,space.example.cn,T-9\n", "badCode"),
      ("学校,A01,,,,https://space.example.cn,a\n学校,A01,,,,https://space.example.cn,b\n", "duplicateRow"),
    ] {
      let refused: ProblemReply = try await county.send([spaces(row)]).value()
      #expect(refused.issues?.map(\.code) == [code], "\(row)")
    }
    // A school's own administrator maps what is the school's, and nothing else.
    let school = try #require(try county.relay.store.institutions().first { $0.number == "B01" })
    let admin = try county.token(.schoolAdmin, .school(school.id))
    #expect(
      try await county.send([spaces("学校,B01,,,,https://space.example.cn,S-2\n")], token: admin).status == 200)
    #expect(
      try await county.send([spaces("学校,A01,,,,https://space.example.cn,S-3\n")], token: admin).status != 200)
    #expect(
      try await county.send([spaces("区域,,,,甲县,https://space.example.cn,R-2\n")], token: admin).status == 403)
    #expect(try county.relay.store.spaces().count == 4)
    await county.relay.stop()
  }

  @Test func aSecondRelayOfTheSameFolderIsRefused() async throws {
    let county = try await TimetableRelay()
    let before = try county.relay.store.eventCount()
    await #expect(throws: RelayStartError.self) { _ = try await TimetableRelay(scratch: county.scratch) }
    #expect(try county.relay.store.eventCount() == before, "it has closed nothing of the first one's")
    await county.relay.stop()
    let next = try await TimetableRelay(scratch: county.scratch)
    await next.relay.stop()
  }

  @Test func whatAStoreHasIsComparedByWhatWasSent() {
    let sent = #"{"id":"a","verb":{"id":"v"},"timestamp":"2026-11-28T06:30:57.100Z","result":{"duration":"PT60S"}}"#
    func holds(_ theirs: String) -> Bool { StatementComparison.holds(Data(theirs.utf8), Data(sent.utf8)) }
    #expect(holds(sent) && holds(#"{"statements":[\#(sent)]}"#))
    #expect(!holds(#"{"statements":[]}"#) && !holds(#"{"statements":[\#(sent),\#(sent)]}"#))
    #expect(
      holds(
        #"{"stored":"x","authority":{"mbox":"y"},"result":{"duration":"PT60S"},"verb":{"id":"v","display":{}},"#
          + #""id":"a","timestamp":"2026-11-28T06:30:57.1+00:00"}"#))
    #expect(!holds(sent.replacing("PT60S", with: "PT1M")))
    #expect(!holds(sent.replacing("57.100Z", with: "58.100Z")))
    #expect(!holds(#"{"id":"a"}"#) && !holds("") && !holds("[]"))
    #expect(!holds(String(repeating: "[", count: 100_000)))
  }

  @Test func platformsSayWhenToComeBack() {
    let now = Date(timeIntervalSince1970: 1_800_000_000)
    #expect(RetryAfter.milliseconds("120", now: now) == 120_000)
    #expect(RetryAfter.milliseconds("Fri, 15 Jan 2027 08:01:00 GMT", now: now) == 60_000)
    #expect(RetryAfter.milliseconds("Fri, 15 Jan 2027 07:01:00 GMT", now: now) == 0)
    #expect(RetryAfter.milliseconds("-9", now: now) == 0 && RetryAfter.milliseconds("soon", now: now) == nil)
    #expect(RetryAfter.milliseconds("99999999999", now: now) == 1_000_000_000)
  }

  @Test func theDoctorTellsHowUsageFares() {
    var status = OutboxStatus()
    status.sent = 5
    #expect(Doctor.usage(status, now: 0).outcome == .outboxGood)
    status.held = 1
    #expect(Doctor.usage(status, now: 0).outcome == .outboxHeld)
    status.oldestWaiting = 1_000
    #expect(Doctor.usage(status, now: 2_000).outcome == .outboxHeld)
    let late = Doctor.usage(status, now: 1_000 + 25 * 3_600_000)
    #expect(late.outcome == .outboxLate && late.arguments["hours"] == "25" && late.level == .warning)
  }
}
