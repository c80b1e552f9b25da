import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The REST interface of what is on its way to platforms: a matter of the relay as a whole.
struct OutboxRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    let outbox = "/api/v1/reports/outbox"
    return [
      Route(.get, outbox, show), Route(.get, outbox + "/unmapped", unmapped), Route(.get, outbox + "/parked", parked),
      Route(.post, outbox + "/pause") { try await pause(true, $0, $1) },
      Route(.post, outbox + "/resume") { try await pause(false, $0, $1) },
      Route(.post, outbox + "/retry", retry),
    ]
  }

  // MARK: Reading

  private func show(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.readReports, on: .city, by: caller)
    return try json(try await reply())
  }

  private func reply() async throws -> OutboxReply {
    guard let status = try relay.store.outboxStatus() else { throw Problem(.notFound) }
    let states = await relay.usage.states()
    var platforms = states.map { state in
      OutboxReply.Platform(
        name: state.platform, waiting: status.waitingByPlatform[state.platform] ?? 0,
        trouble: state.trouble.isEmpty ? nil : state.trouble, failures: state.failures)
    }
    // What waits for one that is configured no more.
    let known = Set(states.map(\.platform))
    for (name, waiting) in status.waitingByPlatform.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
      platforms.append(OutboxReply.Platform(name: name, waiting: waiting, trouble: "notConfigured", failures: 0))
    }
    return OutboxReply(
      activityBase: status.activityBase, paused: status.isPaused, refused: relay.usage.isRefused,
      cursor: status.cursor, events: status.events, waiting: status.waiting, held: status.held, parked: status.parked,
      sent: status.sent, passedOver: status.passedOver, oldestWaiting: status.oldestWaiting.map { CivilText.text($0) },
      platforms: platforms)
  }

  private func unmapped(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.readReports, on: .city, by: caller)
    return try json(try relay.store.heldOwners().compactMap(unmapped))
  }

  /// As its row of the sheet of spaces would say whose it is; nil for one who is there no more.
  private func unmapped(_ held: HeldOwner) throws -> UnmappedReply? {
    let store = relay.store
    var reply = UnmappedReply(
      kind: "", institution: "", schoolClass: "", teacher: "", region: "", reason: held.reason, count: held.count,
      since: CivilText.text(held.since))
    func school(_ id: Identifier?) throws -> String {
      guard let school = try id.flatMap({ try store.institution($0) }) else { return "" }
      return school.number.isEmpty ? school.code ?? "" : school.number
    }
    switch Space.Owner(text: held.owner) {
    case .person(let id):
      guard let person = try store.person(id) else { return nil }
      reply.kind = Space.Kind.teacher.rawValue
      reply.institution = try school(person.institution)
      reply.teacher =
        (person.institution == nil ? "/" : "") + (person.staffNumber.isEmpty ? person.subject : person.staffNumber)
    case .schoolClass(let id):
      guard let pupils = try store.schoolClass(id) else { return nil }
      reply.kind = Space.Kind.schoolClass.rawValue
      reply.institution = try school(pupils.institution)
      reply.schoolClass = pupils.number
    case .institution(let id):
      reply.kind = Space.Kind.school.rawValue
      reply.institution = try school(id)
    case .region(let name):
      reply.kind = Space.Kind.region.rawValue
      reply.region = name
    case nil: return nil
    }
    return reply
  }

  private func parked(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.readReports, on: .city, by: caller)
    let limit = try request.query.number("limit", in: 1...1_000) ?? 100
    let before = try request.query.value("cursor") { Int64($0) } ?? .max
    // One more tells whether there is a further page.
    let lines = try relay.store.statements(in: .parked, before: before, limit: limit + 1)
    let told = lines.prefix(limit)
    let rows = told.map { line in
      ParkedReply(
        id: "\(line.id)", platform: line.platform, reason: line.reason, lesson: line.lesson.map { "\($0)" },
        event: line.event, madeAt: CivilText.text(line.madeAt), parkedAt: CivilText.text(line.settledAt ?? line.madeAt)
      )
    }
    return try json(Page(rows: rows, next: lines.count > limit ? told.last.map { "\($0.number)" } : nil))
  }

  // MARK: Changing

  private func pause(_ isPaused: Bool, _ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.deliverUsage, on: .city, by: caller)
    let was = try relay.store.isOutboxPaused()
    try tellingProblems { try relay.store.pauseOutbox(isPaused) }
    relay.usage.paused(isPaused)
    if !isPaused { await relay.usage.hurry() }
    relay.gate.changed(
      .deliverUsage, on: .city, by: caller, old: #"{"paused":\#(was)}"#, new: #"{"paused":\#(isPaused)}"#)
    return try json(try await reply())
  }

  private func retry(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.deliverUsage, on: .city, by: caller)
    let wanted: OutboxRetryRequest = try await request.json()
    let id = try wanted.id.map { try identifier($0) }
    let retried = try tellingProblems { try relay.store.retryParked(id) }
    if id != nil, retried == 0 { throw Problem(.notFound) }
    await relay.usage.hurry()
    relay.gate.changed(.deliverUsage, on: .city, by: caller, new: #"{"retried":\#(retried)}"#)
    return try json(OutboxRetryReply(retried: retried))
  }
}
