import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// What an asynchronous lesson plays, over HTTP: which recording, and its local teacher's pausing and jumping.
struct PlaybackRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    let playback = "/api/v1/lessons/{lesson}/playback"
    return [
      Route(.get, playback, show), Route(.post, playback, conduct), Route(.post, playback + "/source", choose),
      Route(.options, playback) { _, _ in preflight(methods: "OPTIONS, GET, POST", acceptsOffers: false) },
    ]
  }

  private func show(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    try relay.gate.require(.watchLive, on: relay.places.target(lesson: id, for: caller), by: caller)
    return try json(try await relay.director.playback(id))
  }

  private func conduct(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let wanted: PlaybackRequest = try await request.json()
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.conductPlayback, on: target, by: caller)
    let reply = try await relay.director.conduct(wanted, lesson: id, by: caller.subject)
    relay.gate.changed(
      .conductPlayback, on: target, by: caller,
      new: JSONText.object([
        ("action", JSONText.string(wanted.action.rawValue)), ("position", String(reply.position)),
        ("source", reply.source.map(JSONText.string)),
      ]))
    return try json(reply)
  }

  private func choose(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let wanted: PlaybackSource = try await request.json()
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.changeLesson, on: target, by: caller)
    let source = try wanted.source.map { try identifier($0) }
    let old = try await relay.director.playback(id)
    if let source {
      try relay.gate.require(.readResources, on: relay.places.target(lesson: source, for: caller), by: caller)
      let lesson = try await relay.director.stored(id)
      try await relay.director.checkReplay(of: source, in: id, now: max(relay.clock(), lesson.plannedStart))
      guard try !relay.store.recordedFiles(lesson: source).isEmpty else { throw Problem(.nothingToPlay) }
    }
    try tellingProblems { try relay.store.setPlaybackSource(source, of: id) }
    func form(_ source: String?) -> String { JSONText.object([("source", source.map(JSONText.string) ?? "null")]) }
    relay.gate.changed(
      .changeLesson, on: target, by: caller, old: form(old.source), new: form(source.map { "\($0)" }))
    return try json(try await relay.director.playback(id))
  }
}
