// Goal: what happened in a lesson is told by the profiles it is to be told by, under accounts that were imported and no
// other, with the same identifiers and bytes whenever it is made. Method: whole lessons in real ledgers, the statements
// read back as a receiver reads them.
import Classroom
import Foundation
import Ledger
import Reporting
import Testing

@Suite struct StatementTests {
  @Test func aWholeLessonIsToldByItsProfile() throws {
    let taught = try OutboxLesson()
    try taught.map([0, 1, 2, 3])
    try taught.teach()
    try taught.make()
    let statements = try taught.waiting().map { try ReadStatement($0.body) }
    let verbs = statements.map(\.verb)
    let seats = 1 + taught.receivers.count
    #expect(verbs.filter { $0 == "join" }.count == seats && verbs.filter { $0 == "leave" }.count == seats)
    #expect(verbs.filter { $0 == "initialized" }.count == 1 && verbs.last == "terminated")
    #expect(statements.count == 2 * seats + 2, "a peer beside the seat's joining is no second join: \(verbs)")
    #expect(Set(statements.map(\.id)).count == statements.count)
    #expect(Set(statements.map(\.session)).count == 1 && statements[0].session != nil)
    for statement in statements {
      #expect(statement["context", "registration"] == "\(taught.lesson.registration)")
      #expect(statement.categories == ["https://w3id.org/xapi/virtual-classroom"])
      #expect(statement["object", "id"] == "\(OutboxLesson.base)/lessons/\(taught.lesson.id)")
      #expect(
        statement["actor", "objectType"] == "Group" && statement["actor", "account", "homePage"] == OutboxLesson.page)
      #expect(statement["context", "platform"] == "4101")
      #expect(statement["context", "extensions", OutboxLesson.base + "/xapi/extensions/platform-code"] == "430000")
      #expect(statement["timestamp"]?.wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
      #expect(!statement.text.contains("王") && !statement.text.contains("null"))
    }
    let ended = try #require(statements.last)
    #expect(ended["result", "duration"] == "PT2398S" && ended.account == "S-0")
    #expect(
      statements.first { $0.verb == "initialized" }?[
        "context", "extensions", "http://id.tincanapi.com/extension/planned-duration"] == "PT2400S")
    let left = statements.filter { $0.verb == "leave" && $0.account != "S-0" }
    #expect(!left.isEmpty && left.allSatisfy { $0["result", "duration"] == "PT2398.35S" })
    #expect(try taught.store.outboxStatus()?.cursor == Int64(taught.store.eventCount()))
  }

  @Test func theSameEventsGiveTheSameBytes() throws {
    var made: [[[UInt8]]] = []
    for _ in 0..<2 {
      let taught = try OutboxLesson()
      try taught.map([0, 1, 2, 3])
      try taught.teach()
      try taught.make()
      made.append(try taught.waiting().map(\.body))
    }
    #expect(made[0] == made[1] && made[0].count > 4)
  }

  @Test func whoHasNoSpaceIsHeldUntilItComes() throws {
    let mapped = try OutboxLesson()
    try mapped.map([0, 1, 2, 3])
    try mapped.teach()
    try mapped.make()
    let whole = Set(try mapped.waiting().map(\.body))

    let taught = try OutboxLesson()
    try taught.map([0, 2, 3])
    try taught.teach()
    try taught.make()
    #expect(try taught.waiting().count == whole.count - 2)
    let held = try taught.store.heldOwners()
    #expect(held.map(\.owner) == ["institution/\(taught.schools[1])"] && held[0].count == 2)
    #expect(
      try !taught.waiting().contains { String(decoding: $0.body, as: UTF8.self).contains("\(taught.schools[1])") })
    try taught.make()
    #expect(try taught.store.outboxStatus()?.held == 2, "nothing changed")
    try taught.map([1])
    try taught.make()
    #expect(try taught.store.outboxStatus()?.held == 0)
    #expect(Set(try taught.waiting().map(\.body)) == whole, "as if the space had been there from the start")
    #expect(try taught.store.heldOwners().isEmpty)
  }

  @Test func accountsGoToTheirOwnPlatform() throws {
    let taught = try OutboxLesson()
    try taught.map([0, 1])
    try taught.map([2], page: "https://other.example.cn")
    try taught.map([3], page: "https://nobody.example.cn")
    try taught.teach()
    let settings = OutboxLesson.settings(platforms: [
      .init(name: "one", homePage: OutboxLesson.page), .init(name: "two", homePage: "https://other.example.cn"),
    ])
    try taught.make(settings)
    #expect(try taught.waiting("two").count == 2 && taught.waiting("one").count == 6)
    #expect(try taught.store.heldOwners().map(\.reason) == ["noPlatform"])
    try taught.make(
      OutboxLesson.settings(platforms: settings.platforms + [.init(name: "rest")]))
    #expect(try taught.waiting("rest").count == 2 && taught.store.heldOwners().isEmpty)
  }

  @Test func anInterruptionIsTheEndOfATechnicalSession() throws {
    let taught = try OutboxLesson()
    try taught.map([0, 1, 2, 3])
    try taught.tell(.lessonArmed)
    try taught.tell(.seatJoined, taught.lead)
    try taught.tell(.lessonLive)
    taught.advance(seconds: 10)
    try taught.tell(.interrupted, taught.lead, [("seenAt", "\(taught.now - 4_000)")])
    try taught.tell(.interrupted, nil, [("seenAt", "\(taught.now - 4_000)")])
    try taught.tell(.peerConnected, taught.lead, [("peer", "2")])
    try taught.tell(.lessonLive)
    taught.advance(seconds: 30)
    try taught.tell(.lessonEnded)
    try taught.make()
    let statements = try taught.waiting().map { try ReadStatement($0.body) }
    let verbs = ["join", "initialized", "leave", "terminated", "join", "initialized", "leave", "terminated"]
    #expect(statements.map(\.verb) == verbs)
    #expect(statements.prefix(4).allSatisfy { $0.session == statements[0].session })
    #expect(statements.suffix(4).allSatisfy { $0.session == statements[4].session })
    #expect(statements[0].session != statements[4].session)
    #expect(statements[3]["result", "duration"] == "PT6S" && statements[7]["result", "duration"] == "PT30S")
  }

  @Test func aCorrectionTakesBackAndTellsAgain() throws {
    let taught = try OutboxLesson()
    try taught.map([0, 1, 2, 3])
    try taught.teach()
    try taught.make()
    let first = try taught.waiting()
    try taught.settle(first)
    #expect(try taught.waiting().isEmpty)
    try taught.tell(
      .lessonCorrected, taught.receivers[0], [("reason", "接错线"), ("effectiveMilliseconds", "600000")])
    try taught.make()
    let after = try taught.waiting().map { try ReadStatement($0.body) }
    let voids = after.filter { $0.verb == "voided" }
    #expect(Set(voids.compactMap { $0["object", "id"] }) == Set(first.map { "\($0.id)" }))
    #expect(voids.allSatisfy { $0["object", "objectType"] == "StatementRef" && $0["context", "platform"] == nil })
    let again = after.filter { $0.verb != "voided" }
    #expect(again.count == first.count && Set(again.map(\.id)).isDisjoint(with: first.map { "\($0.id)" }))
    #expect(again.filter { $0["result", "duration"] == "PT600S" }.map(\.account) == ["S-1"])
    try taught.settle(try taught.waiting())
    // A second one takes back what the first one told, and no void.
    try taught.tell(.lessonCorrected, taught.receivers[0], [("effectiveMilliseconds", "900000")])
    try taught.make()
    let last = try taught.waiting().map { try ReadStatement($0.body) }
    #expect(
      Set(last.filter { $0.verb == "voided" }.compactMap { $0["object", "id"] }) == Set(again.map(\.id)))
    #expect(last.filter { $0["result", "duration"] == "PT900S" }.count == 1)
    try taught.settle(try taught.waiting())
    try taught.tell(.lessonCorrected, nil, [("liveMilliseconds", "1200000")])
    try taught.make()
    let shorter = try taught.waiting().map { try ReadStatement($0.body) }
    #expect(shorter.first { $0.verb == "terminated" }?["result", "duration"] == "PT1200S")
    #expect(shorter.filter { $0["result", "duration"] == "PT900S" }.count == 1, "the seat's stays corrected")
    try taught.settle(try taught.waiting())
    try taught.tell(.lessonCorrected, nil, [("excluded", "1")])
    try taught.make()
    #expect(
      try taught.waiting().allSatisfy { try ReadStatement($0.body).verb == "voided" } && !taught.waiting().isEmpty)
  }

  @Test func optionalStatementsFollowTheChosenProfile() throws {
    let own = "https://w3id.org/xapi/virtual-classroom/verbs/"
    let expected: [(StatementSettings.Profile, [String])] = [
      (.none, []),
      (
        .gaiaX,
        [
          "http://activitystrea.ms/share", own + "reacted", own + "unreacted", own + "stopped",
          "http://activitystrea.ms/unshare",
        ]
      ),
      (.ralph, ["shared-screen", "raised-hand", "lowered-hand", "muted", "unshared-screen"].map { own + $0 }),
    ]
    for (profile, verbs) in expected {
      let taught = try OutboxLesson()
      try taught.map([0, 1, 2, 3])
      try taught.tell(.published, taught.lead, [("feed", "screen"), ("peer", "1")])
      try taught.tell(.published, taught.lead, [("feed", "screen"), ("peer", "2"), ("replaces", "1")])
      try taught.tell(.handRaised, taught.receivers[0])
      try taught.tell(.handLowered, taught.receivers[0])
      try taught.tell(.seatMuted, taught.receivers[0])
      try taught.tell(.unpublished, taught.lead, [("feed", "screen"), ("reason", "closedByPeer")])
      try taught.make(OutboxLesson.settings(profile))
      let statements = try taught.waiting().map { try ReadStatement($0.body) }
      #expect(statements.compactMap { $0["verb", "id"] } == verbs, "\(profile)")
    }
  }

  @Test func aRecordingIsMadeAndPlayed() throws {
    let taught = try OutboxLesson()
    try taught.map([0, 1, 2, 3])
    let resource = Identifier(high: 7, low: 8)
    let session = Identifier(high: 9, low: 9)
    func play(_ kind: EventKind, _ more: [(String, String)]) throws {
      try taught.tell(
        kind, taught.receivers[1],
        [("resource", "\(resource)"), ("session", "\(session)"), ("length", "60500")] + more)
    }
    let file = [("resource", "\(resource)"), ("videoFrames", "900"), ("durationMilliseconds", "60500")]
    try taught.tell(.resourceMade, nil, file)
    try taught.tell(.resourceMade, nil, file)
    try play(.playbackStarted, [("position", "0")])
    try play(.playbackPaused, [("position", "12340")])
    try play(.playbackResumed, [("position", "12340")])
    try play(.playbackSeeked, [("from", "20000"), ("position", "30000")])
    try play(.playbackEnded, [("position", "60500"), ("played", "50500")])
    try taught.make()
    let statements = try taught.waiting().map { try ReadStatement($0.body) }
    #expect(
      statements.map(\.verb) == ["create", "initialized", "played", "paused", "played", "seeked", "terminated"])
    #expect(statements.allSatisfy { $0["object", "id"] == "\(OutboxLesson.base)/resources/\(resource)" })
    #expect(statements.allSatisfy { $0.categories == ["https://w3id.org/xapi/video"] })
    let own = "https://w3id.org/xapi/video/extensions/"
    #expect(statements[3].number("result", "extensions", own + "time") == 12.34)
    #expect(statements[5].number("result", "extensions", own + "time-from") == 20)
    #expect(statements[5].number("result", "extensions", own + "time-to") == 30)
    #expect(statements[6].number("result", "extensions", own + "progress") == 0.835)
    #expect(statements[6]["result", "duration"] == "PT50.50S")
    #expect(statements[1].account == "S-2" && statements[0].account == "S-0")
    #expect(statements[2].number("context", "extensions", own + "length") == 60.5)
  }
}
