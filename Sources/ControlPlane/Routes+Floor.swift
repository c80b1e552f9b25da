import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The floor of a lesson over HTTP: who is called, muted, banned, and what each site is let.
struct FloorRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    let floor = "/api/v1/lessons/{lesson}/floor"
    return [
      Route(.get, floor, show), Route(.post, floor, act),
      Route(.options, floor) { _, _ in preflight(methods: "OPTIONS, GET, POST", acceptsOffers: false) },
    ]
  }

  private func show(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.watchLive, on: target, by: caller)
    return try json(try await relay.director.floor(id, for: scope(of: caller, target)))
  }

  /// The seat that a caller may know of; nil for whoever may call, and knows all.
  private func scope(of caller: Caller, _ target: AccessTarget) -> Identifier? {
    relay.gate.allows(.call, on: target, by: caller) ? nil : caller.claims.seat ?? caller.subject
  }

  private func act(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let wanted: FloorRequest = try await request.json()
    let act = try FloorAct(wanted, own: caller.claims.seat)
    let target = relay.places.target(lesson: id, for: caller, actedOn: try room(of: act, in: id))
    let operation = operation(for: act, by: caller)
    try relay.gate.require(operation, on: target, by: caller)
    // A site answers for its own hand alone.
    if operation == .receiveMedia, caller.claims.lesson != id { throw Problem(.wrongLesson) }
    let done = try await relay.director.act(act, lesson: id, by: caller.subject)
    if operation != .receiveMedia {
      relay.gate.changed(
        operation, on: target, by: caller, old: Self.form(done.old, wanted), new: Self.form(done.new, wanted))
    }
    let whole = relay.places.target(lesson: id, for: caller)
    return try json(try await relay.director.floor(id, for: scope(of: caller, whole)))
  }

  /// The room of the site that is acted on; nil for the whole, and for what is no seat of the lesson, which the
  /// director refuses.
  private func room(of act: FloorAct, in lesson: Identifier) throws -> Identifier? {
    guard let id = act.seat, let seat = try relay.store.seat(id), seat.lesson == lesson else { return nil }
    return seat.room
  }

  private func operation(for act: FloorAct, by caller: Caller) -> AccessOperation {
    switch act {
    case .call, .uncall: .call
    case .mute, .unmute: .mute
    case .eject: .eject
    case .ban, .unban: .ban
    case .grant: .grantMedia
    case .pause, .resume: .pause
    case .raiseHand: .receiveMedia
    case .lowerHand(let seat): seat == caller.claims.seat ? .receiveMedia : .call
    }
  }

  /// What the audit trail keeps of a floor: the whole's state, and the site's that was asked about.
  private static func form(_ floor: FloorReply, _ wanted: FloorRequest) -> String? {
    struct Form: Encodable {
      var act: FloorRequest.Act
      var reason: String?
      var paused: Bool
      var called: String?
      var site: FloorReply.Site?
      var muted: Int
    }
    let site = floor.sites.first { $0.seat == wanted.seat }
    let form = Form(
      act: wanted.act, reason: wanted.reason.map { String($0.prefix(200)) }, paused: floor.paused,
      called: floor.called, site: site, muted: floor.sites.count(where: \.muted))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(form)).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension FloorAct {
  /// - Parameter own: the seat whose hand is meant when none is named.
  /// - Throws: `badJSON` where something that the act needs is missing, `notASite` for what is no identifier.
  init(_ wanted: FloorRequest, own: Identifier?) throws(Problem) {
    var seat: Identifier?
    if let text = wanted.seat {
      seat = Identifier(text)
      guard seat != nil else { throw Problem(.notASite) }
    }
    let reason = (wanted.reason ?? "").onOneLine(limit: Floor.reasonScalars)
    switch wanted.act {
    case .uncall: self = .uncall
    case .pause: self = .pause
    case .resume: self = .resume
    case .mute: self = .mute(seat)
    case .unmute: self = .unmute(seat)
    case .raiseHand:
      // Nobody raises another's.
      guard let own, seat == nil || seat == own else { throw Problem(.wrongLesson) }
      self = .raiseHand(own)
    case .lowerHand:
      guard let hand = seat ?? own else { throw Problem(.badJSON) }
      self = .lowerHand(hand)
    case .call, .eject, .ban, .unban, .grant:
      guard let seat else { throw Problem(.badJSON) }
      self = try Self.of(wanted, seat: seat, reason: reason)
    }
  }

  private static func of(_ wanted: FloorRequest, seat: Identifier, reason: String) throws(Problem) -> FloorAct {
    switch wanted.act {
    case .call: return .call(seat)
    case .eject: return .eject(seat, reason: reason)
    case .ban: return .ban(seat, reason: reason)
    case .unban: return .unban(seat)
    default:
      guard let medium = wanted.medium.flatMap({ FloorMedium(rawValue: $0.rawValue) }), let isOn = wanted.on else {
        throw Problem(.badJSON)
      }
      return .grant(seat, medium, isOn: isOn)
    }
  }
}
