import Classroom
import MediaWorker
import RTCCore
import RTCWire

/// What a client gets for its offer.
struct OpenedSession: Sendable {
  var name: String
  var entityTag: String
  var answer: String
  /// The number that news and pane wishes name it by.
  var peer: UInt64
}

/// What a PATCH came to.
enum PatchOutcome: Sendable {
  case noted
  case restarted(fragment: String, entityTag: String)
}

extension LessonDirector {
  /// Transports of one seat beside each other: a class may watch on a board and on a laptop.
  static let sessionsPerSeat = 16
  /// Offers of one seat within `paceSpan` milliseconds; a page that fails at once must not hammer the relay.
  static let openingsPerSpan = 40
  /// PATCHes and DELETEs of one seat within `paceSpan`: every candidate of a browser may come by itself.
  static let changesPerSpan = 400
  static let paceSpan: Int64 = 10_000

  // MARK: POST

  func openSession(
    _ kind: Session.Kind, lesson id: Identifier, claims: AccessClaims, offer text: String, reach: Reach
  ) throws(Problem) -> OpenedSession {
    let lesson = try open(id)
    let seat = try seat(claims, in: lesson, kind: kind)
    try checkFloor(kind, of: seat, in: lesson)
    try Self.checkPace(&recentOpenings[seat.id, default: []], limit: Self.openingsPerSpan, now: clock())
    let offer: SessionDescription
    do throws(SDPError) { offer = try SessionDescription(parsing: text) } catch {
      throw Problem(.malformedOffer, arguments: ["reason": error.reason.rawValue], line: error.line)
    }
    let join = try place(kind, of: seat.id, in: lesson)
    let peer = PeerID(rawValue: nextPeer)
    nextPeer += 1
    let transport = LocalTransport(
      credentials: newCredentials(), fingerprint: identity.fingerprint,
      candidates: candidates(reach, worker: join.worker),
      sessionID: UInt64.random(in: 1...UInt64(Int64.max), using: &random))
    var feed: FeedID?
    if case .publish(let name) = kind {
      guard let id = lesson.id(of: name) else { throw Problem(.wrongRole) }
      feed = id
    }
    var made: (answer: SessionDescription, peer: PeerDescription)
    do throws(NegotiationError) {
      made = try Negotiation.answer(
        offer: offer, role: feed == nil ? .whep : .whip, local: transport, peer: peer, lesson: lesson.number,
        feed: feed, random: &random)
    } catch {
      throw Problem(
        error.isUnusable ? .unusableOffer : .malformedOffer, arguments: ["reason": error.reason.rawValue],
        line: error.line)
    }
    made.peer.ownFeeds = lesson.ownFeeds(of: seat)
    guard workers[join.worker].send(.addPeer(made.peer)) else { throw refusal(.commands) }
    showFirst(made.peer, role: seat.role, at: workers[join.worker])
    let session = Session(
      name: Self.secret(24), peer: peer, lesson: id, seat: seat.id, role: seat.role, kind: kind,
      worker: join.worker, entityTag: "\"\(Self.secret(9))\"", remoteFragment: made.peer.remote.userFragment,
      bundle: made.answer.media.map { "\($0.kind) \($0.mid ?? "0")" }, reach: reach)
    sessions.insert(session)
    if kind == .receive { placement.join(lesson.number, at: join.worker) }
    admission.admit(peer, join, now: clock())
    return OpenedSession(
      name: session.name, entityTag: session.entityTag, answer: made.answer.text, peer: peer.rawValue)
  }

  private func seat(_ claims: AccessClaims, in lesson: LiveLesson, kind: Session.Kind) throws(Problem) -> Seat {
    guard claims.lesson == lesson.value.id else { throw Problem(.wrongLesson) }
    guard let id = claims.seat, let seat = lesson.seats[id], seat.role == claims.seatRole else {
      throw Problem(.wrongLesson)
    }
    // Nobody teaches beside a recording.
    if case .publish(let feed) = kind, lesson.isPlayback, !feed.isReturn { throw Problem(.wrongRole) }
    if case .publish(let feed) = kind, seat.role != (feed.isReturn ? .receiver : .lead) { throw Problem(.wrongRole) }
    return seat
  }

  /// Says what the lines of a new receiver show; without it all show the stage.
  private func showFirst(_ peer: PeerDescription, role: Seat.Role, at worker: MediaWorker) {
    var places: [MediaKind: Int] = [:]
    for line in peer.lines where line.direction == .send {
      let source = LiveLesson.firstSource(ofLine: places[line.kind, default: 0], for: role)
      places[line.kind, default: 0] += 1
      if source != .stage { _ = worker.send(.setPane(peer.id, mid: line.mid, source: source, maxHeight: 0)) }
    }
  }

  /// Notes a request among the recent ones of its kind; refused ones are not noted, so that the list has an end.
  static func checkPace(_ recent: inout [Int64], limit: Int, now: Int64) throws(Problem) {
    recent.removeAll { now - $0 >= paceSpan }
    guard recent.count < limit else { throw Problem(.tooFast, retryAfter: 5) }
    recent.append(now)
  }

  private func newCredentials() -> ICECredentials {
    ICECredentials(userFragment: Self.secret(6), password: Self.secret(18))
  }

