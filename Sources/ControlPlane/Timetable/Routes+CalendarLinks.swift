import Classroom
import ControlAPI
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// Links to calendars, which a phone or Outlook can subscribe to: such programs send no token, so the link itself is
/// the right to read this one calendar, until it is taken back.
struct CalendarLinkRoutes: Sendable {
  /// Below which links lie; what follows is a secret.
  static let folder = "/calendar/"

  let relay: RelayParts

  var all: [Route] {
    let links = "/api/v1/calendars/links"
    return [
      Route(.get, links, list), Route(.post, links, make), Route(.delete, links + "/{link}", remove),
      Route(.get, Self.folder + "{secret}.ics", fetch),
    ]
  }

  // MARK: Making and taking back

  private func make(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let wanted: CalendarLinkRequest = try await request.json()
    guard let kind = CalendarLink.Kind(rawValue: wanted.kind) else {
      throw Problem(.badQuery, arguments: ["name": "kind", "value": wanted.kind.onOneLine(limit: 40)])
    }
    let target = try target(kind, named: wanted.of)
    try require(kind, target, by: caller)
    let secret = relay.calendarSecret.make()
    guard let hash = relay.calendarSecret.hash(of: secret) else { throw Problem(.store) }
    let now = relay.clock()
    var random = SystemRandomNumberGenerator()
    let link = CalendarLink(
      id: Identifier(milliseconds: now, using: &random), hash: hash, kind: kind, target: target,
      label: (wanted.label ?? "").onOneLine(), madeBy: caller.subject, madeAt: now)
    try tellingProblems { try relay.store.put(link) }
    relay.gate.changed(
      .shareCalendars, on: try access(kind, target), by: caller,
      new: #"{"made":"\#(link.id)","kind":"\#(kind.rawValue)"}"#)
    var reply = try self.reply(link)
    let base = self.base(of: request, context)
    reply.url = base + Self.folder + secret + ".ics"
    reply.webcal = "webcal" + (base.drop { $0 != ":" }) + Self.folder + secret + ".ics"
    return try json(reply)
  }

  private func list(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let links = try relay.store.calendarLinks()
    let own = try links.filter { try allows($0.kind, $0.target, by: caller) }
    if own.isEmpty, !links.isEmpty { try relay.gate.require(.shareCalendars, on: .city, by: caller) }
    return try json(try own.map(reply))
  }

  private func remove(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("link"))
    guard let link = try relay.store.calendarLink(id) else { throw Problem(.notFound) }
    try require(link.kind, link.target, by: caller)
    guard try relay.store.removeCalendarLink(id) else { throw Problem(.notFound) }
    relay.gate.changed(
      .shareCalendars, on: try access(link.kind, link.target), by: caller, old: #"{"removed":"\#(id)"}"#)
    return Response(status: .noContent)
  }

  // MARK: Fetching

  private func fetch(_ request: Request, _ context: RelayContext) async throws -> Response {
    let (now, address) = (relay.clock(), request.clientAddress(context))
    let pace = relay.calendarPace
    guard pace.takes(from: address, isWrong: false, now: now) else { throw Problem(.tooFast, retryAfter: 60) }
    let hash = relay.calendarSecret.hash(of: context.parameter("secret"))
    guard let hash, let link = try relay.store.calendarLink(hash: hash) else {
      guard pace.takes(from: address, isWrong: true, now: now) else { throw Problem(.tooFast, retryAfter: 60) }
      throw Problem(.notFound)
    }
    guard pace.takesFetch(of: hash, now: now) else { throw Problem(.tooFast, retryAfter: 60) }
    let feeds = CalendarFeeds(relay: relay)
    let feed: CalendarFeed?
    switch link.kind {
    case .room: feed = try relay.store.room(link.target).map(feeds.room)
    case .cluster: feed = try relay.store.cluster(link.target).map(feeds.cluster)
    case .teacher:
      let person = try relay.store.person(link.target)
      feed = if let person { try await feeds.teacher(person) } else { nil }
    }
    guard let feed else { throw Problem(.notFound) }
    var response = TimetableFileRoutes.calendar(request, feed)
    // The address of a link is all there is to it: it goes nowhere from here.
    response.headers[.referrerPolicy] = "no-referrer"
    return response
  }

  // MARK: Whose

  /// What a kind and a number name: a room, `P07/001` for a teacher, a cluster.
  private func target(_ kind: CalendarLink.Kind, named number: String) throws -> Identifier {
    switch kind {
    case .room: return try relay.store.room(named: number).id
    case .teacher: return try relay.store.teacher(number).id
    case .cluster:
      guard let cluster = try relay.store.cluster(number: number) else {
        throw Problem(.unknownName, arguments: ["name": number])
      }
      return cluster.id
    }
  }

  /// Where a calendar lies; the city where what it is of is no more.
  private func access(_ kind: CalendarLink.Kind, _ target: Identifier) throws -> AccessTarget {
    let places = relay.places.places()
    switch kind {
    case .room: return .place(places.place(room: target))
    case .teacher:
      let school = try relay.store.person(target)?.institution
      return school.map { .place(places.place(school: $0)) } ?? .city
    case .cluster: return try relay.store.cluster(target).map { places.target(cluster: $0) } ?? .city
    }
  }

  /// Teachers share their own.
  private func isOwn(_ kind: CalendarLink.Kind, _ target: Identifier, _ caller: Caller) -> Bool {
    kind == .teacher && target == caller.subject && !caller.grants.isEmpty
  }

  private func allows(_ kind: CalendarLink.Kind, _ target: Identifier, by caller: Caller) throws -> Bool {
    try isOwn(kind, target, caller) || relay.gate.allows(.shareCalendars, on: access(kind, target), by: caller)
  }

  private func require(_ kind: CalendarLink.Kind, _ target: Identifier, by caller: Caller) throws {
    if !isOwn(kind, target, caller) {
      try relay.gate.require(.shareCalendars, on: try access(kind, target), by: caller)
    }
  }

  private func reply(_ link: CalendarLink) throws -> CalendarLinkReply {
    let number: String
    switch link.kind {
    case .room: number = try relay.store.room(link.target)?.number ?? ""
    case .cluster: number = try relay.store.cluster(link.target)?.number ?? ""
    case .teacher:
      let person = try relay.store.person(link.target)
      let school = try person?.institution.flatMap { try relay.store.institution($0) }
      number = [school?.number, person?.staffNumber].compactMap(\.self).joined(separator: "/")
    }
    return CalendarLinkReply(
      id: link.id.description, kind: link.kind.rawValue, of: number, label: link.label,
      madeAt: CivilText.text(link.madeAt), usedAt: link.usedAt.map(CivilText.text))
  }

  /// The address that others reach this relay by, also for whoever asks on its own machine.
  private func base(of request: Request, _ context: RelayContext) -> String {
    if request.isLocal(context) { return relay.pageBase() }
    return "https://\(request.head.authority ?? "localhost")"
  }
}

extension HTTPField.Name {
  static let referrerPolicy = Self("Referrer-Policy")!  // a valid token
}

extension Request {
  /// The path as a log may keep it: without the secret that is in a link to a calendar.
  var loggedPath: String {
    uri.path.hasPrefix(CalendarLinkRoutes.folder) ? CalendarLinkRoutes.folder + "…" : uri.path
  }
}
