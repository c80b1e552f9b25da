// Goal: what was measured in a room and what it was judged by is kept, bounded, and shows in the room. Method: storing,
// closing and opening again, and looking at the row that conflicts are found by.
import Classroom
import Foundation
import GRDB
import Ledger
import Testing

@Suite struct RoomTestTests {
  private static let actor = Identifier(high: 0xAC, low: 1)
  private static let school = Identifier(high: 1, low: 1)
  private static let room = Identifier(high: 2, low: 1)

  private func open(_ folder: LedgerFolder) throws -> LedgerStore {
    let store = try folder.open()
    try store.upsert(Institution(id: Self.school, number: "A01", kind: .school, name: "校"))
    try store.upsert(Room(id: Self.room, institution: Self.school, number: "A01-1", name: "教室"))
    return store
  }

  private func test(_ number: UInt64, at time: Int64, downlink: Int64 = 20_000_999) -> RoomTest {
    RoomTest(
      id: Identifier(high: 3, low: number), room: Self.room, takenAt: time, source: .page, device: "Firefox [128]",
      cameras: ["HD \"Webcam\" [{[{", "二号机"], microphones: ["M"], speakers: [], codecs: ["h264"],
      downlink: downlink, uplink: 4_000_000, roundTrip: 12_345, loss: nil)
  }

  private func acceptance(
    _ test: RoomTest, _ use: AcceptanceProfile.Use, _ state: AcceptanceFinding.State, at time: Int64
  ) -> RoomAcceptance {
    RoomAcceptance(
      room: Self.room, at: time, actor: Self.actor, test: test.id, use: use, profile: "standard", profileVersion: 3,
      findings: [
        AcceptanceFinding(.downlink, .met, measured: 20_000, needed: 2_500),
        AcceptanceFinding(.codecs, state, measured: 1, needed: 2, missing: ["opus"]),
      ])
  }

  private func keep(_ store: LedgerStore, _ test: RoomTest) throws {
    try store.transaction { try $0.keep(test, by: Self.actor) }
  }

  private func keep(_ store: LedgerStore, _ acceptance: RoomAcceptance) throws {
    try store.transaction { try $0.keep(acceptance) }
  }

