import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// Files of resources to play and fetch: by a token or by a link that is signed and runs out, in ranges, block by
/// block.
struct ResourceFileRoutes: Sendable {
  /// The longest that a link is good, in minutes.
  static let linkMinutes = 7 * 1_440
  /// What is read of a file at once, bytes.
  private static let blockLength = 128 << 10

  private let relay: RelayParts
  private let links: PlaybackLinks
  private let log: ReadLog
  private let book = PlaybackBook()
  private let files = FileIO()

  init(relay: RelayParts) {
    self.relay = relay
    links = PlaybackLinks(store: relay.store)
    log = ReadLog(store: relay.store)
  }

  private var access: ResourceAccess { ResourceAccess(relay: relay) }

  var all: [Route] {
    let resource = "/api/v1/resources/{resource}"
    return [
      Route(.get, resource + "/files/{file}") { try await send($0, $1, isWanted: true) },
      Route(.head, resource + "/files/{file}") { try await send($0, $1, isWanted: false) },
      Route(.post, resource + "/links", link), Route(.post, resource + "/playback", playback),
    ]
  }

  // MARK: Who reads

  private enum Reader {
    case caller(Caller)
    case link(PlaybackLink, address: String)
  }

  private struct Admitted {
    var resource: LessonResource
    var file: ResourceFile
    var reader: Reader
  }

  private func admit(_ request: Request, _ context: RelayContext, file id: Identifier) throws -> Admitted {
    let query = request.query
    if query["signature"] != nil {
      // Nobody learns without a good link what there is.
      let resource = try identifier(context.parameter("resource"))
      let link = try links.link(resource: resource, file: id, query: { query[$0] }, now: relay.clock())
      guard let link, let found = try relay.store.resource(resource) else { throw Problem(.badLink) }
      guard link.epoch == found.epoch else { throw Problem(.linkExpired) }
      let file = try file(id, of: found)
      return Admitted(
        resource: found, file: file, reader: .link(link, address: request.clientAddress(context)))
    }
    let caller = try relay.gate.caller(of: request, context)
    let resource = try relay.resource(context)
    let file = try file(id, of: resource)
    _ = try access.requirePlaying(file, of: resource, caller)
    return Admitted(resource: resource, file: file, reader: .caller(caller))
  }

  private func file(_ id: Identifier, of resource: LessonResource) throws -> ResourceFile {
    guard !resource.isExpired else { throw Problem(.resourceExpired) }
    let files = try relay.store.resourceFiles(lesson: resource.lesson)
    guard let file = files.first(where: { $0.id == id }), file.state == .verified else { throw Problem(.notFound) }
    return file
  }

  private func keep(_ admitted: Admitted) throws {
    var reading = RecordingRead(
      at: relay.clock(), resource: admitted.resource.id, file: admitted.file.id, actor: nil, address: "")
    switch admitted.reader {
    case .caller(let caller): (reading.actor, reading.address) = (caller.subject, caller.address)
    case .link(let link, let address): (reading.link, reading.address) = (link.name, address)
    }
    guard try log.note(reading), case .caller(let caller) = admitted.reader else { return }
    try open(admitted.resource, caller)
  }

  /// What was given to the caller's school is opened now.
  private func open(_ resource: LessonResource, _ caller: Caller) throws {
    let schools = access.schools(of: caller)
    let waiting = try relay.store.pushes(resource: resource.id).filter { $0.state == .pushed }
    for push in waiting where schools.contains(push.institution) {
      do {
        try relay.store.transaction {
          _ = try $0.answer(resource.id, at: push.institution, .opened, by: caller.subject)
        }
      } catch is ResourceRefusal {
        // Somebody else of the school was first.
      }
    }
  }

  // MARK: Sending

  private func send(_ request: Request, _ context: RelayContext, isWanted: Bool) async throws -> Response {
    let admitted = try admit(request, context, file: try identifier(context.parameter("file")))
    let file = admitted.file
    var headers = Self.headers(of: file, titled: admitted.resource.metadata.title)
    if EntityTags.match(request.headers[.ifNoneMatch], tag: file.sha256) {
      return Response(status: .notModified, headers: headers)
    }
    // A range is a matter of GET alone, and of the file that the player has the beginning of.
    let asked = isWanted && EntityTags.holdsRange(request.headers[.ifRange], tag: file.sha256)
    let range = ByteRange(asked ? request.headers[.range] : nil, size: file.byteCount)
    if case .unsatisfiable = range {
      headers[.contentRange] = "bytes */\(file.byteCount)"
      headers[.contentType] = nil
      headers[.contentDisposition] = nil
      return Response(status: .rangeNotSatisfiable, headers: headers)
    }
    let path = relay.dataFolder + "/" + file.path
    guard Self.size(path) == file.byteCount else { throw Problem(.resourceExpired) }
    try keep(admitted)
    guard isWanted else {
      headers[.contentLength] = "\(file.byteCount)"
      return Response(status: .ok, headers: headers)
    }
    var part = 0...max(0, Int(file.byteCount) - 1)
    var status = HTTPResponse.Status.ok
    if case .part(let bytes) = range {
      part = Int(bytes.lowerBound)...Int(bytes.upperBound)
      status = .partialContent
      headers[.contentRange] = "bytes \(bytes.lowerBound)-\(bytes.upperBound)/\(file.byteCount)"
    }
    guard file.byteCount > 0 else { return Response(status: status, headers: headers) }
    let body = try await files.loadFile(path: path, range: part, context: context, chunkLength: Self.blockLength)
    return Response(status: status, headers: headers, body: body)
  }

