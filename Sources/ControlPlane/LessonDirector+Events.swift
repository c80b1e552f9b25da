import Classroom
import Ledger
import Logging
import MediaWorker
import RTCCore
import RTCWire

extension LessonDirector {
  /// Takes what a worker tells, in order.
  func handle(_ events: [CoreEvent]) { for event in events { handle(event) } }

  private func handle(_ event: CoreEvent) {
    switch event {
    case .iceConnected(let peer, let path, _):
      log(peer, "transport found", ["path": "\(path.remote.family)"])
    case .dtlsConnected(let peer, let profile, _): connected(peer, profile)
    case .mediaFlowing(let peer, _):
      withSession(peer) { $0.hasMedia = true }
    case .stalled(let peer, _): withSession(peer) { $0.isStalled = true }
    case .resumed(let peer, _): withSession(peer) { $0.isStalled = false }
    case .ended(let peer, let end, _): forget(peer, end: end)
    case .trackStarted(let lesson, let feed, let track, let kind, let codec, _):
      trackStarted(lesson, feed, track: track, kind, codec)
    case .trackEnded(let lesson, let feed, let track, _): trackEnded(lesson, feed, track: track)
    case .paneFilled(let peer, let mid, let feed):
      paneChanged(peer, mid: mid, feed: feed, reason: nil)
    case .paneWithoutCommonCodec(let peer, let mid, let feed, let encoding):
      paneChanged(peer, mid: mid, feed: feed, reason: "noCommonCodec:\(encoding)")
    case .degraded(let peer, let kind, _): qualityChanged(peer, kind: kind, isDegraded: true)
    case .restored(let peer, let kind, _): qualityChanged(peer, kind: kind, isDegraded: false)
    case .peerStatistics(let statistics): take(statistics)
    case .keyFrameRequested(let injection): sendPicture(injection)
    }
  }

  private func withSession(_ peer: PeerID, _ change: (inout Session) -> Void) {
    sessions.change(peer, change)
  }

  private func session(of peer: PeerID) -> Session? { sessions[peer] }

  private func log(_ peer: PeerID, _ message: String, _ more: [String: String] = [:]) {
    guard let session = session(of: peer) else { return }
    var metadata: [String: String] = [
      "peer": "\(peer.rawValue)", "lesson": "\(session.lesson)", "role": session.role.rawValue,
    ]
    metadata.merge(more) { $1 }
    logger.info("\(message)", metadata: metadata.mapValues { .string($0) })
  }

  // MARK: Seats

  private func connected(_ peer: PeerID, _ profile: SRTPProfile) {
    guard let session = session(of: peer), lessons[session.lesson] != nil else { return }
    let now = clock()
    withSession(peer) {
      $0.isConnected = true
      $0.connectedAt = now
    }
    log(peer, "peer connected", ["profile": "\(profile)"])
    // A transport of the same seat that has gone silent is the one this peer comes back from. It is left to end by
    // itself: should it live after all, it is a second screen in the room.
    let former = sessions.of(seat: session.seat).first {
      $0.peer != peer && $0.kind == session.kind && $0.isConnected && !$0.isReplaced
        && ($0.isPublishing || $0.isSilent(now: now))
    }
    lessons[session.lesson]?.floor.hasUntold = true
    if session.isReturn {
      // Sending is not being there: whoever learns receives.
      if let former { withSession(former.peer) { $0.isReplaced = true } }
      return
    }
    let changes = lessons[session.lesson]?.trackers[session.seat]?.connect(
      peer: peer.rawValue, replacing: former?.peer.rawValue, now: now)
    var events: [LedgerEvent] = []
    for case .joined in changes ?? [] {
      events.append(LedgerEvent(kind: .seatJoined, lesson: session.lesson, seat: session.seat))
    }
    if let former { withSession(former.peer) { $0.isReplaced = true } }
    var payload = [("peer", String(peer.rawValue)), ("kind", session.isPublishing ? "publish" : "receive")]
    if let former { payload.append(("replaces", String(former.peer.rawValue))) }
    events.append(LedgerEvent(kind: .peerConnected, lesson: session.lesson, seat: session.seat, payload: payload))
    gather(events)
    tellCount(session.lesson)
  }

  /// A transport is gone.
  func forget(_ peer: PeerID, end: PeerEnd) {
    guard let session = sessions.remove(peer, now: clock()) else { return }
    admission.remove(peer)
    let why = Text.of("end.\(end)", in: .english)
    logger.info(
      "peer gone",
      metadata: ["peer": "\(peer.rawValue)", "lesson": "\(session.lesson)", "end": "\(end)", "why": "\(why)"])
    guard var lesson = lessons[session.lesson] else { return }
    if session.kind == .receive { placement.leave(lesson.number, at: session.worker, now: clock()) }
    lesson.floor.hasUntold = true
    lessons[session.lesson] = lesson
    if case .publish(let feed) = session.kind, lesson.publishers[feed] == peer {
      lesson.publishers[feed] = nil
      if !feed.isReturn { lesson.silentSince[feed] = clock() }
      lessons[session.lesson] = lesson
      keep(.unpublished, lesson: session.lesson, seat: session.seat, [("feed", feed.name), ("reason", "\(end)")])
      if end == .removed || end == .closedByPeer { publisherLeft(feed, lesson: session.lesson) }
    }
    guard session.isConnected, !session.isReturn else { return }
    lessons[session.lesson]?.trackers[session.seat]?.disconnect(peer: peer.rawValue, now: clock())
    if end != .replaced, !session.isReplaced {
      let payload = [("peer", String(peer.rawValue)), ("reason", "\(end)")]
      gather([LedgerEvent(kind: .peerLost, lesson: session.lesson, seat: session.seat, payload: payload)])
    }
    tellCount(session.lesson)
  }

