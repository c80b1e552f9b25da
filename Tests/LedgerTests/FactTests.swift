// Goal: figures are what the events say, whether they were kept or counted anew. Method: the golden county in a real
// ledger, its kept facts thrown away, corrected, and counted again; minutes, calls and head counts on their own.
import Classroom
import Foundation
import GRDB
import Ledger
import Testing

@Suite struct FactTests {
  private func filled() throws -> (folder: LedgerFolder, store: LedgerStore, county: GoldenCounty) {
    let folder = try LedgerFolder()
    let store = try folder.open()
    return (folder, store, try GoldenCounty(in: store, folder))
  }

  private func plan(_ store: LedgerStore, _ detail: FactDetail) throws -> PlanFigures {
    let facts = try store.lessonFacts(GoldenCounty.span.instants, detail: detail)
    return PlanFigures(facts.map { CountedLesson($0) }, minimumLessons: 1)
  }

  private func expectGolden(_ store: LedgerStore) throws {
    for detail in [FactDetail.counts, .whole] {
      let plan = try plan(store, detail)
      #expect(plan.planned == 12 && plan.taught == 7 && plan.cancelled == 1 && plan.notTaught == 4)
      #expect(plan.withoutReceiver == 1 && plan.notHeld == 3 && plan.tooShort == 0 && plan.pending == 0)
      #expect(plan.classHours == 8 && plan.offerings == 2 && plan.clusters == 1)
      #expect(plan.playbacks == 1 && plan.meetings == 1)
    }
    let attended = try store.attendedLessons(GoldenCounty.span.instants)
    #expect(attended == [GoldenCounty.point(1): 7, GoldenCounty.point(2): 1])
    let coverage = CoverageFigures(
      institutions: try store.institutions(), span: GoldenCounty.span, attended: attended,
      history: GoldenCounty.span.years(.school).map { ($0.name, $0.span, attended) })
    #expect(coverage.open.count == 4 && coverage.covered == [GoldenCounty.point(1), GoldenCounty.point(2)])
    #expect(coverage.neverReached == [GoldenCounty.point(3), GoldenCounty.point(4)])
  }

  @Test func theGoldenCountyComesOutOfItsEvents() throws {
    let (_, store, _) = try filled()
    try expectGolden(store)
    #expect(try store.firstAttended() == GoldenCounty.start(0))
    #expect(try store.verifyChain().isIntact)
  }

