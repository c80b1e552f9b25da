import Classroom
import ControlAPI
import Ledger
import Logging
import MediaWorker
import RTCCore

/// Calling sites, and what else is decided about them while a lesson runs.
extension LessonDirector {
  /// Markers that one person may set within `paceSpan` milliseconds.
  static let markersPerSpan = 20
  /// Scalars of a marker's label.
  static let labelScalars = 100
  /// Hands that a seat may raise and lower within `paceSpan` milliseconds.
  static let handsPerSpan = 20

  // MARK: Asked from outside

  /// The floor as somebody may see it.
  /// - Parameter seat: the only one that is told of; nil tells of all.
  func floor(_ id: Identifier, for seat: Identifier?) throws(Problem) -> FloorReply {
    floorReply(try open(id), for: seat)
  }

  /// Does something to a lesson's floor: at the workers first, then in the ledger, then it is told.
  /// - Parameter actor: who asks; nil for the relay itself.
  /// - Returns: the floor before and after.
  /// - Throws: what refuses the act; `store` when it is done and could not be kept.
  @discardableResult
  func act(_ act: FloorAct, lesson id: Identifier, by actor: Identifier?) throws(Problem) -> (
    old: FloorReply, new: FloorReply
  ) {
    var lesson = try open(id)
    let old = floorReply(lesson, for: nil)
    if actor != nil, let seat = act.seat, act.verb == .raiseHand || act.verb == .lowerHand {
      try Self.checkPace(&recentHands[seat, default: []], limit: Self.handsPerSpan, now: clock())
    }
    let before = lesson.floor.value
    let isConnected = act.seat.map { seat in sessions.of(seat: seat).contains { $0.isConnected } } ?? false
    do throws(FloorRefusal) {
      guard try lesson.floor.value.take(act, isConnected: isConnected) else { return (old, old) }
    } catch { throw Problem(error, of: act, in: before) }
    lessons[id]?.floor.value = lesson.floor.value
    carryOut(act, lesson: id, before: before)
    let isKept = keep([LedgerEvent(act, lesson: id, called: before.called, by: actor)])
    tellFloor(id, about: act)
    guard isKept else { throw Problem(.store, retryAfter: 5) }
    logger.info(
      "floor",
      metadata: ["lesson": "\(id)", "act": "\(act.verb.rawValue)", "seat": "\(act.seat.map { "\($0)" } ?? "")"])
    let new = lessons[id].map { floorReply($0, for: nil) }
    return (old, new ?? old)
  }

  /// Marks this moment of a lesson that is being taught.
  /// - Throws: what refuses it: a lesson that is not open, not taught yet (`notLive`), `tooFast`, `store`.
  func mark(_ id: Identifier, label: String, by actor: Identifier) throws(Problem) {
    guard try open(id).value.state == .live else { throw Problem(.notLive) }
    try Self.checkPace(&recentHands[actor, default: []], limit: Self.markersPerSpan, now: clock())
    let payload = [("label", label), ("by", "\(actor)")]
    guard keep([LedgerEvent(kind: .markerSet, lesson: id, payload: payload)]) else {
      throw Problem(.store, retryAfter: 5)
    }
  }

  // MARK: At the workers

  private func carryOut(_ act: FloorAct, lesson id: Identifier, before: Floor) {
    guard let floor = lessons[id]?.floor.value else { return }
    if floor.shown != before.shown || floor.heard != before.heard { sendCalled(id) }
    switch act {
    case .eject(let seat, let reason): remove(seat, from: id, isBanned: false, why: reason)
    case .ban(let seat, _): remove(seat, from: id, isBanned: true, why: floor.banned[seat] ?? "")
    case .grant(let seat, .video, isOn: false): endTransports(of: seat) { $0.isReturn }
    default: break
    }
  }

  /// Says to every worker of the lesson who is seen and heard; one that has no room for it is told again by the tick.
  private func sendCalled(_ id: Identifier) {
    guard let lesson = lessons[id] else { return }
    let command = lesson.calledCommand
    let isTaken = placement.workers(of: lesson.number).map { workers[$0].send(command) }
    lessons[id]?.floor.owesCalled = isTaken.contains(false)
  }

  private func remove(_ seat: Identifier, from id: Identifier, isBanned: Bool, why: String) {
    // Said first: whoever goes knows why.
    tell(id, .removed(isBanned: isBanned, why: why), about: seat)
    endTransports(of: seat) { _ in true }
  }

  private func endTransports(of seat: Identifier, where isMeant: (Session) -> Bool) {
    for session in sessions.of(seat: seat) where isMeant(session) {
      if !workers[session.worker].send(.removePeer(session.peer)) {
        owedRemovals.append((session.worker, session.peer))
      }
      forget(session.peer, end: .removed)
    }
  }

  // MARK: Letting in

  /// - Throws: why the floor does not let a seat connect, or send.
  func checkFloor(_ kind: Session.Kind, of seat: Seat, in lesson: LiveLesson) throws(Problem) {
    let floor = lesson.floor.value
    var refusal = floor.refusalToConnect(seat.id)
    if case .publish(.site) = kind { refusal = floor.refusalToSend(seat.id) }
    if let refusal { throw Problem(refusal, toSeat: seat.id, in: floor) }
  }

