// Goal: an outbox is delivered from by one relay, loses nothing, counts what it holds, and keeps what it was given
// first. Method: real ledgers, opened again and asked by holders that follow each other.
import Classroom
import Foundation
import Ledger
import Reporting
import Testing

@Suite struct OutboxTests {
  private let other = OutboxHolder(id: Identifier(high: 2, low: 2), host: "there")

  @Test func oneRelayDelivers() throws {
    let taught = try OutboxLesson()
    try taught.map([0, 1, 2, 3])
    try taught.teach()
    try taught.make()
    let waiting = try taught.waiting()
    // The lesson took longer than nobody may say so.
    try taught.store.holdOutbox(OutboxLesson.holder)
    #expect(throws: LedgerError.inUse) { try taught.store.holdOutbox(other) }
    let settlement = [StatementSettlement(number: waiting[0].number, outcome: .sent)]
    #expect(throws: LedgerError.inUse) { try taught.store.settle(settlement, holder: other) }
    #expect(throws: LedgerError.inUse) {
      _ = try taught.store.makeStatements(StatementWriter(OutboxLesson.settings()), holder: other)
    }
    #expect(try taught.waiting().count == waiting.count && taught.store.outboxStatus()?.host == "here")
    // It goes on saying so, and then no more.
    taught.advance(seconds: 50)
    try taught.store.holdOutbox(OutboxLesson.holder)
    taught.advance(seconds: 50)
    #expect(throws: LedgerError.inUse) { try taught.store.holdOutbox(other) }
    taught.advance(seconds: 11)
    try taught.store.holdOutbox(other)
    #expect(throws: LedgerError.inUse) { try taught.store.settle(settlement, holder: OutboxLesson.holder) }
    try taught.store.settle(settlement, holder: other)
    #expect(try taught.waiting().count == waiting.count - 1)
  }

  @Test func aProcessOfTheSameMachineTakesOverWhatACrashLeft() throws {
    let taught = try OutboxLesson()
    try taught.store.holdOutbox(OutboxHolder(id: Identifier(high: 3, low: 3), host: "here"))
    #expect(throws: LedgerError.inUse) { try taught.settle([.init(number: 1, id: other.id, body: [])]) }
    try taught.store.releaseOutbox(OutboxHolder(id: Identifier(high: 3, low: 3), host: "here"))
    try taught.store.holdOutbox(other)
  }

  @Test func aClockThatWasAheadHoldsItForNobody() throws {
    let taught = try OutboxLesson()
    taught.advance(seconds: 86_400 * 400)
    try taught.store.holdOutbox(OutboxLesson.holder)
    taught.advance(seconds: -86_400 * 400)
    try taught.store.holdOutbox(other)
  }

  @Test func theBaseIsGivenOnce() throws {
    let taught = try OutboxLesson()
    #expect(try taught.store.openOutbox(activityBase: "https://elsewhere.example.cn") == OutboxLesson.base)
    #expect(try taught.store.outboxStatus()?.activityBase == OutboxLesson.base)
  }

  @Test func settlingIsKeptAndCountedOnce() throws {
    let taught = try OutboxLesson()
    try taught.map([0, 1, 2, 3])
    try taught.teach()
    try taught.make()
    let waiting = try taught.waiting()
    try taught.settle(Array(waiting.prefix(2)))
    try taught.settle(Array(waiting.prefix(2)))
    try taught.settle([waiting[2]], .parked(reason: "422"))
    // What was sent is not parked afterwards.
    try taught.settle([waiting[0]], .parked(reason: "409"))
    var status = try #require(try taught.store.outboxStatus())
    #expect(status.sent == 2 && status.parked == 1 && status.waiting == waiting.count - 3)
    #expect(try taught.store.statements(in: .parked).map(\.id) == [waiting[2].id])
    #expect(try taught.store.statements(in: .parked)[0].reason == "422")
    #expect(try taught.store.retryParked(waiting[0].id) == 0 && taught.store.retryParked() == 1)
    #expect(try taught.waiting().contains { $0 == waiting[2] }, "with the same bytes")
    try taught.store.pauseOutbox(true)
    #expect(try taught.store.isOutboxPaused())
    taught.advance(seconds: 100)
    status = try #require(try taught.store.outboxStatus())
    #expect(status.isPaused && taught.now - (status.oldestWaiting ?? 0) >= 100_000)
    try taught.make()
    #expect(try taught.store.outboxStatus()?.waiting == status.waiting, "nothing is made twice")
  }

  @Test func batchesKeepToTheirBytesAndOneAlwaysGoes() throws {
    let taught = try OutboxLesson()
    try taught.map([0, 1, 2, 3])
    try taught.teach()
    try taught.make()
    let all = try taught.waiting()
    let bytes = all[0].body.count + all[1].body.count + 2
    #expect(try taught.store.waitingStatements(platform: "lrs", limit: 50, byteLimit: bytes).count == 2)
    #expect(try taught.store.waitingStatements(platform: "lrs", limit: 50, byteLimit: 1) == [all[0]])
    #expect(try taught.store.waitingStatements(platform: "lrs", limit: 3, byteLimit: .max) == Array(all.prefix(3)))
    #expect(try taught.store.waitingStatements(platform: "other", limit: 3, byteLimit: .max).isEmpty)
  }

  @Test func aLessonWithoutAnEndIsPassedOverAndCounted() throws {
    let taught = try OutboxLesson()
    try taught.map([0, 1, 2, 3])
    let sample = try taught.store.installSampleCluster()
    try taught.make()
    let before = try #require(try taught.store.outboxStatus()).passedOver
    try taught.store.append(LedgerEvent(kind: .seatJoined, lesson: sample.lesson.id, seat: sample.leadSeat.id))
    try taught.make()
    #expect(try taught.waiting().map { String(decoding: $0.body, as: UTF8.self) } == [])
    #expect(try taught.store.outboxStatus()?.passedOver == before + 1)
  }

  @Test func aDaysFileHasARowForEachSeatAndIsTheSameEachTime() throws {
    let taught = try OutboxLesson()
    try taught.map([1])
    try taught.teach()
    let changed = try taught.store.changedDays(of: [.lessonEnded])
    #expect(changed.days == [CivilTime.date(of: taught.lesson.plannedStart)] && !changed.isMore)
    let report = try taught.store.report(lesson: taught.lesson.id)
    let seats = try taught.store.usageSeats(lesson: taught.lesson.id)
    let rows = report.seats.map { seat in
      UsageRow(
        report: report, lesson: taught.lesson, seat: seat, institution: "P01", subject: "music", mode: .sync,
        space: seats.first { $0.seat == seat.seat }?.space)
    }
    let file = UsageFile(day: changed.days[0], settings: OutboxLesson.settings(), rows: rows)
    let lines = file.jsonLines.split(separator: 0x0A)
    #expect(lines.count == 1 + taught.receivers.count && file.jsonLines.last == 0x0A)
    for line in lines {
      let row = try ReadStatement(Array(line))
      #expect(Set(row.json.keys) == Set(UsageFile.columns) && row["schema"] == "tongke.usage")
      #expect(row.number("version") == 1 && row["appId"] == "4101" && row["platformCode"] == "430000")
      #expect(!row.text.contains("王"))
    }
    let second = try ReadStatement(Array(lines[1]))
    #expect(second["spaceId"] == "S-1" && second.number("attendanceSeconds") == 2_398)
    let csv = file.csv.split(separator: "\r\n")
    #expect(csv.count == lines.count + 1 && csv[0].hasSuffix(UsageFile.columns.joined(separator: ",")))
    #expect(UsageFile(day: file.day, settings: file.settings, rows: rows).csv == file.csv)
    try taught.store.noteDays(through: changed.through, holder: OutboxLesson.holder)
    #expect(try taught.store.changedDays(of: [.lessonEnded]).days.isEmpty)
  }

  @Test func spacesFollowTheirOwners() throws {
    let taught = try OutboxLesson()
    let person = Person(id: Identifier(high: 5, low: 5), institution: taught.schools[0], name: "某", staffNumber: "1")
    let space = Space(
      owner: .person(person.id), kind: .masterTeacher, homePage: OutboxLesson.page, name: "T-1")
    #expect(throws: LedgerError.notFound) { try taught.store.transaction { try $0.upsert(space) } }
    try taught.store.transaction {
      try $0.upsert(person)
      try $0.upsert(space)
      try $0.upsert(Space(owner: .region("桐溪县"), kind: .region, homePage: OutboxLesson.page, name: "R"))
    }
    var changed = space
    changed.kind = .teacher
    changed.name = "T-2"
    try taught.store.transaction { try $0.upsert(changed) }
    #expect(try taught.store.spaces().count == 2 && taught.store.space(of: .person(person.id)) == changed)
    for wrong in [
      Space(owner: .person(person.id), kind: .school, homePage: OutboxLesson.page, name: "x"),
      Space(owner: .region("县"), kind: .schoolClass, homePage: OutboxLesson.page, name: "x"),
      Space(owner: .region("县"), kind: .region, homePage: "space.example.cn", name: "x"),
      Space(owner: .region("县"), kind: .region, homePage: "https:///x", name: "x"),
      Space(owner: .region("县"), kind: .region, homePage: "https://a b", name: "x"),
      Space(owner: .region("县"), kind: .region, homePage: OutboxLesson.page, name: ""),
    ] { #expect(throws: ClassroomError.self) { try taught.store.transaction { try $0.upsert(wrong) } } }
    try taught.store.transaction { _ = try $0.remove(LedgerRow(.persons, person.id)) }
    #expect(try taught.store.spaces().map(\.owner) == [.region("桐溪县")], "who is gone has no space")
  }
}