  @Test func keptFactsAreThoseCountedAnew() throws {
    let (folder, store, county) = try filled()
    let kept = try store.lessonFacts(GoldenCounty.span.instants, detail: .whole)
    #expect(kept.count == 14)
    for fact in kept { #expect(try store.lessonFact(fact.id) == fact) }
    let stranger = try folder.stranger()
    let rows = try stranger.write { db in
      let rows = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM lessonFacts")
      try db.execute(sql: "DELETE FROM seatFacts; DELETE FROM lessonFacts")
      return rows
    }
    // They were kept when the lessons ended, without anybody asking.
    #expect(rows == 14)
    #expect(try store.lessonFacts(GoldenCounty.span.instants, detail: .whole) == kept)
    // What another hand wrote in without an event is not believed once an event comes.
    try stranger.write { try $0.execute(sql: "UPDATE seatFacts SET effectiveMilliseconds = 1, counted = 0") }
    #expect(try plan(store, .whole).taught == 0)
    for lesson in county.lessons { try store.append(LedgerEvent(kind: .tokenIssued, lesson: lesson.id)) }
    try expectGolden(store)
  }

  @Test func aSchoolThatMovesLaterLeavesItsFiguresWhereTheyWere() throws {
    let (_, store, county) = try filled()
    var room = try #require(try store.room(GoldenCounty.room(2)))
    room.institution = GoldenCounty.point(4)
    try store.upsert(room)
    var course = try #require(try store.course(county.lessons[0].course!))
    course.subject = "art"
    course.grades = [5]
    try store.upsert(course)
    for lesson in county.lessons { try store.append(LedgerEvent(kind: .tokenIssued, lesson: lesson.id)) }
    try expectGolden(store)
  }

  @Test func correctionsHoldAndTheOriginalStays() throws {
    let (_, store, county) = try filled()
    let second = county.lessons[1]
    let seat = try #require(county.seats[second.id]?[2])
    try store.append(
      LedgerEvent(
        kind: .lessonCorrected, lesson: second.id, seat: seat.id,
        payload: [("reason", "记错"), ("effectiveMilliseconds", "1600000")]))
    let fact = try store.lessonFact(second.id)
    #expect(fact.seats[2].effectiveMilliseconds == 1_600_000 && fact.seats[2].correctedFrom == 1_599_000)
    #expect(fact.corrections == 1)
    #expect(try plan(store, .counts).classHours == 9)
    try store.append(
      LedgerEvent(kind: .lessonCorrected, lesson: county.lessons[4].id, payload: [("excluded", "1")]))
    let after = try plan(store, .counts)
    #expect(after.taught == 6 && after.excluded == 1 && after.planned == 11 && after.classHours == 8)
    try store.append(
      LedgerEvent(kind: .lessonCorrected, lesson: county.lessons[4].id, payload: [("excluded", "0")]))
    #expect(try plan(store, .counts).taught == 7)
    #expect(try store.report(lesson: second.id).seats[2].attendanceSeconds == 1_599, "the log itself is as it was")
  }

  @Test func aLessonThatRunsIsPendingAndCountedAnewEachTime() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let span = folder.now..<folder.now + 1
    #expect(try store.lessonFacts(span, detail: .whole).first?.seats.count == 4, "seats of the catalogue")
    try store.append([
      classes.event(.lessonArmed), classes.event(.lessonLive), classes.event(.seatJoined, classes.receivers[0]),
      classes.event(.seatCalled, classes.receivers[0]),
    ])
    folder.advance(30_000)
    try store.checkpoint([classes.counter(classes.receivers[0], seconds: 29)])
    var fact = try #require(try store.lessonFacts(span, detail: .whole).first)
    #expect(CountedLesson(fact).outcome == .pending && fact.liveMilliseconds == 30_000)
    #expect(fact.seats[1].effectiveMilliseconds == 29_000 && fact.seats[1].spokenMilliseconds == 30_000)
    // Another is called: the floor is one seat's at a time.
    try store.append(classes.event(.seatCalled, classes.receivers[1]))
    folder.advance(10_000)
    try store.append(classes.event(.seatUncalled, classes.receivers[1]))
    try store.append([
      classes.event(.handRaised, classes.receivers[2]),
      classes.event(.headCounted, classes.receivers[1], [("cohort", "2024"), ("count", "8")]),
      classes.event(.headCounted, classes.receivers[1], [("cohort", "2024"), ("count", "9")]),
      classes.event(.headCounted, classes.receivers[1], [("cohort", "2023"), ("count", "5")]),
      classes.event(.headCounted, classes.receivers[1], [("cohort", "2022"), ("count", "-3")]),
    ])
    for minute in 0..<3 as Range<Int64> {
      let line = SeatMinute(
        minute: folder.now + minute * 60_000, loss: minute == 2 ? 90 : 0, roundTrip: 20, bitrate: 1_500, freezes: 1,
        frozenMilliseconds: 300)
      try store.append(LedgerEvent(line, lesson: classes.lesson.id, seat: classes.receivers[2].id))
    }
    fact = try store.lessonFact(classes.lesson.id)
    #expect(fact.seats.map(\.spokenMilliseconds) == [0, 30_000, 10_000, 0])
    #expect(fact.seats.map(\.calls) == [0, 1, 1, 0] && fact.seats[3].hands == 1 && fact.seats[2].headCount == 14)
    let line = fact.seats[3].line
    #expect(line.minutes == 3 && line.poorMinutes == 1 && line.mean(line.loss) == 30 && line.freezes == 3)
    #expect(line.mean(line.bitrate) == 1_500 && line.mean(line.roundTrip) == 20)
  }

  @Test func snapshotsAreSignedAndStay() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let id = try store.keepSnapshot(
      report: "coverage", from: "2026-09-01", through: "2027-01-31", scope: "city", actor: nil, body: Array("{}".utf8))
    #expect(try store.snapshots(id: id).map(\.isSigned) == [true])
    let stranger = try folder.stranger()
    #expect(throws: DatabaseError.self) {
      try stranger.write { try $0.execute(sql: "UPDATE figureSnapshots SET body = x'00'") }
    }
    try stranger.write { try $0.execute(sql: "DROP TRIGGER figureSnapshotsRefuseUpdate") }
    try stranger.write { try $0.execute(sql: "UPDATE figureSnapshots SET body = x'00'") }
    #expect(try store.snapshots().map(\.isSigned) == [false])
    #expect(throws: LedgerError.payloadTooLarge) {
      try store.keepSnapshot(
        report: "x", from: "", through: "", scope: "", actor: nil,
        body: [UInt8](repeating: 0, count: LedgerStore.snapshotByteLimit + 1))
    }
  }

  /// Writes the county's ledger for the tests of the commands, when asked to with the name of a folder.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["TONGKE_WRITE_GOLDEN_COUNTY"] != nil))
  func writeGoldenCounty() throws {
    let target = try #require(ProcessInfo.processInfo.environment["TONGKE_WRITE_GOLDEN_COUNTY"])
    let (_, store, _) = try filled()
    try store.backup(to: target + "/ledger.sqlite")
  }
}
