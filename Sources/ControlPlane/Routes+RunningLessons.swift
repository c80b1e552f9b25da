import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The REST interface of lessons that run: how their seats stand, the links that lead into them, and the end of all.
struct RunningLessonRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    [
      Route(.get, "/api/v1/lessons/{lesson}/seats", seats), Route(.get, "/api/v1/lessons/{lesson}/links", links),
      Route(.post, "/api/v1/lessons/end-all", endAll),
    ]
  }

  // MARK: Seats

  private func seats(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    // That there is no such lesson is told to whoever holds any token.
    var lesson = try await relay.director.stored(id)
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.watchLive, on: target, by: caller)
    let limit = try request.query.number("limit", in: 1...512) ?? 128
    let first = try request.query.number("cursor", in: 0...Limits.seats + 1) ?? 0
    let running = await relay.director.figures(id)
    if let running { lesson = running.lesson }
    let isCame = running == nil ? try attendance(id) : [:]
    let shown = try relay.store.seatPlaces(lesson: id).filter {
      ($0.seat.role == .lead || $0.seat.role == .receiver) && maySee($0.seat, of: target, caller)
    }
    let page = shown.dropFirst(first).prefix(limit).map { place in
      var row = running?.seats[place.seat.id] ?? closed(place.seat, attended: isCame[place.seat.id])
      row.room = place.room.isEmpty ? nil : place.room
      row.institution = place.institution.isEmpty ? nil : place.institution
      return row
    }
    let isOver = lesson.state.isFinal
    return try json(
      SeatList(
        lesson: "\(id)", title: lesson.title, state: lesson.state.rawValue,
        endReason: isOver ? try relay.store.endReason(lesson: id) : nil, now: relay.clock(),
        plannedStart: lesson.plannedStart, plannedEnd: lesson.plannedEnd, endsBy: running?.end?.endsBy,
        endsReason: running?.end?.reason.rawValue, feeds: running?.feeds ?? [],
        isRecording: running?.isRecording ?? false, isPaused: running?.isPaused ?? false, seats: page,
        next: first + page.count < shown.count ? String(first + page.count) : nil))
  }

  /// Each row is asked for by its own room.
  private func maySee(_ seat: Seat, of target: AccessTarget, _ caller: Caller) -> Bool {
    guard case .joint(var joint) = target, let room = seat.room else { return true }
    // Of a target without places only the city and the lesson itself are asked for.
    let isPlain = joint.leads.isEmpty && joint.sites.isEmpty
    joint.actedOn = isPlain ? AccessPlace(county: "", room: room) : relay.places.places().place(room: room)
    return relay.gate.allows(.watchLive, on: .joint(joint), by: caller)
  }

  private func attendance(_ lesson: Identifier) throws -> [Identifier: Int64] {
    Dictionary(
      try relay.store.attendance(lesson: lesson).map { ($0.seat, $0.effectiveMilliseconds) }, uniquingKeysWith: { $1 })
  }

  /// A seat of a lesson that is not open.
  private func closed(_ seat: Seat, attended: Int64?) -> SeatReply {
    SeatReply(
      seat: seat.id.description, role: seat.role.rawValue, state: attended == nil ? .neverCame : .left,
      attendedMilliseconds: seat.role == .receiver ? attended ?? 0 : 0)
  }

  // MARK: Links

  private func links(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let lesson = try await relay.director.stored(id)
    let target = relay.places.target(lesson: id, for: caller)
    let mayAll = relay.gate.allows(.changeLesson, on: target, by: caller)
    let shown = try relay.store.seatPlaces(lesson: id).filter {
      ($0.seat.role == .lead || $0.seat.role == .receiver) && (mayAll || mayEnrol($0.seat, caller))
    }
    // Whoever may hand out none is refused as for a change of the lesson.
    if shown.isEmpty { try relay.gate.require(.changeLesson, on: target, by: caller) }
    guard !lesson.state.isFinal else { throw Problem(.lessonEnded) }
    let expires = relay.linksExpire(lesson)
    let base = relay.linkBase(of: request, context)
    let links = shown.map { place in
      SeatLinks.Link(
        place, lesson: id, base: base, token: relay.tokens.issue(place.seat, expires: expires / 1_000))
    }
    // Keys were handed out: that stands in the audit trail, as a change does.
    relay.gate.changed(
      mayAll ? .changeLesson : .enrolDevices, on: target, by: caller,
      new: JSONText.object([("action", JSONText.string("links")), ("seats", String(links.count))]))
    return try json(
      SeatLinks(
        lesson: "\(id)", title: lesson.title, start: CivilText.text(lesson.plannedStart),
        end: CivilText.text(lesson.plannedEnd), expires: CivilText.text(expires), links: links))
  }

  /// A school hands out the keys of its own rooms.
  private func mayEnrol(_ seat: Seat, _ caller: Caller) -> Bool {
    guard let room = seat.room else { return false }
    return relay.gate.allows(.enrolDevices, on: .place(relay.places.places().place(room: room)), by: caller)
  }

  // MARK: The end of all

  private func endAll(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try requireStopAll(caller)
    var reply = StopAllReply(stopped: [], failed: [])
    var endings: [(lesson: Lesson, target: AccessTarget)] = []
    for lesson in await relay.director.running() {
      let target = relay.places.target(lesson: lesson.id, for: caller)
      if relay.gate.allows(.stopAll, on: target, by: caller) {
        endings.append((lesson, target))
      } else if relay.gate.allows(.readLessons, on: target, by: caller) {
        reply.failed.append(
          StopAllReply.Lesson(id: "\(lesson.id)", title: lesson.title, problem: Problem.Kind.outsideScope.rawValue))
      }
    }
    // What is being taught first; other turns of the director come in between.
    for start in stride(from: 0, to: endings.count, by: LessonDirector.clockBatch) {
      let batch = endings[start..<min(start + LessonDirector.clockBatch, endings.count)]
      let done = await relay.director.end(
        batch.map { Ending(lesson: $0.lesson.id, state: $0.lesson.state, reason: "stopAll") }
      ).lessons
      for (lesson, target) in batch {
        let isDone = done.contains(lesson.id)
        if isDone { relay.gate.changed(.stopAll, on: target, by: caller) }
        let told = StopAllReply.Lesson(
          id: "\(lesson.id)", title: lesson.title, problem: isDone ? nil : Problem.Kind.store.rawValue)
        if isDone { reply.stopped.append(told) } else { reply.failed.append(told) }
      }
    }
    return try json(reply)
  }

  /// Lets through whoever may stop everything somewhere; where, each lesson is asked for by itself.
  private func requireStopAll(_ caller: Caller) throws(Problem) {
    let places = relay.places.places()
    let scopes = caller.grants.compactMap { places.target($0.scope) }
    guard !scopes.contains(where: { relay.gate.allows(.stopAll, on: $0, by: caller) }) else { return }
    try relay.gate.require(.stopAll, on: scopes.first ?? .city, by: caller)
  }
}

