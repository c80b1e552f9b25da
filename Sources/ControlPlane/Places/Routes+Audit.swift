import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The REST interface of the audit trail, for who reads all and changes nothing.
struct AuditRoutes: Sendable {
  private let relay: RelayParts
  private let auditor: ChainAuditor

  init(_ relay: RelayParts) {
    self.relay = relay
    auditor = ChainAuditor(store: relay.store)
  }

  var all: [Route] {
    [
      Route(.get, "/api/v1/audit", list), Route(.get, "/api/v1/audit/verification", verify),
    ]
  }

  private func list(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.readAudit, on: .city, by: caller)
    let query = request.query
    let limit = try query.number("limit", in: 1...5_000) ?? 100
    var wanted = AuditQuery()
    let from = try query.value("from") { CivilDate($0) }.map(CivilText.midnight) ?? 0
    let through = try query.value("to") { CivilDate($0) }.map { CivilText.midnight($0 + 1) - 1 } ?? Limits.latestTime
    guard max(0, from) <= through else {
      throw Problem(.badQuery, arguments: ["name": "to", "value": query["to"] ?? ""])
    }
    wanted.span = max(0, from)...through
    wanted.actor = try query.value("actor") { Identifier($0) }
    wanted.operation = query["operation"]
    wanted.outcome = try query.choice("outcome", AuditEntry.Outcome.self)
    wanted.before = try query.value("cursor") { Int64($0) }
    // One more tells whether there is a further page.
    let entries = try relay.store.auditEntries(wanted, limit: limit + 1)
    let told = entries.prefix(limit)
    return try json(
      Page(
        rows: told.map { AuditReply($0) }, next: entries.count > limit ? told.last.map { "\($0.id)" } : nil))
  }

  private func verify(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.readAudit, on: .city, by: caller)
    let found = try await auditor.verify()
    return try json(
      ChainReply(
        intact: found.isIntact, entries: found.auditEntries, firstBrokenEntry: found.firstBrokenAudit,
        events: found.events, firstBrokenEvent: found.firstBroken, head: found.head))
  }
}

/// Walks the chains, one walk at a time, on a queue of its own: a year's events take seconds.
actor ChainAuditor {
  private nonisolated let executor = QueueExecutor(label: "tongke.audit")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private let store: LedgerStore

  init(store: LedgerStore) { self.store = store }

  func verify() throws -> ChainVerification { try store.verifyChain() }
}

extension AuditReply {
  init(_ stored: StoredAuditEntry) {
    let entry = stored.entry
    let seconds = stored.at / 1_000 % 60
    self.init(
      id: stored.id, at: CivilText.text(stored.at) + ":" + (seconds < 10 ? "0" : "") + "\(seconds)",
      actor: entry.actor?.description, role: entry.role, operation: entry.operation, target: entry.target,
      address: entry.address, outcome: entry.outcome.rawValue, old: entry.old, new: entry.new)
  }
}
