import Classroom
import HTTPTypes
import Hummingbird
import NIOCore
import RTCWire

/// WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03) over the lesson director.
struct SessionRoutes: Sendable {
  let director: LessonDirector
  let gate: AccessGate
  let places: AccessPlacesCache

  var all: [Route] {
    let whip = "/whip/lessons/{lesson}/{feed}"
    let whep = "/whep/lessons/{lesson}"
    let session = "/sessions/{session}"
    return [
      Route(.post, whip, publish), Route(.get, whip) { _, _ in Response(status: .noContent) },
      Route(.options, whip) { _, _ in preflight(methods: "OPTIONS, GET, POST", acceptsOffers: true) },
      Route(.post, whep, receive), Route(.get, whep) { _, _ in Response(status: .noContent) },
      Route(.head, whep) { _, _ in Response(status: .ok, headers: [.contentType: "application/sdp"]) },
      Route(.options, whep) { _, _ in preflight(methods: "OPTIONS, GET, HEAD, POST", acceptsOffers: true) },
      Route(.patch, session, patch), Route(.delete, session, delete),
      Route(.get, session) { _, _ in Response(status: .noContent) },
      Route(.options, session) { _, _ in
        preflight(methods: "OPTIONS, GET, PATCH, DELETE", acceptsOffers: false)
      },
    ]
  }

  private func publish(_ request: Request, _ context: RelayContext) async throws -> Response {
    switch context.parameter("feed") {
    case "camera": return try await open(.publish(.camera), request, context)
    case "screen": return try await open(.publish(.screen), request, context)
    case "site":
      // Whose it is says the token; what has no seat is refused by it.
      let seat = try gate.caller(of: request, context).claims.seat
      guard let seat else { throw Problem(.wrongRole) }
      return try await open(.publish(.site(seat)), request, context)
    default: throw Problem(.unknownFeed)
    }
  }

  private func receive(_ request: Request, _ context: RelayContext) async throws -> Response {
    try await open(.receive, request, context)
  }

  private func open(_ kind: Session.Kind, _ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let lesson = try identifier(context.parameter("lesson"))
    // That there is no such lesson is told to whoever holds any token.
    _ = try await director.stored(lesson)
    let operation: AccessOperation =
      switch kind {
      case .receive: .receiveMedia
      case .publish(let feed): feed.isReturn ? .publishReturn : .publishLead
      }
    try gate.require(operation, on: places.target(lesson: lesson, for: caller), by: caller)
    guard request.accepts("application/sdp") else { throw Problem(.notAcceptable) }
    let offer = try await request.text(of: "application/sdp", limit: SessionDescription.byteLimit)
    let opened = try await director.openSession(
      kind, lesson: lesson, claims: caller.claims, offer: offer, reach: request.reach(context))
    var headers: HTTPFields = [
      .contentType: "application/sdp", .location: "/sessions/\(opened.name)", .eTag: opened.entityTag,
      .cacheControl: "no-store",
    ]
    let resource = "/api/v1/lessons/\(lesson)"
    headers[values: .link] = ["<\(resource)/events>; rel=\"urn:tongke:events\""]
    if kind == .receive {
      headers[values: .link].append("<\(resource)/peers/\(opened.peer)/panes>; rel=\"urn:tongke:panes\"")
    }
    return Response(
      status: .created, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: opened.answer)))
  }

  private func patch(_ request: Request, _ context: RelayContext) async throws -> Response {
    let claims = try gate.caller(of: request, context).claims
    let text = try await request.text(of: "application/trickle-ice-sdpfrag", limit: 16_384)
    let outcome = try await director.patch(
      context.parameter("session"), claims: claims, match: request.headers[.ifMatch], fragment: text)
    switch outcome {
    case .noted: return Response(status: .noContent)
    case .restarted(let fragment, let tag):
      return Response(
        status: .ok,
        headers: [.contentType: "application/trickle-ice-sdpfrag", .eTag: tag, .cacheControl: "no-store"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: fragment)))
    }
  }

  private func delete(_ request: Request, _ context: RelayContext) async throws -> Response {
    let claims = try gate.caller(of: request, context).claims
    try await director.delete(context.parameter("session"), claims: claims)
    return Response(status: .ok)
  }
}

func identifier(_ text: String) throws(Problem) -> Identifier {
  guard let identifier = Identifier(text) else { throw Problem(.notFound) }
  return identifier
}

/// What a browser asks before a request of another origin.
func preflight(methods: String, acceptsOffers: Bool) -> Response {
  var headers: HTTPFields = [
    .accessControlAllowMethods: methods,
    .accessControlAllowHeaders: "Authorization, Content-Type, If-Match, Accept-Language",
    .accessControlMaxAge: "86400",
    .allow: methods,
  ]
  if acceptsOffers { headers[.acceptPost] = "application/sdp" }
  return Response(status: .ok, headers: headers)
}