extension SeatLinks.Link {
  /// - Parameter base: scheme, host and port, without a slash at the end.
  init(_ place: SeatPlace, lesson: Identifier, base: String, token: String) {
    let feeds = place.seat.role == .lead ? FeedName.lead : [.site(place.seat.id)]
    let whip = feeds.map { ($0.name, "\(base)/whip/lessons/\(lesson)/\($0.name)") }
    self.init(
      seat: place.seat.id.description, role: place.seat.role.rawValue, room: place.room,
      institution: place.institution, page: "\(base)/#lesson=\(lesson)&token=\(token)",
      whip: Dictionary(whip, uniquingKeysWith: { $1 }), whep: "\(base)/whep/lessons/\(lesson)",
      token: token)
  }
}

extension RelayParts {
  /// When the tokens of a lesson's links end, UTC milliseconds.
  func linksExpire(_ lesson: Lesson) -> Int64 {
    lesson.isAlwaysLive ? clock() + 30 * 86_400_000 : LessonWindow.closes(lesson) + Self.tokenGrace
  }

  /// Where links lead: to where the request came, unless that was this machine's own address, which is nobody else's.
  func linkBase(of request: Request, _ context: RelayContext) -> String {
    guard !request.isLocal(context) else { return pageBase() }
    return "https://\(request.head.authority ?? "localhost")"
  }
}
