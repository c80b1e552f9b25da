import Classroom
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore
import RTCWire

/// The REST interface of lessons: what a page, a coordinator's program or a test asks for.
struct LessonRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    let lesson = "/api/v1/lessons/{lesson}"
    let panes = lesson + "/peers/{peer}/panes"
    return [
      Route(.get, lesson, show),
      Route(.options, lesson) { _, _ in preflight(methods: "OPTIONS, GET", acceptsOffers: false) },
      Route(.post, "/api/v1/lessons", make), Route(.post, lesson + "/end", end),
      Route(.get, lesson + "/events", events),
      Route(.options, lesson + "/events") { _, _ in preflight(methods: "OPTIONS, GET", acceptsOffers: false) },
      Route(.put, panes, setPanes), Route(.post, lesson + "/peers/{peer}/statistics", takeStatistics),
      Route(.options, panes) { _, _ in preflight(methods: "OPTIONS, PUT", acceptsOffers: false) },
    ]
  }

  // MARK: Showing

  struct LessonView: Encodable {
    struct ResourceView: Encodable {
      var kind: String
      var path: String
      var mediaType: String
      var byteCount: Int64
      var sha256: String
      var durationMilliseconds: Int64
      var state: String
      /// Whether pupils may be seen in it.
      var containsFaces: Bool
      /// Of a recording: what was odd about it.
      var quality: RecordingQuality?
    }
    /// Work on its recordings that is not done.
    struct JobView: Encodable {
      var kind: String
      var state: String
      /// Those that ended with a problem.
      var attempts: Int
      /// UTC milliseconds.
      var notBefore: Int64
      var problem: String
    }
    var id: String
    var title: String
    var state: String
    /// UTC milliseconds.
    var plannedStart: Int64
    var plannedEnd: Int64
    var alwaysLive: Bool
    var role: String
    var seat: String?
    var feeds: [String]
    var live: [String]
    var connected: Int
    var recording: Bool
    var resources: [ResourceView]
    var jobs: [JobView]
  }

  private func show(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    try relay.gate.require(.readLessons, on: relay.places.target(lesson: id, for: caller), by: caller)
    let running = await relay.director.summary(id)
    let lesson = try await relay.director.stored(id)
    let resources = (try? relay.store.resourceFiles(lesson: id)) ?? []
    var response = try json(
      LessonView(
        id: "\(id)", title: lesson.title, state: lesson.state.rawValue, plannedStart: lesson.plannedStart,
        plannedEnd: lesson.plannedEnd, alwaysLive: lesson.isAlwaysLive, role: caller.claims.roleName,
        seat: caller.claims.seat.map { "\($0)" }, feeds: FeedName.lead.map(\.name), live: running.live,
        connected: running.connected, recording: running.isRecording,
        resources: resources.map {
          LessonView.ResourceView(
            kind: $0.kind.rawValue, path: $0.path, mediaType: $0.mediaType, byteCount: $0.byteCount,
            sha256: $0.sha256, durationMilliseconds: $0.durationMilliseconds, state: $0.state.rawValue,
            containsFaces: $0.containsFaces, quality: $0.quality)
        },
        jobs: ((try? relay.store.jobs(lesson: id)) ?? []).map {
          LessonView.JobView(
            kind: $0.kind.rawValue, state: $0.state.rawValue, attempts: $0.attempts, notBefore: $0.notBefore,
            problem: $0.problem)
        }))
    // What a change of the lesson has to name (RFC 9110 §13.1.1).
    response.headers[.eTag] = "\"\(lesson.revision)\""
    return response
  }

  // MARK: Making and ending

  private func make(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    // It makes the schools and rooms of its lesson as well: the city's to do.
    try relay.gate.require(.changeLesson, on: .city, by: caller)
    let wanted: NewLesson = try await request.json()
    try wanted.checkReceivers()
    let made: SeatedLesson
    do {
      made = try relay.store.makeLesson(
        title: wanted.title, plannedStart: wanted.plannedStart, plannedEnd: wanted.plannedEnd,
        receivers: wanted.receivers)
    } catch is ClassroomError { throw Problem(.badRange) }
    relay.gate.changed(.changeLesson, on: .joint(.init(lesson: made.lesson.id, leads: [], sites: [])), by: caller)
    return try json(relay.links(for: made, base: base(of: request, context)), status: .created)
  }

  private func end(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.stop, on: target, by: caller)
    try await relay.director.end(id, reason: caller.claims.roleName)
    relay.gate.changed(.stop, on: target, by: caller)
    return Response(status: .accepted)
  }

  /// Where the client reached us, for the links it is given.
  private func base(of request: Request, _ context: RelayContext) -> String {
    let scheme =
      request.isLocal(context) && (context.local.map { Int($0.port) } != relay.httpsPort()) ? "http" : "https"
    return "\(scheme)://\(request.head.authority ?? "localhost")"
  }

  // MARK: Following

  private func events(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.watchLive, on: target, by: caller)
    let director = relay.director
    // Who looks after the lesson hears of every site, a site of itself, others of nobody.
    let isKeeper = relay.gate.allows(.call, on: target, by: caller)
    let (follower, stream) = try await director.follow(id, seat: isKeeper ? nil : caller.claims.seat ?? caller.subject)
    let body = ResponseBody { writer in
      do {
        try await writer.write(ByteBuffer(string: ": tongke\n\n"))
        for await news in merged(stream, every: .seconds(15)) { try await writer.write(ByteBuffer(string: news)) }
        try await writer.finish(nil)
      } catch {
        await director.unfollow(id, follower)
        throw error
      }
      await director.unfollow(id, follower)
    }
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"], body: body)
  }

  // MARK: Panes

  private func setPanes(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    // A site chooses what it sees itself; for others only whoever directs what they are given.
    let mayAny = relay.gate.allows(.changeLesson, on: relay.places.target(lesson: id, for: caller), by: caller)
    guard let peer = UInt64(context.parameter("peer")) else { throw Problem(.notFound) }
    let wishes: [PaneWish] = try await request.json()
    for wish in wishes.prefix(32) {
      try await relay.director.setPane(
        lesson: id, peer: peer, seat: mayAny ? nil : caller.claims.seat ?? caller.subject, mid: wish.mid,
        show: wish.show, maxHeight: wish.maxHeight ?? 0)
    }
    return Response(status: .noContent)
  }

  private struct PageStatistics: Decodable {
    var freezeCount: Int
    /// Seconds, as `totalFreezesDuration` has them.
    var totalFreezesDuration: Double
  }

  /// What a page alone knows: freezes of its picture by the definition of webrtc-stats, since its transport began.
  private func takeStatistics(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    try relay.gate.require(.receiveMedia, on: relay.places.target(lesson: id, for: caller), by: caller)
    guard let peer = UInt64(context.parameter("peer")) else { throw Problem(.notFound) }
    let told: PageStatistics = try await request.json()
    guard (0...1_000_000).contains(told.freezeCount), (0...86_400).contains(told.totalFreezesDuration) else {
      throw Problem(.badRange)
    }
    try await relay.director.take(
      .init(freezes: told.freezeCount, frozenMilliseconds: Int(told.totalFreezesDuration * 1_000)), lesson: id,
      peer: peer, seat: caller.claims.seat ?? caller.subject)
    return Response(status: .noContent)
  }
}

func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return Response(
    status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
    body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
}

/// News as text, with a comment whenever none came for a while: a proxy closes what is silent.
private func merged(_ news: AsyncStream<String>, every pause: Duration) -> AsyncStream<String> {
  let (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(64))
  let beat = Task {
    while !Task.isCancelled {
      try await Task.sleep(for: pause)
      continuation.yield(": \n\n")
    }
  }
  let carry = Task {
    for await item in news { continuation.yield(item) }
    beat.cancel()
    continuation.finish()
  }
  continuation.onTermination = { _ in
    beat.cancel()
    carry.cancel()
  }
  return stream
}
