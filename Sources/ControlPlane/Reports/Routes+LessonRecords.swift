import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// What people add to a lesson's record: head counts by whoever stands in the room, and corrections with a reason.
struct LessonRecordRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    [
      Route(.post, "/api/v1/lessons/{lesson}/headcounts", count),
      Route(.post, "/api/v1/lessons/{lesson}/corrections", correct),
    ]
  }

  private func count(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let wanted: HeadCountRequest = try await request.json()
    guard let seat = try seat(wanted.seat ?? caller.claims.seat.map { "\($0)" }, of: id), seat.role == .receiver else {
      throw Problem(.notASite)
    }
    try requireCounting(seat, by: caller)
    guard (1_950...2_999).contains(wanted.cohort), (0...Limits.headCount).contains(wanted.count) else {
      throw Problem(.badRange)
    }
    let lesson = try await relay.director.stored(id)
    switch lesson.state {
    case .live, .interrupted, .armed, .ended: break
    case .planned, .published: throw Problem(.beforeWindow)
    case .cancelled, .notHeld: throw Problem(.lessonEnded)
    }
    try keep(
      LedgerEvent(
        kind: .headCounted, lesson: id, seat: seat.id,
        payload: [
          ("cohort", "\(wanted.cohort)"), ("count", "\(wanted.count)"), ("by", "\(caller.subject)"),
        ]))
    return try json(try outcome(id))
  }

  /// The room's own device or teacher, or whoever may change the lesson. A seat's link counts for itself alone.
  private func requireCounting(_ seat: Seat, by caller: Caller) throws {
    let target = relay.places.target(lesson: seat.lesson, for: caller, actedOn: seat.room)
    let isOwn = caller.claims.seat.map { $0 == seat.id } ?? true
    if isOwn, relay.gate.allows(.publishReturn, on: target, by: caller) { return }
    try relay.gate.require(.changeLesson, on: target, by: caller)
  }

  private func correct(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let wanted: CorrectionRequest = try await request.json()
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.changeLesson, on: target, by: caller)
    let lesson = try await relay.director.stored(id)
    guard lesson.state.isFinal else { throw Problem(.lessonFixed) }
    let old = try outcome(id)
    var payload = [("reason", try reason(wanted.reason)), ("by", "\(caller.subject)")]
    var seatID: Identifier?
    if wanted.seat != nil || wanted.attendedSeconds != nil {
      guard let seat = try seat(wanted.seat, of: id), let seconds = wanted.attendedSeconds, wanted.excluded == nil,
        wanted.liveSeconds == nil
      else { throw Problem(.badJSON) }
      payload.append(("effectiveMilliseconds", try milliseconds(seconds)))
      seatID = seat.id
    } else {
      guard wanted.excluded != nil || wanted.liveSeconds != nil else { throw Problem(.badJSON) }
      if let excluded = wanted.excluded { payload.append(("excluded", excluded ? "1" : "0")) }
      if let seconds = wanted.liveSeconds { payload.append(("liveMilliseconds", try milliseconds(seconds))) }
    }
    try keep(LedgerEvent(kind: .lessonCorrected, lesson: id, seat: seatID, payload: payload))
    let new = try outcome(id)
    relay.gate.changed(.changeLesson, on: target, by: caller, old: Self.form(old), new: Self.form(new))
    return try json(new)
  }

  private func reason(_ text: String) throws(Problem) -> String {
    do { try Limits.checkName(text) } catch { throw Problem(.badRange) }
    return text
  }

  private func milliseconds(_ seconds: Int) throws(Problem) -> String {
    guard (0...86_400).contains(seconds) else { throw Problem(.badRange) }
    return "\(seconds * 1_000)"
  }

  private func keep(_ event: LedgerEvent) throws {
    do { try relay.store.append(event) } catch LedgerError.full { throw Problem(.tooFast) }
  }

  private func seat(_ text: String?, of lesson: Identifier) throws -> Seat? {
    guard let id = text.flatMap({ Identifier($0) }), let seat = try relay.store.seat(id), seat.lesson == lesson else {
      return nil
    }
    return seat
  }

  private func outcome(_ id: Identifier) throws -> LessonOutcomeReply {
    let lesson = CountedLesson(try relay.store.lessonFact(id))
    return LessonOutcomeReply(
      lesson: "\(id)", outcome: lesson.outcome.rawValue, corrections: lesson.fact.corrections,
      seats: lesson.fact.seats.filter { $0.role == .receiver }.map { seat in
        LessonOutcomeReply.Seat(
          seat: "\(seat.seat)", attendedSeconds: Int(seat.effectiveMilliseconds / 1_000),
          originalSeconds: seat.correctedFrom.map { Int($0 / 1_000) },
          confirmedSeconds: Int(seat.confirmedMilliseconds / 1_000), headCount: seat.headCount)
      })
  }

  /// For the audit trail, which keeps 4 KiB: the outcome and the seats that were corrected.
  private static func form(_ reply: LessonOutcomeReply) -> String {
    JSONText.object([
      ("outcome", JSONText.string(reply.outcome)), ("corrections", "\(reply.corrections)"),
      ("attendedSeconds", "\(reply.seats.reduce(0) { $0 + $1.attendedSeconds })"),
    ])
  }
}
