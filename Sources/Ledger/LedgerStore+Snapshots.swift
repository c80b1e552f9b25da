public import Classroom
internal import Crypto
internal import Foundation
internal import GRDB

/// Figures as they were printed one day, signed, to be compared with later.
public struct FigureSnapshot: Hashable, Sendable {
  /// 1, 2, 3 …
  public var id: Int64
  /// UTC milliseconds.
  public var at: Int64
  /// Such as `coverage`.
  public var report: String
  public var from: String
  public var through: String
  public var scope: String
  public var actor: Identifier?
  /// The report as JSON.
  public var body: [UInt8]
  /// Ed25519 over the body, Base64.
  public var signature: String
  /// Whether this ledger's key signed the body as it is.
  public var isSigned: Bool
}

extension LedgerStore {
  /// Bytes of one snapshot.
  public static let snapshotByteLimit = 8 << 20

  /// Keeps figures for good; returns their number. Throws `payloadTooLarge`.
  public func keepSnapshot(
    report: String, from: String, through: String, scope: String, actor: Identifier?, body: [UInt8]
  ) throws -> Int64 {
    guard body.count <= Self.snapshotByteLimit else { throw LedgerError.payloadTooLarge }
    let key = try figureKey()
    let now = clock()
    let signature = try key.sign(body)
    return try write { db in
      try db.execute(
        sql: """
          INSERT INTO figureSnapshots (at, report, fromDay, throughDay, scope, actor, body, signature)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          now, report, from, through, scope, actor.databaseValue, body.databaseValue,
          Array(signature.utf8).databaseValue,
        ])
      return db.lastInsertedRowID
    }
  }

  /// The latest first, at most `limit`; one alone when `id` names it.
  public func snapshots(id: Int64? = nil, limit: Int = 200) throws -> [FigureSnapshot] {
    let key = try figurePublicKey()
    return try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, at, report, fromDay, throughDay, scope, actor, body, signature FROM figureSnapshots
          WHERE ?1 IS NULL OR id = ?1 ORDER BY id DESC LIMIT ?2
          """, arguments: [id, limit])
      return try rows.map { row in
        var columns = ColumnReader(row)
        var snapshot = FigureSnapshot(
          id: try columns.integer(), at: try columns.integer(), report: try columns.text(), from: try columns.text(),
          through: try columns.text(), scope: try columns.text(), actor: try columns.optionalIdentifier(),
          body: try columns.bytes(), signature: "", isSigned: false)
        snapshot.signature = String(decoding: try columns.bytes(), as: UTF8.self)
        snapshot.isSigned = FigureKey.isSignature(snapshot.signature, of: snapshot.body, by: key)
        return snapshot
      }
    }
  }
}
