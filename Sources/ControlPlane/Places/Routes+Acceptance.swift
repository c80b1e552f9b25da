import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// The REST interface of rooms' measurements and acceptance (验收), and of lessons' checks by them.
struct AcceptanceRoutes: Sendable {
  let relay: RelayParts
  private var profile: AcceptanceProfile { relay.acceptance }

  var all: [Route] {
    let room = "/api/v1/rooms/{number}"
    return [
      Route(.get, room + "/tests", tests), Route(.post, room + "/tests", store),
      Route(.get, room + "/acceptance", latest), Route(.post, room + "/acceptance", accept),
      Route(.get, room + "/throughput", send), Route(.post, room + "/throughput", take),
      Route(.get, "/api/v1/lessons/{lesson}/check", check),
    ]
  }

  private func room(
    _ context: RelayContext, _ operation: AccessOperation, _ caller: Caller
  ) throws -> (room: Room, target: AccessTarget) {
    let room = try relay.store.room(called: context.name("number"))
    let target = AccessTarget.place(relay.places.places().place(room: room.id))
    try relay.gate.require(operation, on: target, by: caller)
    return (room, target)
  }

  // MARK: Measurements

  private func store(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let (room, target) = try room(context, .testRoom, caller)
    let wanted: RoomTestRequest = try await request.json()
    guard let source = RoomTest.Source(rawValue: wanted.source) else {
      throw Problem(.badQuery, arguments: ["name": "source", "value": wanted.source.onOneLine(limit: 40)])
    }
    var random = SystemRandomNumberGenerator()
    let now = relay.clock()
    let test = RoomTest(
      id: Identifier(milliseconds: now, using: &random), room: room.id, takenAt: now, source: source,
      device: wanted.device, cameras: wanted.cameras, microphones: wanted.microphones, speakers: wanted.speakers,
      codecs: wanted.codecs.map { $0.lowercased() }, downlink: wanted.downlink, uplink: wanted.uplink,
      roundTrip: wanted.roundTrip, loss: wanted.loss)
    try tellingProblems { try relay.store.transaction { try $0.keep(test, by: caller.subject) } }
    relay.gate.changed(
      .testRoom, on: target, by: caller,
      new: #"{"downlink":\#(test.downlink),"uplink":\#(test.uplink),"source":"\#(source.rawValue)"}"#)
    return try json(reply(test, room, request.language), status: .created)
  }

  private func tests(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let (room, _) = try room(context, .readRooms, caller)
    let limit = try request.query.number("limit", in: 1...200) ?? 20
    return try json(try relay.store.tests(room: room.id, limit: limit).map { reply($0, room, request.language) })
  }

  private func reply(_ test: RoomTest, _ room: Room, _ language: Language) -> RoomTestReply {
    let texts = AcceptanceText(language: language)
    return RoomTestReply(
      id: "\(test.id)", room: room.number, takenAt: CivilText.text(test.takenAt),
      result: RoomTestRequest(
        source: test.source.rawValue, device: test.device, cameras: test.cameras, microphones: test.microphones,
        speakers: test.speakers, codecs: test.codecs, downlink: test.downlink, uplink: test.uplink,
        roundTrip: test.roundTrip, loss: test.loss),
      findings: profile.check(test, for: .receiving, now: relay.clock()).map { texts.reply($0, room: room.number) })
  }

  // MARK: Acceptance

  private func accept(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let (room, target) = try room(context, .acceptRoom, caller)
    let wanted: AcceptanceRequest = try await request.json()
    guard let use = AcceptanceProfile.Use(rawValue: wanted.use) else {
      throw Problem(.badQuery, arguments: ["name": "use", "value": wanted.use.onOneLine(limit: 40)])
    }
    let now = relay.clock()
    let test = try relay.store.tests(room: room.id, limit: 1).first
    let findings = profile.check(test, for: use, now: now)
    guard let test, findings.contains(where: { $0.requirement == .recentTest && $0.state == .met }) else {
      throw Problem(
        .noRecentTest, arguments: ["room": room.number.onOneLine(limit: 40), "days": "\(profile.testDays)"])
    }
    let acceptance = RoomAcceptance(
      room: room.id, at: now, actor: caller.subject, test: test.id, use: use, profile: profile.name,
      profileVersion: profile.version, findings: findings)
    try tellingProblems { try relay.store.transaction { try $0.keep(acceptance) } }
    let changed = try relay.store.room(room.id)
    let forms = try LedgerStore.auditForms(from: room, to: changed)
    relay.gate.changed(.acceptRoom, on: target, by: caller, old: forms.old, new: forms.new)
    return try json(reply(acceptance, room, testedAt: test.takenAt, request.language))
  }

  private func latest(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let (room, _) = try room(context, .readRooms, caller)
    guard let acceptance = try relay.store.acceptances(room: room.id, limit: 1).first else {
      throw Problem(.notFound)
    }
    let test = try relay.store.tests(room: room.id, limit: 1_000).first { $0.id == acceptance.test }
    return try json(reply(acceptance, room, testedAt: test?.takenAt ?? acceptance.at, request.language))
  }

  private func reply(
    _ value: RoomAcceptance, _ room: Room, testedAt: Int64, _ language: Language
  ) -> AcceptanceReply {
    let texts = AcceptanceText(language: language)
    return AcceptanceReply(
      room: room.number, accepted: value.isAccepted, use: value.use.rawValue, profile: value.profile,
      version: value.profileVersion, at: CivilText.text(value.at), by: "\(value.actor)",
      testedAt: CivilText.text(testedAt), findings: value.findings.map { texts.reply($0, room: room.number) })
  }

  // MARK: The line

  /// Seconds after which a transfer is given up, so that its place is free for others.
  private static let transferSeconds: Int64 = 100
  private static let pieceBytes = 64 << 10

  /// Random, so that nothing on the way makes less of it; the same for all, since it is nobody's.
  private static let piece: ByteBuffer = {
    var generator = SystemRandomNumberGenerator()
    var buffer = ByteBuffer()
    for _ in 0..<(pieceBytes / 8) { buffer.writeInteger(generator.next() as UInt64) }
    return buffer
  }()

  private func send(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    _ = try room(context, .testRoom, caller)
    let bytes = try request.query.number("bytes", in: 1...ThroughputPace.transferLimit) ?? 1 << 20
    let pace = relay.pace
    let clock = relay.clock
    let start = clock()
    try pace.enter(caller.subject, bytes: bytes, now: start)
    let body = ResponseBody(contentLength: bytes) { writer in
      defer { pace.leave(caller.subject) }
      var left = bytes
      while left > 0 {
        guard clock() - start < Self.transferSeconds * 1_000 else { throw Problem(.tooLarge) }
        let count = min(left, Self.pieceBytes)
        try await writer.write(Self.piece.getSlice(at: 0, length: count) ?? ByteBuffer())
        left -= count
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok, headers: [.contentType: "application/octet-stream", .cacheControl: "no-store"], body: body)
  }

  private func take(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    _ = try room(context, .testRoom, caller)
    let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased()
    guard type == "application/octet-stream" else {
      throw Problem(.wrongType, arguments: ["wanted": "application/octet-stream"])
    }
    let announced = request.headers[.contentLength].flatMap { Int($0) } ?? ThroughputPace.transferLimit
    guard announced <= ThroughputPace.transferLimit else { throw Problem(.tooLarge) }
    let start = relay.clock()
    try relay.pace.enter(caller.subject, bytes: announced, now: start)
    defer { relay.pace.leave(caller.subject) }
    var taken = 0
    for try await part in request.body {
      taken += part.readableBytes
      guard taken <= ThroughputPace.transferLimit, relay.clock() - start < Self.transferSeconds * 1_000 else {
        throw Problem(.tooLarge)
      }
    }
    return try json(ThroughputReply(bytes: taken))
  }

  // MARK: A lesson

  private func check(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let seats = try relay.store.seats(lesson: id)
    let places = relay.places.places()
    try relay.gate.require(.readLessons, on: places.target(lesson: id, seats: seats), by: caller)
    guard let lesson = try relay.store.lesson(id) else { throw Problem(.notFound) }
    let mode = try lesson.course.flatMap { try relay.store.course($0) }?.mode ?? .sync
    let check = SiteCheck(store: relay.store, profile: profile, now: relay.clock(), language: request.language)
    var sites: [LessonCheckReply.Site] = []
    for role in [Seat.Role.lead, .receiver] {
      // Who leads a recorded lesson is not there.
      if mode == .asyncDual, role == .lead { continue }
      for seat in seats where seat.role == role {
        guard let id = seat.room, let room = try relay.store.room(id) else { continue }
        let target = places.target(lesson: lesson.id, seats: seats, actedOn: id)
        guard relay.gate.allows(.watchLive, on: target, by: caller) else { continue }
        sites.append(try check.site(room, role: role, sends: mode != .asyncDual))
      }
    }
    return try json(
      LessonCheckReply(
        lesson: "\(lesson.id)", title: lesson.title, start: CivilText.text(lesson.plannedStart),
        good: !sites.isEmpty && sites.allSatisfy(\.good), sites: sites))
  }
}

/// Judges the sites of one lesson, one after another.
private struct SiteCheck {
  let store: LedgerStore
  let profile: AcceptanceProfile
  let now: Int64
  let language: Language

  func site(_ room: Room, role: Seat.Role, sends: Bool) throws -> LessonCheckReply.Site {
    let test = try store.tests(room: room.id, limit: 1).first
    let connected = try store.lastConnected(room: room.id)
    let texts = AcceptanceText(language: language)
    let findings = profile.check(test, for: role == .lead ? .leading : .receiving, sends: sends, now: now).map {
      texts.reply($0, room: room.number)
    }
    let bad = findings.filter { $0.state != "met" }
    let never = Text.of("site.never", in: language)
    let key = test == nil ? "site.untested" : bad.isEmpty ? "site.good" : "site.bad"
    let sentence = Text.of(
      key, in: language,
      [
        "room": room.number, "problems": bad.map(problem).joined(separator: language.semicolon),
        "tested": test.map { CivilText.text($0.takenAt) } ?? never,
        "connected": connected.map(CivilText.text) ?? never,
      ])
    var remedies = bad.map(\.remedy)
    if room.acceptedAt == nil { remedies.append(Text.of("site.unaccepted", in: language, ["room": room.number])) }
    // Of a room that was never measured all requirements say the same.
    var told: Set<String> = []
    return LessonCheckReply.Site(
      room: room.number, institution: try store.institution(room.institution)?.name ?? "", role: role.rawValue,
      good: bad.isEmpty, accepted: room.acceptedAt != nil, testedAt: test.map { CivilText.text($0.takenAt) },
      connectedAt: connected.map(CivilText.text), sentence: sentence,
      remedies: remedies.filter { told.insert($0).inserted }, findings: findings)
  }

  private func problem(_ finding: AcceptanceFindingReply) -> String {
    Text.of(
      "site.problem", in: language,
      ["name": finding.name, "measured": finding.measured, "needed": finding.needed])
  }
}