  private static func size(_ path: String) -> Int64? {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      attributes[.type] as? FileAttributeType == .typeRegular
    else { return nil }
    return (attributes[.size] as? NSNumber)?.int64Value
  }

  private static func headers(of file: ResourceFile, titled title: String) -> HTTPFields {
    let suffix = file.path.split(separator: "/").last?.split(separator: ".").dropFirst().last.map { "." + $0 } ?? ""
    // RFC 6266 with RFC 8187: a plain name for old programs, the real one for others.
    let name = title.addingPercentEncoding(withAllowedCharacters: .plainInHeaders) ?? ""
    return [
      .contentType: file.mediaType, .eTag: "\"\(file.sha256)\"", .acceptRanges: "bytes",
      .cacheControl: "private, no-cache", .xContentTypeOptions: "nosniff", .referrerPolicy: "no-referrer",
      .contentDisposition: "inline; filename=\"lesson\(suffix)\"; filename*=UTF-8''\(name)\(suffix)",
    ]
  }

  // MARK: Links

  private func link(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let resource = try relay.resource(context)
    let wanted: ResourceLinkRequest = try await request.json()
    guard (1...Self.linkMinutes).contains(wanted.minutes) else { throw Problem(.badRange) }
    let id: Identifier
    if let file = wanted.file {
      id = try identifier(file)
    } else {
      id = try mainFile(of: resource)
    }
    let file = try file(id, of: resource)
    let ends = try access.requirePlaying(file, of: resource, caller)
    let now = relay.clock()
    let until = min(now + Int64(wanted.minutes) * 60_000, ends ?? .max)
    let name = String(UInt64.random(in: 0 ... .max), radix: 16)
    let link = PlaybackLink(
      resource: resource.id, file: file.id, name: String(repeating: "0", count: 16 - name.count) + name,
      expires: until / 1_000, epoch: resource.epoch)
    let path = PlaybackLinks.path(resource.id, file.id) + (try links.query(of: link))
    relay.gate.changed(
      .readResources, on: access.owner(of: resource), by: caller,
      new: JSONText.object([
        ("resource", JSONText.string("\(resource.id)")), ("link", JSONText.string(link.name)),
        ("expires", "\(link.expires)"),
      ]))
    let base = request.isLocal(context) ? relay.pageBase() : "https://\(request.head.authority ?? "localhost")"
    return try json(
      ResourceLinkReply(url: base + path, page: base + "/play#" + path, expires: link.expires), status: .created)
  }

  /// The longest picture; of a lesson without one the longest sound.
  private func mainFile(of resource: LessonResource) throws -> Identifier {
    let files = try relay.store.resourceFiles(lesson: resource.lesson).filter {
      $0.state == .verified && $0.durationMilliseconds > 0
    }
    func rank(_ file: ResourceFile) -> (Int, Int64) {
      (file.mediaType.hasPrefix("video/") ? 1 : 0, file.durationMilliseconds)
    }
    guard let file = files.max(by: { rank($0) < rank($1) }) else { throw Problem(.resourceExpired) }
    return file.id
  }

  // MARK: Playback

  private func playback(_ request: Request, _ context: RelayContext) async throws -> Response {
    let wanted: PlayerRequest = try await request.json(limit: 4_096)
    guard let session = Identifier(wanted.session) else { throw Problem(.badRange) }
    let longest: Int64 = 48 * 3_600_000
    for time in [wanted.position, wanted.length, wanted.from ?? 0, wanted.played ?? 0]
    where !(0...longest).contains(time) { throw Problem(.badRange) }
    let admitted = try admit(request, context, file: try identifier(wanted.file))
    let (resource, now) = (admitted.resource, relay.clock())
    let reader: String
    var seat: Identifier?
    var payload = [
      ("resource", "\(resource.id)"), ("file", "\(admitted.file.id)"), ("session", "\(session)"),
      ("position", "\(wanted.position)"), ("length", "\(wanted.length)"),
    ]
    switch admitted.reader {
    case .caller(let caller):
      reader = "\(caller.subject)"
      if caller.claims.lesson == resource.lesson { seat = caller.claims.seat }
      payload.append(("by", reader))
    case .link(let link, _):
      reader = "link " + link.name
      payload.append(("link", link.name))
    }
    let address = request.clientAddress(context)
    if wanted.act == .started {
      let isNew = try book.begin(session, resource: resource.id, reader: reader, address: address, now: now)
      guard isNew else { return Response(status: .noContent) }
      try keep(admitted)
    } else {
      let begun = try book.go(
        session, resource: resource.id, reader: reader, ends: wanted.act == .ended, now: now)
      if wanted.act == .seeked { payload.append(("from", "\(wanted.from ?? 0)")) }
      // Nobody sees more than four times the time that has passed.
      let most = max(0, now - begun) * 4 + 1_000
      if wanted.act == .ended { payload.append(("played", "\(min(wanted.played ?? 0, most))")) }
    }
    try tellingProblems {
      _ = try relay.store.append(
        LedgerEvent(kind: wanted.act.kind, lesson: resource.lesson, seat: seat, payload: payload))
    }
    return Response(status: .noContent)
  }
}

extension PlayerRequest.Act {
  fileprivate var kind: EventKind {
    switch self {
    case .started: .playbackStarted
    case .paused: .playbackPaused
    case .resumed: .playbackResumed
    case .seeked: .playbackSeeked
    case .ended: .playbackEnded
    }
  }
}

extension CharacterSet {
  /// `attr-char` of RFC 8187.
  fileprivate static let plainInHeaders = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~")
}