  /// Base64url of fresh random bytes: ice-char (RFC 8839 §5.4) has no "-" or "_", so those are replaced.
  static func secret(_ byteCount: Int) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    // One character for six random bits; "+" and "/" would need escaping in a URL, so they become letters.
    for byte in secureRandomBytes(byteCount * 4 / 3) {
      let symbol = alphabet[Int(byte & 63)]
      text.append(
        symbol == UInt8(ascii: "+") ? UInt8(ascii: "x") : symbol == UInt8(ascii: "/") ? UInt8(ascii: "y") : symbol)
    }
    return String(decoding: text, as: UTF8.self)
  }

  // MARK: PATCH and DELETE

  func session(_ name: String, claims: AccessClaims) throws(Problem) -> Session {
    guard let session = sessions[name] else { throw Problem(.notFound) }
    guard claims.lesson == session.lesson, claims.seat == session.seat else { throw Problem(.wrongLesson) }
    try Self.checkPace(&recentChanges[session.seat, default: []], limit: Self.changesPerSpan, now: clock())
    return session
  }

  /// Takes candidates, or restarts ICE when the fragment has other credentials than the session (RFC 9725 §4.3).
  func patch(_ name: String, claims: AccessClaims, match: String?, fragment text: String) throws(Problem)
    -> PatchOutcome
  {
    let session = try session(name, claims: claims)
    guard let match else { throw Problem(.noMatch) }
    let fragment: SDPFragment
    do throws(SDPError) { fragment = try SDPFragment(parsing: text) } catch {
      throw Problem(.malformedFragment, arguments: ["reason": error.reason.rawValue], line: error.line)
    }
    let isRestart = fragment.userFragment.map { $0 != session.remoteFragment } ?? false
    let matches = match == session.entityTag || (isRestart && match == "*")
    guard matches else { throw Problem(.staleMatch) }
    guard isRestart, let userFragment = fragment.userFragment else {
      for candidate in fragment.candidates.prefix(32) {
        guard let address = candidate.socketAddress, candidate.transport == "udp" else { continue }
        _ = workers[session.worker].send(.addRemoteCandidate(session.peer, address))
      }
      return .noted
    }
    guard let password = fragment.password, (4...256).contains(userFragment.utf8.count),
      (22...256).contains(password.utf8.count)
    else { throw Problem(.restartIncomplete) }
    let local = newCredentials()
    let remote = ICECredentials(userFragment: userFragment, password: password)
    guard workers[session.worker].send(.restartICE(session.peer, local: local, remote: remote)) else {
      throw .full(.commands, retryAfter: 2)
    }
    let tag = "\"\(Self.secret(9))\""
    sessions.change(session.peer) {
      $0.entityTag = tag
      $0.remoteFragment = userFragment
    }
    return .restarted(fragment: restartFragment(session, local: local), entityTag: tag)
  }

  private func restartFragment(_ session: Session, local: ICECredentials) -> String {
    var answer = SDPFragment()
    answer.userFragment = local.userFragment
    answer.password = local.password
    answer.candidates = candidates(session.reach, worker: session.worker)
    answer.endOfCandidates = true
    // The first section of the bundle names the transport (RFC 8840 §4.4).
    let sections = session.bundle.map { $0.split(separator: " ") }
    let mids = sections.map { String($0[1]) }.joined(separator: " ")
    let first = sections.first.map { "m=\($0[0]) 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:\($0[1])\r\n" } ?? ""
    return "a=ice-lite\r\na=group:BUNDLE \(mids)\r\n" + first + answer.text
  }

  func delete(_ name: String, claims: AccessClaims) throws(Problem) {
    let session = try session(name, claims: claims)
    _ = workers[session.worker].send(.removePeer(session.peer))
    forget(session.peer, end: .removed)
  }

  // MARK: Panes

  /// Says what a send line shows, of `seat`'s own transport; nil is for whoever may for all. `mid` is checked against
  /// the session, the source against the lesson's feeds. A site's picture alone is shown by its seat, to the lead and
  /// by whoever may for all; its sound comes by a call and not otherwise.
  func setPane(
    lesson id: Identifier, peer: UInt64, seat: Identifier?, mid: String, show: String, maxHeight: Int
  ) throws(Problem) {
    guard let session = sessions[PeerID(rawValue: peer)], session.lesson == id else {
      throw Problem(.notFound)
    }
    guard seat == nil || seat == session.seat else { throw Problem(.wrongLesson) }
    guard session.bundle.contains(where: { $0.hasSuffix(" " + mid) }) else { throw Problem(.unknownPane) }
    guard (0...4_320).contains(maxHeight) else { throw Problem(.badRange) }
    let source: PaneSource
    switch show {
    case "none": source = .none
    case "stage": source = .stage
    case "called": source = .called
    case "stageScreen", "screen": source = .feed(LiveLesson.screenID)
    case "stageCamera", "camera": source = .feed(LiveLesson.cameraID)
    default:
      guard show.hasPrefix("seat:"), let site = Identifier(show.dropFirst(5)),
        let feed = lessons[id]?.floor.feed(of: site)
      else { throw Problem(.unknownFeed) }
      guard session.bundle.contains("video \(mid)") else { throw Problem(.soundByCall) }
      guard session.role == .lead || seat == nil else { throw Problem(.wrongRole) }
      watch(feed, of: id, at: session.worker)
      source = .feed(feed)
    }
    _ = workers[session.worker].send(.setPane(session.peer, mid: mid, source: source, maxHeight: UInt16(maxHeight)))
  }

  /// Has what a site sends lent to a worker where a pane shows it.
  private func watch(_ feed: FeedID, of id: Identifier, at worker: Int) {
    guard let lesson = lessons[id], worker != lesson.home else { return }
    _ = workers[lesson.home].send(.lendFeed(lesson.number, feed, to: worker))
  }
}
