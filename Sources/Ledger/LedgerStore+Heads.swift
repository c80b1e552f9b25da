public import Classroom
internal import Crypto
internal import Foundation
internal import GRDB

extension LedgerStore {
  /// The relay's identifier, made once when the ledger first opened, and named by every event since.
  public func relayIdentifier() throws -> Identifier { try read { try Self.relay($0) } }

  static func relay(_ db: Database) throws -> Identifier {
    guard let row = try Row.fetchOne(db, sql: "SELECT relay FROM relayIdentity WHERE id = 1") else {
      throw LedgerError.corruptRow
    }
    return try RowReading.identifier(row, "relay")
  }

  func figureKey() throws -> FigureKey { try FigureKey(bytes: secret(FigureKey.name, make: FigureKey.make)) }

  /// The public half of the key that heads and snapshots are signed with, Base64.
  public func figurePublicKey() throws -> String { try figureKey().publicText }

  /// The heads of all days that are over and the latest event, signed, to be lodged elsewhere. Cost: O(days).
  public func signedHeads() throws -> SignedHeads {
    let key = try figureKey()
    let now = clock()
    return try read { db in
      let rows = try Row.fetchAll(db, sql: "SELECT event, day, hash FROM dayHeads ORDER BY event")
      var heads = try rows.map { row in
        var columns = ColumnReader(row)
        let event: Int64 = try columns.integer()
        return SignedHeads.Head(
          day: try columns.text(), event: event, hash: EventChain.hexadecimal(try columns.bytes()))
      }
      let tip = try EventChain.head(db)
      if tip.events > 0,
        let at = try Int64.fetchOne(db, sql: "SELECT at FROM events WHERE id = ?", arguments: [tip.events])
      {
        heads.append(
          .init(day: "\(CivilTime.date(of: at))", event: tip.events, hash: EventChain.hexadecimal(tip.hash)))
      }
      return try SignedHeads(relay: try Self.relay(db), madeAt: now, heads: heads, key: key)
    }
  }

  /// Holds the ledger at `path` against heads that were lodged, without opening it for writing; also while a relay
  /// writes to it. Empty when all is as it was then. One pass over the log.
  ///
  /// Throws `notFound`, `notALedger`, `newerVersion`.
  public static func inspect(path: String, against lodged: SignedHeads) throws -> [HeadFinding] {
    try inspecting(path: path) { try findings($0, against: lodged) }
  }

  static func findings(_ db: Database, against lodged: SignedHeads) throws -> [HeadFinding] {
    guard lodged.isSigned else { return [.badSignature] }
    var findings: [HeadFinding] = []
    guard try db.tableExists("relayIdentity"), try relay(db) == lodged.relay else { return [.otherRelay] }
    let secret = try Row.fetchOne(db, sql: "SELECT value FROM secrets WHERE name = ?", arguments: [FigureKey.name])
    let key = try secret.map { try FigureKey(bytes: RowReading.bytes($0, "value")).publicText }
    if key != lodged.key { findings.append(.otherKey) }
    let chain = try EventChain.verify(db)
    if let broken = chain.firstBroken { findings.append(.broken(broken)) }
    let events = Int64(chain.events)
    if let last = lodged.heads.last, last.event > events {
      findings.append(.cutTail(lodged: last.event, events: events))
    }
    let days = try Set(presentDays(db, of: lodged.heads))
    var missing: Set<String> = []
    for head in lodged.heads where !days.contains(head.day) && missing.insert(head.day).inserted {
      findings.append(.missingDay(head.day))
    }
    for head in lodged.heads where head.event <= events && head.event > 0 {
      let row = try Row.fetchOne(db, sql: "SELECT hash FROM events WHERE id = ?", arguments: [head.event])
      let hash = row.flatMap { RowReading.blob($0["hash"]) }.map(EventChain.hexadecimal)
      guard hash != head.hash else { continue }
      // What follows the first departure departs as well.
      findings.append(.rebuilt(head.day))
      break
    }
    return findings
  }

  /// Days of heads that some event is of. One pass; times of the log are not indexed.
  private static func presentDays(_ db: Database, of heads: [SignedHeads.Head]) throws -> [String] {
    var wanted = Set(heads.compactMap { CivilDate($0.day) })
    var found: [String] = []
    let rows = try Row.fetchCursor(db, sql: "SELECT at FROM events ORDER BY id")
    while !wanted.isEmpty, let row = try rows.next() {
      guard let at = Int64.fromDatabaseValue(row[0]) else { continue }
      let day = CivilTime.date(of: at)
      if wanted.remove(day) != nil { found.append("\(day)") }
    }
    return found
  }
}