  private func take(_ statistics: PeerStatistics) {
    let now = clock()
    measureStage(statistics, now: now)
    let former = session(of: statistics.peer)?.statistics
    withSession(statistics.peer) {
      $0.line.note(statistics, since: $0.statistics)
      $0.statistics = statistics
      $0.statisticsAt = now
    }
    noteMinute(statistics, since: former)
    guard statistics.mediaAcknowledged, let session = session(of: statistics.peer), session.kind == .receive else {
      return
    }
    lessons[session.lesson]?.trackers[session.seat]?.acknowledge(peer: statistics.peer.rawValue, now: now)
  }

  private func qualityChanged(_ peer: PeerID, kind: MediaKind, isDegraded: Bool) {
    guard let session = session(of: peer) else { return }
    gather([
      LedgerEvent(
        kind: isDegraded ? .degraded : .restored, lesson: session.lesson, seat: session.seat,
        payload: [("kind", "\(kind)")])
    ])
    tell(
      session.lesson, isDegraded ? .degraded(peer: peer.rawValue) : .restored(peer: peer.rawValue),
      about: session.seat)
  }

  private func paneChanged(_ peer: PeerID, mid: String, feed id: FeedID, reason: String?) {
    guard let session = session(of: peer) else { return }
    let feed = lessons[session.lesson]?.feed(id)?.paneName
    if let reason {
      let payload = [("mid", mid), ("feed", feed ?? ""), ("reason", reason)]
      gather([LedgerEvent(kind: .paneEmpty, lesson: session.lesson, seat: session.seat, payload: payload)])
    }
    tell(
      session.lesson, .pane(peer: peer.rawValue, mid: mid, feed: feed, reason: reason),
      about: session.seat)
  }

  // MARK: Tracks

  private func trackStarted(_ number: LessonID, _ id: FeedID, track: UInt32, _ kind: MediaKind, _ codec: Codec) {
    guard let lessonID = lessonsByNumber[number], let feed = lessons[lessonID]?.feed(id) else { return }
    let announced = LiveLesson.AnnouncedTrack(number: track, kind: kind, codec: codec)
    lessons[lessonID]?.tracks[feed, default: []].removeAll { $0.kind == kind }
    lessons[lessonID]?.tracks[feed, default: []].append(announced)
    if kind == .video { lessons[lessonID]?.pictures.insert(feed) } else { lessons[lessonID]?.sounds.insert(feed) }
    lessons[lessonID]?.silentSince[feed] = nil
    notePublisher(feed, lesson: lessonID)
    guard !feed.isReturn else {
      lessons[lessonID]?.floor.hasUntold = true
      record(feed, lesson: lessonID, announced)
      return
    }
    goLive(lessonID)
    setStage(lessonID)
    // What is a recording already is not recorded again.
    if lessons[lessonID]?.isPlayback != true { record(feed, lesson: lessonID, announced) }
  }

  /// The publisher is the newest session of the feed whose transport stands.
  private func notePublisher(_ feed: FeedName, lesson id: Identifier) {
    let newest = sessions.of(lesson: id).filter { $0.kind == .publish(feed) && $0.isConnected }
      .max { $0.peer.rawValue < $1.peer.rawValue }
    guard let newest, lessons[id]?.publishers[feed] != newest.peer else { return }
    let former = lessons[id]?.publishers[feed]
    lessons[id]?.publishers[feed] = newest.peer
    var payload = [("feed", feed.name), ("peer", String(newest.peer.rawValue))]
    if let former { payload.append(("replaces", String(former.rawValue))) }
    keep(.published, lesson: id, seat: newest.seat, payload)
  }

  private func trackEnded(_ number: LessonID, _ id: FeedID, track: UInt32) {
    guard let lessonID = lessonsByNumber[number], let feed = lessons[lessonID]?.feed(id),
      let announced = lessons[lessonID]?.tracks[feed]?.first(where: { $0.number == track })
    else { return }
    lessons[lessonID]?.tracks[feed]?.removeAll { $0.number == track }
    if announced.kind == .video {
      lessons[lessonID]?.pictures.remove(feed)
    } else {
      lessons[lessonID]?.sounds.remove(feed)
    }
    guard !feed.isReturn else {
      lessons[lessonID]?.floor.hasUntold = true
      return
    }
    setStage(lessonID)
  }

  private func goLive(_ id: Identifier) {
    guard let lesson = lessons[id], !lesson.value.isAlwaysLive, lesson.value.state != .live else { return }
    guard keep([LedgerEvent(kind: .lessonLive, lesson: id)]) else { return }
    _ = lessons[id]?.value.take(.goLive)
    let now = clock()
    // Whoever watches a recording attends no lesson.
    for seat in lesson.seats.keys where !lesson.isPlayback { lessons[id]?.trackers[seat]?.setLive(true, now: now) }
    tell(id, .state(LessonState.live.rawValue))
  }

  private func setStage(_ id: Identifier) {
    guard let lesson = lessons[id] else { return }
    send(lesson.stageCommand, toAllOf: lesson.number)
    tell(id, .feeds(lesson.liveFeeds.map(\.name)))
  }
}
