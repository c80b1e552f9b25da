// Goal: the ledger keeps what an asynchronous lesson plays and where it stands, and counts it as playback alone.
// Method: lessons in a scratch ledger are led through their events by hand, and recounted.
import Classroom
import Ledger
import Testing

@Suite struct PlaybackTests {
  private static let minute: Int64 = 60_000

  /// A recorded lesson, and one of an asynchronous course in the same rooms.
  private static func pair(in store: LedgerStore) throws -> (recorded: SeatedLesson, plays: Lesson, seat: Seat) {
    let start: Int64 = 1_788_000_000_000
    let recorded = try store.makeLesson(
      title: "音乐", plannedStart: start, plannedEnd: start + 40 * minute, receivers: 2)
    let course = Course(
      id: Identifier(high: 7, low: 1), cluster: recorded.lesson.cluster, term: "2026-2027-1", subject: "music",
      grades: [3], lead: Course.Party(room: recorded.rooms[0].id),
      receivers: [Course.Party(room: recorded.rooms[1].id)], mode: .asyncDual)
    try store.upsert(course)
    let lesson = Lesson(
      id: Identifier(high: 7, low: 2), registration: Identifier(high: 7, low: 3), course: course.id,
      cluster: course.cluster, title: "音乐", plannedStart: start, plannedEnd: start + 40 * minute,
      state: .published)
    let seat = Seat(
      id: Identifier(high: 7, low: 4), lesson: lesson.id, role: .receiver, room: recorded.rooms[1].id)
    try store.upsert(lesson)
    try store.upsert(seat)
    return (recorded, lesson, seat)
  }

  @Test func aLessonPlaysWhatItIsTold() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let (recorded, lesson, _) = try Self.pair(in: store)
    #expect(try store.playback(lesson: recorded.lesson.id) == nil, "a live lesson plays nothing")
    #expect(try store.playback(lesson: lesson.id) == LessonPlaybackRow(lesson: lesson.id))
    #expect(throws: LedgerError.immutable) { try store.setPlaybackSource(lesson.id, of: recorded.lesson.id) }
    #expect(throws: LedgerError.immutable) { try store.setPlaybackSource(lesson.id, of: lesson.id) }
    #expect(throws: LedgerError.notFound) { try store.setPlaybackSource(Identifier(high: 9, low: 9), of: lesson.id) }
    try store.setPlaybackSource(recorded.lesson.id, of: lesson.id)
    var row = LessonPlaybackRow(
      lesson: lesson.id, source: recorded.lesson.id, position: 61_000, played: 60_000,
      session: Identifier(high: 8, low: 1))
    try store.keep([row])
    #expect(try store.playback(lesson: lesson.id) == row)
    #expect(throws: LedgerError.immutable, "what plays is not changed") {
      try store.setPlaybackSource(nil, of: lesson.id)
    }
    row.session = nil
    try store.keep([row])
    try store.setPlaybackSource(nil, of: lesson.id)
    #expect(try store.playback(lesson: lesson.id)?.source == nil)
  }

  @Test func whatIsPlayedIsNeitherTaughtNorAttended() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let (recorded, lesson, seat) = try Self.pair(in: store)
    let session = ("session", "S1")
    try store.append([
      LedgerEvent(kind: .lessonArmed, lesson: lesson.id), LedgerEvent(kind: .lessonLive, lesson: lesson.id),
      LedgerEvent(kind: .seatJoined, lesson: lesson.id, seat: seat.id),
      LedgerEvent(
        kind: .playbackStarted, lesson: lesson.id,
        payload: [("resource", "\(recorded.lesson.id)"), session, ("position", "0"), ("length", "2400000")]),
      LedgerEvent(kind: .playbackPaused, lesson: lesson.id, payload: [session]),
      LedgerEvent(kind: .playbackResumed, lesson: lesson.id, payload: [session]),
      LedgerEvent(kind: .playbackSeeked, lesson: lesson.id, payload: [session, ("from", "1000")]),
    ])
    // Figures that another part might count by mistake.
    try store.checkpoint([
      AttendanceCounter(lesson: lesson.id, seat: seat.id, effectiveMilliseconds: 2_400_000, connected: true)
    ])
    try store.append([
      LedgerEvent(kind: .playbackEnded, lesson: lesson.id, payload: [session, ("played", "1800000")]),
      LedgerEvent(kind: .lessonEnded, lesson: lesson.id, payload: [("reason", "playbackOver")]),
    ])
    let report = try store.report(lesson: lesson.id)
    #expect(!report.taught && report.seats.allSatisfy { !$0.attended })
    let playback = try #require(report.playback)
    #expect(playback.source == recorded.lesson.id && playback.sessions == 1)
    #expect(playback.playedSeconds == 1_800 && playback.lengthSeconds == 2_400)
    #expect(playback.pauses == 1 && playback.seeks == 1)
    #expect(try store.report(lesson: recorded.lesson.id).playback == nil)
    #expect(try store.verifyChain().isIntact)
  }

  @Test func theFilesOfALessonArePlayedInTheOrderOfTheirTimes() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let (recorded, _, _) = try Self.pair(in: store)
    func file(_ low: UInt64, _ name: String, _ state: ResourceFile.State = .verified) throws -> ResourceFile {
      let file = ResourceFile(
        id: Identifier(high: 5, low: low), lesson: recorded.lesson.id, kind: .recording, path: "resources/\(name).mp4",
        mediaType: "video/mp4", byteCount: 10, sha256: String(repeating: "0", count: 63) + String(low),
        durationMilliseconds: 1_000, state: state, madeAt: 1)
      try store.upsert(file)
      return file
    }
    let files = [
      (try file(1, "screen"), "screen", Int64(2_000)), (try file(2, "camera"), "camera", 1_000),
      (try file(3, "site"), "site", 1_000), (try file(4, "camera-2", .withdrawn), "camera", 3_000),
    ]
    for (file, feed, startsAt) in files {
      try store.append(
        LedgerEvent(
          kind: .resourceMade, lesson: recorded.lesson.id,
          payload: [
            ("resource", "\(file.id)"), ("feed", feed), ("sha256", file.sha256), ("startsAt", String(startsAt)),
          ]))
    }
    let found = try store.recordedFiles(lesson: recorded.lesson.id)
    #expect(found.map(\.feed) == ["camera", "screen"] && found.map(\.startsAt) == [1_000, 2_000])
    #expect(try store.publishedVisibility(lesson: recorded.lesson.id) == nil)
    func tell(_ kind: EventKind, _ visibility: String) throws {
      try store.append(LedgerEvent(kind: kind, lesson: recorded.lesson.id, payload: [("visibility", visibility)]))
    }
    try tell(.resourcePublished, "county")
    #expect(try store.publishedVisibility(lesson: recorded.lesson.id) == "county")
    try tell(.resourceWithdrawn, "")
    #expect(try store.publishedVisibility(lesson: recorded.lesson.id) == nil)
  }
}