  @Test func measurementsComeBackTheLatestFirst() throws {
    let folder = try LedgerFolder()
    var store = try open(folder)
    #expect(try store.tests(room: Self.room) == [] && store.latestTests() == [:])
    let all = (1...3).map { test(UInt64($0), at: folder.now + Int64($0)) }
    for test in all { try keep(store, test) }
    try store.close()
    store = try folder.open()
    #expect(try store.tests(room: Self.room) == all.reversed())
    #expect(try store.tests(room: Self.room, limit: 1) == [all[2]])
    #expect(try store.latestTests() == [Self.room: folder.now + 3])
    #expect(throws: LedgerError.notFound) {
      var stray = all[0]
      stray.id = Identifier(high: 3, low: 99)
      stray.room = Identifier(high: 9, low: 9)
      try keep(store, stray)
    }
    #expect(throws: ClassroomError.badRange) { try keep(store, test(7, at: 0, downlink: -1)) }
    #expect(try store.tests(room: Self.room).count == 3)
  }

  @Test func whatComesOutShowsInTheRoom() throws {
    let folder = try LedgerFolder()
    let store = try open(folder)
    let first = test(1, at: folder.now)
    try keep(store, first)
    let good = acceptance(first, .receiving, .met, at: folder.now + 1)
    try keep(store, good)
    var room = try #require(try store.room(Self.room))
    #expect(room.acceptedAt == folder.now + 1 && room.downlink == 20_000 && room.uplink == 4_000)
    // As a lead it fails, and stays accepted as what it was.
    let asLead = acceptance(first, .leading, .notMet, at: folder.now + 2)
    try keep(store, asLead)
    #expect(try store.room(Self.room)?.acceptedAt == folder.now + 1)
    let slow = test(2, at: folder.now + 3, downlink: 900_000)
    try keep(store, slow)
    let bad = acceptance(slow, .receiving, .notMeasured, at: folder.now + 4)
    try keep(store, bad)
    room = try #require(try store.room(Self.room))
    #expect(room.acceptedAt == nil && room.downlink == 900)
    #expect(try store.acceptances(room: Self.room) == [bad, asLead, good])
    #expect(try store.acceptances(room: Self.room, limit: 1) == [bad])
    #expect(throws: LedgerError.notFound) { try keep(store, acceptance(test(77, at: 0), .receiving, .met, at: 1)) }
  }

  @Test func oldMeasurementsGoUnlessTheyWereJudgedBy() throws {
    let folder = try LedgerFolder()
    let store = try open(folder)
    let judged = test(1, at: folder.now)
    try keep(store, judged)
    try keep(store, acceptance(judged, .receiving, .met, at: folder.now))
    for number in 2...UInt64(LedgerTransaction.testsOfRoom + 5) { try keep(store, test(number, at: folder.now)) }
    let kept = try store.tests(room: Self.room, limit: 10_000)
    #expect(kept.count == LedgerTransaction.testsOfRoom + 1)
    #expect(kept.last == judged && kept.first?.id.low == UInt64(LedgerTransaction.testsOfRoom + 5))
    #expect(!kept.contains { $0.id.low == 2 })
  }

  @Test func aRoomThatIsRemovedTakesThemAlong() throws {
    let folder = try LedgerFolder()
    let store = try open(folder)
    let test = test(1, at: folder.now)
    try keep(store, test)
    try keep(store, acceptance(test, .receiving, .met, at: folder.now))
    #expect(try store.transaction { try $0.remove(LedgerRow(.rooms, Self.room)) })
    #expect(try store.tests(room: Self.room) == [] && store.acceptances(room: Self.room) == [])
  }

  @Test func whenASiteWasConnectedComesFromTheEvents() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let room = try #require(classes.receivers[0].room)
    #expect(try store.lastConnected(room: room) == nil)
    try store.append(LedgerEvent(kind: .lessonArmed, lesson: classes.lesson.id))
    try store.append(classes.event(.seatJoined, classes.receivers[0]))
    let joined = folder.now
    folder.advance(60_000)
    try store.append(classes.event(.seatJoined, classes.receivers[1]))
    #expect(try store.lastConnected(room: room) == joined)
  }

  /// A school that closes takes nothing of what was taught and counted with it.
  @Test func closingASchoolLeavesPastFiguresAsTheyWere() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now, seconds: 60)
    try store.append(LedgerEvent(kind: .lessonArmed, lesson: classes.lesson.id))
    try store.append(LedgerEvent(kind: .lessonLive, lesson: classes.lesson.id))
    try store.append(classes.event(.seatJoined, classes.receivers[0]))
    folder.advance(60_000)
    try store.append(
      classes.event(.seatLeft, classes.receivers[0], [("effectiveMilliseconds", "60000")]))
    try store.append(LedgerEvent(kind: .lessonEnded, lesson: classes.lesson.id))
    let before = try store.report(lesson: classes.lesson.id)
    #expect(before.seats.contains { $0.attendanceSeconds > 0 })
    let events = try store.events(lesson: classes.lesson.id)
    let room = try #require(classes.receivers[0].room.flatMap { try store.room($0) })
    var school = try #require(try store.institution(room.institution))
    let lead = try #require(classes.lead.room.flatMap { try store.room($0) })
    school.validUntil = folder.now + 1
    school.successor = lead.institution
    try store.upsert(school)
    folder.advance(86_400_000)
    #expect(try store.report(lesson: classes.lesson.id) == before)
    #expect(try store.events(lesson: classes.lesson.id).map(\.hash) == events.map(\.hash))
    #expect(try store.room(room.id)?.institution == school.id, "the room stays the closed school's")
  }
}
