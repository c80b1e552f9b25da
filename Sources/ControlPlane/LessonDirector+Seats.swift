import Classroom
import ControlAPI
import Ledger
import RTCCore

/// What a session's transport carried between its last two statistics.
struct SessionLine {
  /// To a receiver, or from a publisher; nil before the second statistics.
  private(set) var bitsPerSecond: Int64?
  /// Share lost, 0…1: as the receiver last reported it, or of what a publisher sent.
  private(set) var loss: Double?

  mutating func note(_ statistics: PeerStatistics, since former: PeerStatistics?) {
    guard let former else { return }
    let microseconds = statistics.at.microseconds - former.at.microseconds
    guard microseconds > 0 else { return }
    let sent = statistics.bytesSent &- former.bytesSent
    let received = statistics.bytesReceived &- former.bytesReceived
    let bits = Double(max(sent, received)) * 8 * 1e6 / Double(microseconds)
    bitsPerSecond = Int64(min(bits, 1e15))
    guard received > sent else {
      loss = Double(statistics.fractionLost) / 256
      return
    }
    // What is repaired later counts down.
    let lost = statistics.packetsLost > former.packetsLost ? Double(statistics.packetsLost - former.packetsLost) : 0
    let all = lost + Double(statistics.packetsReceived &- former.packetsReceived)
    loss = all > 0 ? lost / all : 0
  }
}

/// How an open lesson stands now.
struct LessonFigures: Sendable {
  var lesson: Lesson
  var end: LessonEnd?
  var feeds: [SeatList.Feed]
  var isRecording: Bool
  /// 一键暂停: no site may send or ask.
  var isPaused: Bool
  /// By seat; room and school are the ledger's to say.
  var seats: [Identifier: SeatReply]
}

extension LessonDirector {
  /// Figures of an open lesson; nil of one that is not open.
  func figures(_ id: Identifier) -> LessonFigures? {
    guard let lesson = lessons[id], !lesson.isEnding else { return nil }
    let now = clock()
    let standing = Dictionary(
      // What a site sends back is none of its being there.
      grouping: sessions.of(lesson: id).filter { $0.isConnected && !$0.isReplaced && !$0.isReturn }, by: \.seat)
    let seats = lesson.seats.mapValues { seat in
      figures(of: seat, in: lesson, sessions: standing[seat.id] ?? [], now: now)
    }
    let feeds = FeedName.lead.compactMap { feed in
      lesson.publishers[feed].flatMap { sessions[$0] }.map { feedFigures(feed, $0, in: lesson, now: now) }
    }
    return LessonFigures(
      lesson: lesson.value, end: workOutEnd(id), feeds: feeds, isRecording: !lesson.recordings.isEmpty,
      isPaused: lesson.floor.value.isPaused, seats: seats)
  }

  private func figures(of seat: Seat, in lesson: LiveLesson, sessions: [Session], now: Int64) -> SeatReply {
    let tracker = lesson.trackers[seat.id]
    var reply = SeatReply(
      seat: seat.id.description, role: seat.role.rawValue, state: .neverCame,
      attendedMilliseconds: seat.role == .receiver ? tracker?.effectiveMilliseconds ?? 0 : 0)
    let floor = lesson.floor.value
    reply.isCalled = floor.called == seat.id
    reply.isMuted = floor.muted.contains(seat.id)
    reply.isBanned = floor.banned[seat.id] != nil
    reply.hasRaisedHand = floor.hands.contains(seat.id)
    guard !sessions.isEmpty else {
      if (tracker?.joins ?? 0) > 0 || lesson.cameBefore.contains(seat.id) { reply.state = .left }
      return reply
    }
    let speaking = sessions.filter { !$0.isSilent(now: now) }
    reply.state = speaking.isEmpty ? .silent : .connected
    reply.connections = sessions.count
    reply.connectedMilliseconds = sessions.compactMap(\.connectedAt).min().map { max(0, now - $0) }
    // Of several transports of a room the one that is told is the one with the most of the lesson.
    let told = (speaking.isEmpty ? sessions : speaking).max {
      ($0.line.bitsPerSecond ?? 0) < ($1.line.bitsPerSecond ?? 0)
    }
    guard let told, let statistics = told.statistics else { return reply }
    reply.loss = told.line.loss
    reply.bitsPerSecond = told.line.bitsPerSecond
    reply.roundTripMilliseconds = Double(statistics.roundTripMicroseconds) / 1_000
    if !told.isPublishing { reply.picture = SeatReply.Picture(statistics.picture) }
    return reply
  }

  private func feedFigures(_ feed: FeedName, _ session: Session, in lesson: LiveLesson, now: Int64) -> SeatList.Feed {
    SeatList.Feed(
      feed: feed.name, isSilent: session.isSilent(now: now), hasPicture: lesson.pictures.contains(feed),
      hasSound: lesson.sounds.contains(feed), loss: session.line.loss,
      roundTripMilliseconds: session.statistics.map { Double($0.roundTripMicroseconds) / 1_000 },
      bitsPerSecond: session.line.bitsPerSecond,
      connectedMilliseconds: session.connectedAt.map { max(0, now - $0) })
  }

}

extension SeatReply.Picture {
  init(_ state: PictureState) {
    switch state {
    case .none: self = .none
    case .full: self = .full
    case .thin: self = .thin
    case .paused: self = .paused
    }
  }
}
