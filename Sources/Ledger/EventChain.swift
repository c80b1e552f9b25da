internal import Classroom
internal import Crypto
internal import GRDB

/// What a walk over the whole event log and the whole audit trail found.
public struct ChainVerification: Hashable, Sendable {
  /// Rows in the log.
  public let events: Int
  /// Whether both chains hold.
  public let isIntact: Bool
  /// The first event that does not fit: changed, missing, or one too many. Nil when the log is intact.
  public let firstBroken: Int64?
  /// Hash of the last event in lower-case hexadecimal, to be lodged elsewhere so that a later rewriting of the whole
  /// chain shows.
  public let head: String
  /// Rows in the audit trail.
  public let auditEntries: Int
  /// The first entry of the trail that does not fit. Nil when the trail is intact.
  public let firstBrokenAudit: Int64?
}

/// The hash chain: each event's hash covers the hash before it, and the head is kept apart so that a cut tail shows.
enum EventChain {
  /// What the first event's hash covers in place of a hash before it.
  static let genesis = [UInt8](repeating: 0, count: 32)

  /// SHA-256 of, in this order: previous hash (32), id (8), time (8), then kind, lesson, seat and payload, each
  /// preceded by its byte count (4; `ffffffff` for nil). Integers are big-endian. That is version 1 of the format;
  /// version 2 has the relay's identifier behind them, in the same form, and is written since events name their relay.
  static func hash(
    previous: [UInt8], id: Int64, at: Int64, kind: String, lesson: [UInt8]?, seat: [UInt8]?, payload: String,
    relay: [UInt8]? = nil
  ) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(data: previous)
    update(&hasher, UInt64(bitPattern: id))
    update(&hasher, UInt64(bitPattern: at))
    var fields = [Array(kind.utf8), lesson, seat, Array(payload.utf8)]
    if let relay { fields.append(relay) }
    for field in fields {
      update(&hasher, field.map { UInt32($0.count) } ?? .max)
      if let field { hasher.update(data: field) }
    }
    return Array(hasher.finalize())
  }

  static func update(_ hasher: inout SHA256, _ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { hasher.update(bufferPointer: $0) }
  }

  static func head(_ db: Database) throws -> (events: Int64, hash: [UInt8]) {
    guard let row = try Row.fetchOne(db, sql: "SELECT events, hash FROM chain WHERE id = 1") else {
      throw LedgerError.corruptRow
    }
    return (row["events"], try RowReading.bytes(row, "hash"))
  }

  /// What the next event follows.
  private struct Tip {
    var events: Int64
    var hash: [UInt8]
    /// Time of the last event; nil before the first.
    var at: Int64?
    var relay: [UInt8]
  }

  private static func tip(_ db: Database) throws -> Tip {
    let row = try Row.fetchOne(
      db.cachedStatement(
        sql: """
          SELECT chain.events, chain.hash, (SELECT at FROM events WHERE id = chain.events), relayIdentity.relay
          FROM chain JOIN relayIdentity ON relayIdentity.id = 1 WHERE chain.id = 1
          """))
    guard let row else { throw LedgerError.corruptRow }
    var columns = ColumnReader(row)
    return Tip(
      events: try columns.integer(), hash: try columns.bytes(), at: try columns.optionalInteger(),
      relay: try columns.bytes())
  }

  /// Appends one event and moves the head, in the transaction of the caller. Returns the event's id.
  ///
  /// The first event of a day, in China, also names the day before and its head, which is kept apart as well.
  static func append(_ db: Database, _ event: LedgerEvent, at: Int64) throws -> Int64 {
    let tip = try tip(db)
    var payload = try PayloadCoding.encode(event.payload)
    if let last = tip.at, CivilTime.date(of: last) != CivilTime.date(of: at) {
      let day = CivilTime.date(of: last)
      let link = [("previousDay", "\(day)"), ("previousHead", hexadecimal(tip.hash))]
      // An event that leaves no room for it is kept without: the day's head stands in its own table.
      payload = (try? PayloadCoding.encode(event.payload + link)) ?? payload
      try db.cachedStatement(sql: "INSERT INTO dayHeads (event, day, hash) VALUES (?, ?, ?)")
        .execute(arguments: [tip.events, "\(day)", tip.hash.databaseValue])
    }
    let id = tip.events + 1
    let lesson = event.lesson?.bytes
    let seat = event.seat?.bytes
    let hash = hash(
      previous: tip.hash, id: id, at: at, kind: event.kind.rawValue, lesson: lesson, seat: seat, payload: payload,
      relay: tip.relay)
    try db.cachedStatement(
      sql: "INSERT INTO events (id, at, kind, lesson, seat, payload, hash, relay) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    ).execute(arguments: [
      id, at, event.kind.rawValue, lesson?.databaseValue, seat?.databaseValue, payload, hash.databaseValue,
      tip.relay.databaseValue,
    ])
    try db.cachedStatement(sql: "UPDATE chain SET events = ?, hash = ? WHERE id = 1")
      .execute(arguments: [id, hash.databaseValue])
    return id
  }

  /// Walks log and trail in one snapshot; time and reading proportional to their lengths, memory constant.
  static func verify(_ db: Database) throws -> ChainVerification {
    let head = try head(db)
    // A file that was not migrated yet has no relay.
    let namesRelay = try db.columns(in: "events").contains { $0.name == "relay" }
    let relay =
      namesRelay ? try Row.fetchOne(db, sql: "SELECT relay FROM relayIdentity WHERE id = 1") : nil
    var walk = ChainWalk(relay: relay.flatMap { RowReading.blob($0["relay"]) })
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT id, at, kind, lesson, seat, payload, hash, \(namesRelay ? "relay" : "NULL AS relay")
        FROM events ORDER BY id
        """)
    while let row = try rows.next() { walk.take(row) }
    var firstBroken = walk.firstBroken
    if firstBroken == nil, walk.count != head.events || walk.previous != head.hash {
      firstBroken = min(walk.count, head.events) + 1
    }
    let trail = try AuditTrail.verify(db)
    return ChainVerification(
      events: Int(walk.count), isIntact: firstBroken == nil && trail.firstBroken == nil, firstBroken: firstBroken,
      head: hexadecimal(head.hash), auditEntries: trail.entries, firstBrokenAudit: trail.firstBroken)
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]] }, as: UTF8.self)
  }
}