  // MARK: The ledger

  /// The floor as the lesson's events say it, however the relay ended.
  func restoredFloor(of id: Identifier, seats: [Seat]) throws -> LiveFloor {
    let sites = seats.filter { $0.role == .receiver }
    return LiveFloor(
      try store.floor(lesson: id, sites: Set(sites.map(\.id))), sites: sites.map(named))
  }

  private func named(_ seat: Seat) -> LiveFloor.Site {
    guard let id = seat.room, let room = try? store.room(id) else { return LiveFloor.Site(seat: seat.id) }
    return LiveFloor.Site(seat: seat.id, number: room.number, name: room.name)
  }

  /// Takes up which rooms the sites have by now.
  func nameSites(of id: Identifier) {
    guard let sites = lessons[id]?.floor.sites else { return }
    lessons[id]?.floor.sites = sites.map { site in
      (try? store.seat(site.seat)).map(named) ?? site
    }
  }

  // MARK: Telling

  func floorReply(_ lesson: LiveLesson, for seat: Identifier?) -> FloorReply {
    let floor = lesson.floor.value
    let hands = floor.hands.filter { seat == nil || $0 == seat }
    return FloorReply(
      lesson: "\(lesson.value.id)", paused: floor.isPaused, called: floor.called.map { "\($0)" },
      hands: hands.map { "\($0)" },
      sites: lesson.floor.sites.filter { seat == nil || $0.seat == seat }.map { siteReply($0, lesson, floor) })
  }

  private func siteReply(_ site: LiveFloor.Site, _ lesson: LiveLesson, _ floor: Floor) -> FloorReply.Site {
    let seat = site.seat
    return FloorReply.Site(
      seat: "\(seat)", room: site.number, name: site.name,
      connected: sessions.of(seat: seat).contains { $0.isWatching },
      sending: lesson.hasMedia(.site(seat)), called: floor.called == seat,
      hand: floor.hands.firstIndex(of: seat).map { $0 + 1 }, muted: floor.muted.contains(seat),
      banned: floor.banned[seat] != nil, video: floor.allows(.video, of: seat), audio: floor.allows(.audio, of: seat),
      screen: floor.allows(.screen, of: seat), text: floor.allows(.text, of: seat))
  }

  /// Tells followers at once what an act has changed; who raises a hand concerns those who may call, and itself.
  private func tellFloor(_ id: Identifier, about act: FloorAct? = nil) {
    guard let lesson = lessons[id], let known = followers[id] else { return }
    let isHand = act?.verb == .raiseHand || act?.verb == .lowerHand
    if !isHand { lessons[id]?.floor.hasUntold = false }
    known.tell(seat: isHand ? act?.seat : nil) { .floor(floorReply(lesson, for: $0)) }
  }

  // MARK: What a second brings

  /// Repeats what workers did not take, lets go of who is called and has gone, and tells what has changed meanwhile.
  func tendFloors(now: Int64) {
    owedRemovals = owedRemovals.filter { !workers[$0.worker].send(.removePeer($0.peer)) }
    recentHands = recentHands.filter { now - ($0.value.last ?? 0) < Self.paceSpan }
    for id in Array(lessons.keys) {
      if lessons[id]?.floor.owesCalled == true { sendCalled(id) }
      letGo(id, now: now)
      if lessons[id]?.floor.hasUntold == true { tellFloor(id) }
    }
  }

  private func letGo(_ id: Identifier, now: Int64) {
    guard let floor = lessons[id]?.floor else { return }
    let waiting = floor.value.hands + [floor.value.called].compactMap(\.self)
    var away: [Identifier: Int64] = [:]
    for seat in waiting where !sessions.of(seat: seat).contains(where: \.isConnected) {
      away[seat] = floor.awaySince[seat] ?? now
    }
    lessons[id]?.floor.awaySince = away
    for (seat, since) in away where now - since >= LiveFloor.awayLimit {
      lessons[id]?.floor.awaySince[seat] = nil
      _ = try? act(floor.value.called == seat ? .uncall : .lowerHand(seat), lesson: id, by: nil)
    }
  }
}

extension Problem {
  /// A refused act, for whoever asked for it.
  init(_ refusal: FloorRefusal, of act: FloorAct, in floor: Floor) {
    switch (refusal, act.verb) {
    case (.banned, .raiseHand):
      self.init(refusal, toSeat: act.seat, in: floor)
    case (.banned, _): self.init(.siteBanned)
    case (.notGranted, _): self.init(.siteNotGranted)
    default: self.init(refusal, toSeat: act.seat, in: floor)
    }
  }

  /// A refusal for the site itself.
  init(_ refusal: FloorRefusal, toSeat seat: Identifier?, in floor: Floor) {
    switch refusal {
    case .notASite: self.init(.notASite)
    case .notConnected: self.init(.siteNotConnected)
    case .banned:
      let why = seat.flatMap { floor.banned[$0] } ?? ""
      self.init(.banned, arguments: why.isEmpty ? [:] : ["why": why])
    case .paused: self.init(.floorPaused, retryAfter: 15)
    case .notGranted: self.init(.notGranted)
    }
  }
}
