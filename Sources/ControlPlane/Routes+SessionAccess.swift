import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// What somebody who is signed in does with the own session: who am I, go on, sign out, a code for the terminal, a
/// second factor; and the seat in a lesson that the own roles give.
struct SessionAccessRoutes: Sendable {
  let relay: RelayParts
  private var gate: AccessGate { relay.gate }
  private var desk: AccessDesk { relay.desk }

  var all: [Route] {
    let session = "/api/v1/session"
    return [
      Route(.get, session, show), Route(.delete, session, signOut), Route(.post, session + "/refresh", refresh),
      Route(.post, session + "/terminal-code", terminalCode), Route(.post, session + "/second-factor", startFactor),
      Route(.post, session + "/second-factor/confirmation", confirmFactor),
      Route(.post, "/api/v1/lessons/{lesson}/seat", seat),
    ]
  }

  private func show(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    return try json(SessionView(relay).reply(caller.claims))
  }

  private func refresh(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let next = try desk.refresh(caller.claims)
    return try json(SessionView(relay).reply(next.claims, token: next.token))
  }

  private func signOut(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    try desk.signOut(caller.claims)
    gate.entered(caller.subject, by: .signOut, from: caller.address)
    return Response(status: .noContent)
  }

  private func terminalCode(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let code = try desk.makeTerminalCode(for: caller.claims)
    gate.entered(caller.subject, by: .terminalCode, from: caller.address)
    return try json(TerminalCodeReply(code: code.code, expires: CivilText.text(code.expires)), status: .created)
  }

  // MARK: Second factor

  private func startFactor(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let address = try desk.startSecondFactor(
      of: caller.claims, account: try SessionView(relay).account(caller.subject))
    gate.entered(caller.subject, by: .secondFactorBegun, from: caller.address)
    return try json(
      SecondFactorReply(address: address, secret: SessionView.secret(in: address)), status: .created)
  }

  private struct Digits: Decodable {
    var code: String
  }

  private func confirmFactor(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let wanted: Digits = try await request.json()
    let next: IssuedAccess?
    do { next = try desk.confirmSecondFactor(wanted.code, of: caller.claims, from: caller.address) } catch {
      if let problem = error as? Problem {
        gate.entered(caller.subject, by: .secondFactorHolds, from: caller.address, refusal: problem.kind)
      }
      throw error
    }
    gate.entered(caller.subject, by: .secondFactorHolds, from: caller.address)
    return try json(SessionView(relay).reply(next?.claims ?? caller.claims, token: next?.token))
  }

  // MARK: Seats

  private struct WantedSeat: Decodable {
    /// Number of the room; nil takes the one there is.
    var room: String?
  }

  private func seat(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let target = relay.places.target(lesson: id, for: caller)
    try gate.require(.receiveMedia, on: target, by: caller)
    guard let lesson = try relay.store.lesson(id) else { throw Problem(.notFound) }
    let wanted: WantedSeat = try await request.json()
    let room = try wanted.room.map { try relay.store.room(named: $0).id }
    guard let seat = try SeatFinder(relay).seat(of: lesson, for: caller, in: room) else {
      throw Problem(.noSeat)
    }
    return try json(try SeatFinder(relay).reply(seat, of: lesson, for: caller), status: .created)
  }
}

/// A seat's token, and what it is for.
struct SeatAccessReply: Encodable {
  var lesson: String
  var seat: String
  var role: String
  /// Number of the room.
  var room: String
  var token: String
  /// UTC milliseconds.
  var expires: Int64
}

/// Which seat of a lesson is somebody's own.
struct SeatFinder {
  private let relay: RelayParts

  init(_ relay: RelayParts) { self.relay = relay }

  /// The lead's seat for whoever teaches in that room, else the receiving one in a room that is the caller's; nil when
  /// none is.
  func seat(of lesson: Lesson, for caller: Caller, in room: Identifier? = nil) throws -> Seat? {
    let places = relay.places.places()
    let gate = relay.gate
    let seats = try relay.store.seats(lesson: lesson.id).filter { room == nil || $0.room == room }
    func isOwn(_ seat: Seat, _ operation: AccessOperation) -> Bool {
      guard let room = seat.room else { return false }
      // The right has to be one over the room itself: to direct a lesson gives nobody the seats of its sites.
      return gate.allows(operation, on: .place(places.place(room: room)), by: caller)
    }
    return seats.first { $0.role == .lead && isOwn($0, .publishLead) }
      ?? seats.first { $0.role == .receiver && isOwn($0, .publishReturn) }
  }

  func reply(_ seat: Seat, of lesson: Lesson, for caller: Caller) throws -> SeatAccessReply {
    let closes = lesson.isAlwaysLive ? relay.clock() + 12 * 3_600_000 : LessonWindow.closes(lesson)
    let access = try relay.desk.seatAccess(
      seat, for: caller.claims, expires: (closes + RelayParts.tokenGrace) / 1_000)
    return SeatAccessReply(
      lesson: "\(lesson.id)", seat: "\(seat.id)", role: seat.role.rawValue,
      room: try seat.room.flatMap { try relay.store.room($0) }?.number ?? "", token: access.token,
      expires: access.claims.expires * 1_000)
  }
}
