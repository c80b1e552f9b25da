public import Classroom
internal import GRDB

/// What a lesson came to, recounted from its events with the definitions of its day.
public struct LessonReport: Hashable, Sendable {
  public var lesson: Identifier
  public var title: String
  public var state: LessonState
  /// UTC milliseconds, as planned when the lesson was armed; before that, as planned now.
  public var plannedStart: Int64
  public var plannedEnd: Int64
  public var plannedSeconds: Int
  /// Seconds live, interruptions by the relay left out.
  public var liveSeconds: Int
  /// 同步, live long enough, and at least one receiving seat attended.
  public var taught: Bool
  /// Of an asynchronous lesson; it is no attendance and no teaching. Nil of one that is live.
  public var playback: PlaybackReport?
  /// In the order the seats were made.
  public var seats: [SeatReport]
  public var thresholdsVersion: Int
  public var events: Int
}

/// What one seat had of a lesson.
public struct SeatReport: Hashable, Sendable {
  public var seat: Identifier
  public var role: Seat.Role
  public var room: Identifier?
  /// The room's number and name, such as `P07-2 音乐教室`; empty for a seat without a room.
  public var roomName: String
  public var joins: Int
  public var leaves: Int
  public var reconnects: Int
  public var attendanceSeconds: Int
  /// Effective time ≥ the attended share of the planned time; only receivers attend, and none a recording.
  public var attended: Bool
}

/// Recounts a lesson from its events, one pass, memory proportional to its seats.
private struct ReportBuilder {
  var plannedStart: Int64
  var plannedEnd: Int64
  var thresholds: AttendanceThresholds
  var tallies: [Identifier: SeatTally]
  var liveMilliseconds: Int64 = 0
  var liveSince: Int64?
  var playback = PlaybackTally()
  var events = 0

  mutating func take(_ event: StoredEvent) {
    events += 1
    playback.take(event)
    if let seat = event.seat {
      tallies[seat]?.take(event)
      return
    }
    switch event.kind {
    case .lessonArmed:
      // The chain's word on the plan wins over the catalogue's.
      plannedStart = event["plannedStart"].flatMap { Int64($0) } ?? plannedStart
      plannedEnd = event["plannedEnd"].flatMap { Int64($0) } ?? plannedEnd
    case .lessonLive:
      if liveSince == nil { liveSince = event.at }
    case .lessonEnded: stop(at: event.at)
    case .interrupted: stop(at: event["seenAt"].flatMap { Int64($0) } ?? event.at)
    default: break
    }
  }

  mutating func stop(at end: Int64) {
    if let liveSince { liveMilliseconds &+= max(0, end &- liveSince) }
    liveSince = nil
  }

  var plannedMilliseconds: Int64 { max(0, plannedEnd &- plannedStart) }
}

extension LedgerStore {
  /// The report of a lesson, in one snapshot; of a lesson still open, as of now. Throws `notFound`.
  public func report(lesson id: Identifier) throws -> LessonReport {
    let now = clock()
    return try read { db in
      guard let lesson = try Lesson.fetch(db, id: id) else { throw LedgerError.notFound }
      guard let thresholds = AttendanceThresholds.version(lesson.thresholdsVersion) else {
        throw LedgerError.newerVersion
      }
      let seats = try Seat.fetch(db, where: "lesson = ? ORDER BY rowid", [id.databaseValue])
      var builder = ReportBuilder(
        plannedStart: lesson.plannedStart, plannedEnd: lesson.plannedEnd, thresholds: thresholds,
        tallies: Dictionary(
          seats.map { ($0.id, SeatTally(leaveGap: thresholds.leaveGapMilliseconds)) }, uniquingKeysWith: { $1 }))
      let rows = try Row.fetchCursor(
        db, sql: "SELECT id, at, kind, lesson, seat, payload, hash FROM events WHERE lesson = ? ORDER BY id",
        arguments: [id.databaseValue])
      var last = now
      while let row = try rows.next() {
        let event = try StoredEvent(row: row)
        builder.take(event)
        if lesson.state.isFinal { last = event.at }
      }
      builder.stop(at: last)
      return try Self.finish(builder, lesson: lesson, seats: seats, at: last, db)
    }
  }

  private static func finish(
    _ builder: ReportBuilder, lesson: Lesson, seats: [Seat], at end: Int64, _ db: Database
  ) throws -> LessonReport {
    let planned = builder.plannedMilliseconds
    let mode = try lesson.course.flatMap { try Course.fetch(db, id: $0) }?.mode ?? .sync
    var reports: [SeatReport] = []
    for seat in seats {
      guard var tally = builder.tallies[seat.id] else { continue }
      tally.settle(at: end)
      var effective = tally.effectiveMilliseconds
      // While the lesson is open the checkpoint runs ahead of the chain; once it is final the chain alone speaks.
      if !lesson.state.isFinal {
        let running = try Int64.fetchOne(
          db, sql: "SELECT effectiveMilliseconds FROM attendance WHERE seat = ?", arguments: [seat.id.databaseValue])
        effective = max(effective, running ?? 0)
      }
      let room = try seat.room.flatMap { try Room.fetch(db, id: $0) }
      reports.append(
        SeatReport(
          seat: seat.id, role: seat.role, room: seat.room,
          roomName: room.map { $0.number == $0.name ? $0.name : "\($0.number) \($0.name)" } ?? "",
          joins: tally.joins, leaves: tally.leaves, reconnects: tally.reconnects,
          attendanceSeconds: Int(effective / 1000),
          attended: seat.role == .receiver && mode != .asyncDual
            && builder.thresholds.isAttended(effectiveMilliseconds: effective, plannedMilliseconds: planned)))
    }
    let isLong = builder.thresholds.isTaught(
      liveMilliseconds: builder.liveMilliseconds, plannedMilliseconds: planned)
    return LessonReport(
      lesson: lesson.id, title: lesson.title, state: lesson.state, plannedStart: builder.plannedStart,
      plannedEnd: builder.plannedEnd, plannedSeconds: Int(planned / 1000),
      liveSeconds: Int(builder.liveMilliseconds / 1000),
      taught: mode == .sync && isLong && reports.contains(where: \.attended),
      playback: mode == .asyncDual ? builder.playback.report : nil, seats: reports,
      thresholdsVersion: builder.thresholds.version, events: builder.events)
  }
}
