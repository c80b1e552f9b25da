import Classroom
import GRDB
import Ledger
import Testing

@Suite struct ReportTests {
  /// A lesson of 40 minutes as four sites live through it, one of them badly.
  @Test func aLessonIsRecountedFromItsEvents() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let (good, drops, leaves) = (classes.receivers[0], classes.receivers[1], classes.receivers[2])
    try store.append([classes.event(.lessonArmed)])
    for seat in [classes.lead, good, drops, leaves] {
      try store.append([
        classes.event(.seatJoined, seat), classes.event(.peerConnected, seat, [("peer", "1")]),
      ])
    }
    try store.append(classes.event(.lessonLive))
    folder.advance(600_000)
    // Back after 59,999 ms: a reconnect. The other after 60,000: a leave, told of when it was found out.
    try store.append([classes.event(.peerLost, drops), classes.event(.peerLost, leaves)])
    folder.advance(59_999)
    try store.append(classes.event(.peerConnected, drops))
    folder.advance(1)
    try store.append(classes.event(.seatLeft, leaves))
    try store.append([classes.event(.seatJoined, leaves), classes.event(.peerConnected, leaves)])
    try store.append(classes.event(.peerConnected, good, [("replaces", "1")]))
    try store.checkpoint([classes.counter(good, seconds: 1_600), classes.counter(leaves, seconds: 1_599)])
    let running = try store.report(lesson: classes.lesson.id)
    #expect(running.state == .live && running.seats[1].attendanceSeconds == 1_600)
    folder.advance(1_740_000)
    try store.checkpoint([classes.counter(drops, seconds: 2_000), classes.counter(classes.lead, seconds: 2_400)])
    try store.append(classes.event(.lessonEnded))

    let report = try store.report(lesson: classes.lesson.id)
    #expect(report.state == .ended && report.thresholdsVersion == 1)
    #expect(report.plannedSeconds == 2_400 && report.liveSeconds == 2_400 && report.taught)
    #expect(report.seats.map(\.role) == [.lead, .receiver, .receiver, .receiver])
    #expect(report.seats.map(\.joins) == [1, 1, 1, 2])
    #expect(report.seats.map(\.leaves) == [0, 0, 0, 1])
    #expect(report.seats.map(\.reconnects) == [0, 1, 1, 0])
    #expect(report.seats.map(\.attendanceSeconds) == [2_400, 1_600, 2_000, 1_599])
    #expect(report.seats.map(\.attended) == [false, true, true, false])
    #expect(report.seats[1].roomName == "P01-1 东山教室")
    #expect(report.events == (try store.eventCount(lesson: classes.lesson.id)))
    #expect(throws: LedgerError.notFound) { try store.report(lesson: Identifier(high: 0, low: 0)) }
  }

  @Test func noLaterChangeOfTheCatalogueChangesTheFigures() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now, seconds: 30)
    try store.append([classes.event(.lessonArmed), classes.event(.lessonLive)])
    try store.append(classes.event(.seatJoined, classes.receivers[0]))
    folder.advance(30_000)
    try store.checkpoint([classes.counter(classes.receivers[0], seconds: 25)])
    try store.append(classes.event(.lessonEnded))
    let report = try store.report(lesson: classes.lesson.id)
    #expect(report.taught && report.seats[1].attended)
    var moved = try #require(try store.lesson(classes.lesson.id))
    moved.plannedEnd += 3_600_000
    try store.upsert(moved)
    try store.checkpoint([classes.counter(classes.receivers[1], seconds: 25)])
    let stranger = try folder.stranger()
    try stranger.write { try $0.execute(sql: "UPDATE attendance SET effectiveMilliseconds = 1") }
    folder.advance(86_400_000)
    #expect(try store.report(lesson: classes.lesson.id) == report)
  }

  @Test func aCrashInTheMiddleIsClosedAndGoesOn() throws {
    let folder = try LedgerFolder()
    var store = try folder.open()
    let classes = try Classes(in: store, start: folder.now, seconds: 60)
    try store.append([classes.event(.lessonArmed), classes.event(.lessonLive)])
    try store.append([
      classes.event(.seatJoined, classes.lead), classes.event(.seatJoined, classes.receivers[0]),
      classes.event(.peerConnected, classes.receivers[0]), classes.event(.seatJoined, classes.receivers[1]),
      classes.event(.seatLeft, classes.receivers[1]),
    ])
    folder.advance(20_000)
    try store.checkpoint([
      classes.counter(classes.lead, seconds: 20), classes.counter(classes.receivers[0], seconds: 19),
    ])
    try store.close()
    folder.advance(8_000)

    store = try folder.open()
    #expect(try store.recover() == 3, "lead, one receiver, the lesson")
    #expect(try store.recover() == 0)
    #expect(try store.lesson(classes.lesson.id)?.state == .interrupted)
    let counters = try store.attendance(lesson: classes.lesson.id)
    #expect(counters.allSatisfy { !$0.connected })
    let kept = try #require(counters.first { $0.seat == classes.receivers[0].id })
    #expect(kept.effectiveSeconds == 19)
    var tracker = AttendanceTracker(lesson: classes.lesson, effectiveMilliseconds: kept.effectiveMilliseconds)
    tracker.setLive(true, now: folder.now)
    _ = tracker.connect(peer: 7, now: folder.now)
    try store.append([
      classes.event(.lessonLive), classes.event(.seatJoined, classes.lead),
      classes.event(.peerConnected, classes.receivers[0]),
    ])
    for _ in 0..<32 {
      folder.advance(1_000)
      tracker.acknowledge(peer: 7, now: folder.now)
      let counter = AttendanceCounter(
        lesson: classes.lesson.id, seat: classes.receivers[0].id, tracker: tracker)
      try store.checkpoint([counter])
    }
    try store.append(classes.event(.lessonEnded))
    let report = try store.report(lesson: classes.lesson.id)
    #expect(report.seats.map(\.attendanceSeconds) == [20, 51, 0, 0])
    #expect(report.seats.map(\.joins) == [1, 1, 1, 0])
    #expect(report.seats.map(\.leaves) == [0, 0, 1, 0])
    #expect(report.seats.map(\.reconnects) == [1, 1, 0, 0])
    #expect(report.liveSeconds == 52, "the last sign of life to the restart is not live")
    #expect(try store.verifyChain().isIntact)
  }

  @Test func checkpointsNeverFallAndNameSeatsOfTheirLesson() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let other = try Classes(in: store, start: folder.now, number: 2)
    let seat = classes.receivers[0]
    try store.checkpoint([classes.counter(seat, seconds: 9)])
    try store.checkpoint([classes.counter(seat, seconds: 5, connected: false)])
    try store.checkpoint([])
    #expect(throws: LedgerError.notFound) {
      try store.checkpoint([classes.counter(seat, seconds: 99), classes.counter(other.lead, seconds: 1)])
    }
    let expected = AttendanceCounter(
      lesson: classes.lesson.id, seat: seat.id, effectiveMilliseconds: 9_000, connected: false)
    #expect(try store.attendance(lesson: classes.lesson.id) == [expected])
  }
}
