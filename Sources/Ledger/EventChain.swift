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
  /// preceded by its byte count (4; `ffffffff` for nil). Integers are big-endian. Version 1 of the format.
  static func hash(
    previous: [UInt8], id: Int64, at: Int64, kind: String, lesson: [UInt8]?, seat: [UInt8]?, payload: String
  ) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(data: previous)
    update(&hasher, UInt64(bitPattern: id))
    update(&hasher, UInt64(bitPattern: at))
    for field in [Array(kind.utf8), lesson, seat, Array(payload.utf8)] {
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

  /// Appends one event and moves the head, in the transaction of the caller. Returns the event's id.
  static func append(_ db: Database, _ event: LedgerEvent, at: Int64) throws -> Int64 {
    let payload = try PayloadCoding.encode(event.payload)
    let head = try head(db)
    let id = head.events + 1
    let lesson = event.lesson?.bytes
    let seat = event.seat?.bytes
    let hash = hash(
      previous: head.hash, id: id, at: at, kind: event.kind.rawValue, lesson: lesson, seat: seat, payload: payload)
    try db.cachedStatement(
      sql: "INSERT INTO events (id, at, kind, lesson, seat, payload, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
    ).execute(arguments: [
      id, at, event.kind.rawValue, lesson?.databaseValue, seat?.databaseValue, payload, hash.databaseValue,
    ])
    try db.cachedStatement(sql: "UPDATE chain SET events = ?, hash = ? WHERE id = 1")
      .execute(arguments: [id, hash.databaseValue])
    return id
  }

  /// Walks log and trail in one snapshot; time and reading proportional to their lengths, memory constant.
  static func verify(_ db: Database) throws -> ChainVerification {
    let head = try head(db)
    var previous = genesis
    var count: Int64 = 0
    var firstBroken: Int64?
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, at, kind, lesson, seat, payload, hash FROM events ORDER BY id")
    while let row = try rows.next() {
      count += 1
      guard firstBroken == nil else { continue }
      let fits = row["id"] == count ? matches(row, id: count, previous: previous) : nil
      if let fits { previous = fits } else { firstBroken = count }
    }
    if firstBroken == nil, count != head.events || previous != head.hash { firstBroken = min(count, head.events) + 1 }
    let trail = try AuditTrail.verify(db)
    return ChainVerification(
      events: Int(count), isIntact: firstBroken == nil && trail.firstBroken == nil, firstBroken: firstBroken,
      head: hexadecimal(head.hash), auditEntries: trail.entries, firstBrokenAudit: trail.firstBroken)
  }

  /// The row's hash when it is what the row's other columns give; nil otherwise, whatever the columns hold.
  private static func matches(_ row: Row, id: Int64, previous: [UInt8]) -> [UInt8]? {
    guard let at = Int64.fromDatabaseValue(row["at"]), let kind = String.fromDatabaseValue(row["kind"]),
      let payload = String.fromDatabaseValue(row["payload"]),
      let stored = RowReading.blob(row["hash"])
    else { return nil }
    let lesson: DatabaseValue = row["lesson"]
    let seat: DatabaseValue = row["seat"]
    let expected = hash(
      previous: previous, id: id, at: at, kind: kind, lesson: RowReading.blob(lesson),
      seat: RowReading.blob(seat), payload: payload)
    let columnsAreBlobs =
      (lesson.isNull || RowReading.blob(lesson) != nil) && (seat.isNull || RowReading.blob(seat) != nil)
    return columnsAreBlobs && expected == stored ? stored : nil
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]] }, as: UTF8.self)
  }
}
