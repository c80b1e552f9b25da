import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The REST interface of devices: what enrols them, which there are, and what one has next.
struct DeviceRoutes: Sendable {
  let relay: RelayParts
  private var gate: AccessGate { relay.gate }
  private var desk: AccessDesk { relay.desk }

  var all: [Route] {
    [
      Route(.post, "/api/v1/rooms/{room}/device-codes", makeCode), Route(.get, "/api/v1/devices", list),
      Route(.delete, "/api/v1/devices/{device}", revoke),
      Route(.get, "/api/v1/devices/me/next-lesson", nextLesson),
    ]
  }

  private func target(of room: Identifier) -> AccessTarget { .place(relay.places.places().place(room: room)) }

  // MARK: Enrolling

  private struct Wanted: Decodable {
    enum Kind: String, Decodable { case digits, link }
    var kind: Kind
  }

  private func makeCode(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let text = context.name("room")
    let found = try Identifier(text).flatMap { try relay.store.room($0) }
    let room = if let found { found } else { try relay.store.room(named: text) }
    try gate.require(.enrolDevices, on: target(of: room.id), by: caller)
    let wanted: Wanted = try await request.json()
    let school = try relay.store.institution(room.institution)
    let code: String
    let expires: Int64
    switch wanted.kind {
    case .digits:
      let made = try desk.makeDeviceDigits(room: room.id)
      (code, expires) = (made.code, made.expires)
    case .link:
      let made = try desk.makeDeviceLink(room: room.id)
      (code, expires) = (made.code, made.expires)
    }
    gate.changed(
      .enrolDevices, on: target(of: room.id), by: caller,
      new: JSONText.object([("made", JSONText.string(wanted.kind.rawValue))]))
    return try json(
      DeviceCodeReply(
        kind: wanted.kind.rawValue, code: code, institution: school?.number ?? "", room: room.number,
        expires: CivilText.text(expires), page: relay.pageBase() + "/sign-in"), status: .created)
  }

  // MARK: Listing

  private func list(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let wanted = try request.query["room"].map { try relay.store.room(named: $0).id }
    if let wanted {
      try gate.require(.enrolDevices, on: target(of: wanted), by: caller)
    } else if !caller.grants.contains(where: { gate.allows(.enrolDevices, on: target($0.scope), by: caller) }) {
      try gate.require(.enrolDevices, on: .city, by: caller)
    }
    var told: [DeviceReply] = []
    for device in try desk.devices() where wanted == nil || device.room == wanted {
      guard gate.allows(.enrolDevices, on: target(of: device.room), by: caller) else { continue }
      told.append(
        DeviceReply(
          id: "\(device.id)", room: try relay.store.room(device.room)?.number ?? "\(device.room)",
          enrolled: CivilText.text(device.enrolled), expires: CivilText.text(device.expires),
          revoked: device.isRevoked))
    }
    return try json(told)
  }

  private func target(_ scope: Scope) -> AccessTarget { relay.places.places().target(scope) ?? .city }

  private func revoke(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let id = try identifier(context.parameter("device"))
    guard let device = try desk.devices().first(where: { $0.id == id }) else { throw Problem(.notFound) }
    try gate.require(.enrolDevices, on: target(of: device.room), by: caller)
    try desk.revoke(subject: device.id, by: caller.subject)
    gate.changed(
      .enrolDevices, on: target(of: device.room), by: caller,
      new: JSONText.object([("revoked", JSONText.string("\(id)"))]))
    return Response(status: .noContent)
  }

  // MARK: What a device has next

  private struct NextLesson: Encodable {
    var id: String
    var title: String
    var state: String
    /// UTC milliseconds.
    var start: Int64
    var end: Int64
    var opens: Int64
  }

  private struct Next: Encodable {
    var room: String
    /// UTC milliseconds by the relay's clock.
    var now: Int64
    var lesson: NextLesson?
    /// Once the lesson's doors are open.
    var seat: SeatAccessReply?
  }

  private func nextLesson(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    guard let grant = caller.grants.first, grant.role == .device, case .room(let room) = grant.scope else {
      // Whoever is no device has no room of its own; the rules say it and the trail keeps it.
      try gate.require(.publishReturn, on: .city, by: caller)
      throw Problem(.wrongRole)
    }
    let now = relay.clock()
    var next = Next(room: try relay.store.room(room)?.number ?? "", now: now)
    guard let lesson = try Self.next(of: room, in: relay.store, now: now) else { return try json(next) }
    try gate.require(.readLessons, on: relay.places.target(lesson: lesson.id, for: caller), by: caller)
    let opens = LessonWindow.opens(lesson)
    next.lesson = NextLesson(
      id: "\(lesson.id)", title: lesson.title, state: lesson.state.rawValue, start: lesson.plannedStart,
      end: lesson.plannedEnd, opens: opens)
    let finder = SeatFinder(relay)
    if now >= opens, let seat = try finder.seat(of: lesson, for: caller, in: room) {
      next.seat = try finder.reply(seat, of: lesson, for: caller)
    }
    return try json(next)
  }

  /// Milliseconds before the bell at which a device leaves a lesson that runs over for the one after it.
  private static let changeover: Int64 = 5 * 60_000

  /// The lesson that goes on in a room, or the next within two weeks.
  static func next(of room: Identifier, in store: LedgerStore, now: Int64) throws -> Lesson? {
    let span = max(0, now - Limits.plannedMilliseconds)...max(0, now) + 14 * 86_400_000
    let coming = try store.lessons(room: room, startingIn: span, limit: 200).filter {
      !$0.state.isFinal && now < LessonWindow.closes($0)
    }
    let running = coming.last {
      $0.plannedStart <= now + changeover && (now < $0.plannedEnd || $0.state == .live || $0.state == .interrupted)
    }
    return running ?? coming.first { now < $0.plannedEnd }
  }
}
