public import Classroom
internal import Foundation
internal import GRDB

/// A key that signs tokens, or did.
public struct TokenKey: Hashable, Sendable {
  /// The `kid` of tokens, 1…40 scalars.
  public var id: String
  /// 32 bytes, private.
  public var value: [UInt8]
  /// UTC milliseconds; the latest signs.
  public var madeAt: Int64

  public init(id: String, value: [UInt8], madeAt: Int64) {
    self.id = id
    self.value = value
    self.madeAt = madeAt
  }
}

/// That a token, or all tokens of a subject made before a time, are worth nothing any more.
public struct Revocation: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// `value` is a token's `jti`, or that of the session it belongs to.
    case token
    /// `value` is a person, device or seat.
    case subject
  }

  /// 1, 2, 3 … in the order they were made.
  public var id: Int64
  public var kind: Kind
  public var value: Identifier
  /// UTC milliseconds.
  public var at: Int64
  /// UTC milliseconds after which every token concerned has run out by itself.
  public var expires: Int64
}

/// A token that was made for somebody to keep; the token itself is not stored.
public struct IssuedToken: Hashable, Sendable {
  /// The token's `jti`.
  public var id: Identifier
  public var subject: Identifier
  public var grants: [Grant]
  /// What it is for, in words of whoever made it; 0…200 scalars.
  public var label: String
  /// UTC milliseconds.
  public var madeAt: Int64
  /// UTC milliseconds.
  public var expires: Int64

  public init(
    id: Identifier, subject: Identifier, grants: [Grant], label: String, madeAt: Int64, expires: Int64
  ) {
    self.id = id
    self.subject = subject
    self.grants = grants
    self.label = label
    self.madeAt = madeAt
    self.expires = expires
  }
}

extension LedgerStore {
  /// Keys that verify at once; a relay that rotates every month needs two or three.
  public static let tokenKeyLimit = 16
  public static let revocationLimit = 100_000
  public static let issuedTokenLimit = 100_000

  // MARK: Keys

  /// The keys, the first made first.
  public func tokenKeys() throws -> [TokenKey] { try read { try Self.tokenKeys($0) } }

  private static func tokenKeys(_ db: Database) throws -> [TokenKey] {
    try Row.fetchAll(db, sql: "SELECT id, value, madeAt FROM tokenKeys ORDER BY madeAt, rowid").map { row in
      TokenKey(
        id: try RowReading.value(row, "id"), value: try RowReading.bytes(row, "value"),
        madeAt: try RowReading.value(row, "madeAt"))
    }
  }

  /// The keys, with one made and kept when there was none. Two processes that start at once get the same.
  public func tokenKeys(orFirst make: () -> TokenKey) throws -> [TokenKey] {
    try write { db in
      let keys = try Self.tokenKeys(db)
      if !keys.isEmpty { return keys }
      let key = make()
      try Self.insert(key, db)
      return [key]
    }
  }

  /// Keeps a new key, which signs from now on, and lets go those made before `horizon` (UTC milliseconds), whose tokens
  /// have all run out. Throws `full` past `tokenKeyLimit`.
  public func rotateTokenKey(_ key: TokenKey, forgettingBefore horizon: Int64) throws {
    try write { db in
      try db.execute(sql: "DELETE FROM tokenKeys WHERE madeAt < ?", arguments: [horizon])
      let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM tokenKeys") ?? 0
      guard count < Self.tokenKeyLimit else { throw LedgerError.full }
      try Self.insert(key, db)
    }
  }

  private static func insert(_ key: TokenKey, _ db: Database) throws {
    try Limits.checkName(key.id, limit: Limits.codeScalars)
    guard key.value.count == 32 else { throw ClassroomError.badRange }
    try db.execute(
      sql: "INSERT INTO tokenKeys (id, value, madeAt) VALUES (?, ?, ?)",
      arguments: [key.id, key.value.databaseValue, key.madeAt])
  }

  // MARK: Revocation

  /// Revokes durably. Rows whose tokens have run out are let go first; throws `full` past `revocationLimit`.
  public func revoke(_ kind: Revocation.Kind, _ value: Identifier, until expires: Int64, by actor: Identifier?) throws
  {
    let now = clock()
    try write { db in
      try db.execute(sql: "DELETE FROM revocations WHERE expires < ?", arguments: [now])
      let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM revocations") ?? 0
      guard count < Self.revocationLimit else { throw LedgerError.full }
      try db.execute(
        sql: "INSERT INTO revocations (kind, value, at, expires, actor) VALUES (?, ?, ?, ?, ?)",
        arguments: [kind.rawValue, value.databaseValue, now, expires, actor.map(\.databaseValue) ?? .null])
    }
  }

  /// Revocations numbered above `after`, in order.
  public func revocations(after: Int64 = 0) throws -> [Revocation] {
    try read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT id, kind, value, at, expires FROM revocations WHERE id > ? ORDER BY id", arguments: [after])
      return try rows.map { row in
        Revocation(
          id: try RowReading.value(row, "id"), kind: try RowReading.choice(row, "kind"),
          value: try RowReading.identifier(row, "value"), at: try RowReading.value(row, "at"),
          expires: try RowReading.value(row, "expires"))
      }
    }
  }

  // MARK: Issued tokens

  /// Notes a token that somebody keeps, so that it can be listed and revoked. Throws `full` past `issuedTokenLimit`.
  public func noteIssued(_ token: IssuedToken) throws {
    try Limits.checkName(token.label, mayBeEmpty: true)
    let now = clock()
    try write { db in
      try db.execute(sql: "DELETE FROM issuedTokens WHERE expires < ?", arguments: [now])
      let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM issuedTokens") ?? 0
      guard count < Self.issuedTokenLimit else { throw LedgerError.full }
      try db.execute(
        sql: "INSERT INTO issuedTokens (id, subject, grants, label, madeAt, expires) VALUES (?, ?, ?, ?, ?, ?)",
        arguments: [
          token.id.databaseValue, token.subject.databaseValue, try Self.text(token.grants), token.label, token.madeAt,
          token.expires,
        ])
    }
  }

  /// Tokens that have not run out, of one subject, with one role, or of all, the latest first; revoked ones among
  /// them.
  public func issuedTokens(
    subject: Identifier? = nil, holding role: Role? = nil, limit: Int = listLimit
  ) throws -> [IssuedToken] {
    let now = clock()
    return try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, subject, grants, label, madeAt, expires FROM issuedTokens
          WHERE expires >= ?1 AND (?2 IS NULL OR subject = ?2) AND (?3 IS NULL OR instr(grants, ?3) > 0)
          ORDER BY madeAt DESC, rowid DESC LIMIT ?4
          """,
        arguments: [
          now, subject.map(\.databaseValue) ?? .null,
          role.map { "\"role\":\"\($0.rawValue)\"".databaseValue } ?? .null,
          limit,
        ])
      return try rows.map { row in
        IssuedToken(
          id: try RowReading.identifier(row, "id"), subject: try RowReading.identifier(row, "subject"),
          grants: try Self.grants(try RowReading.value(row, "grants")), label: try RowReading.value(row, "label"),
          madeAt: try RowReading.value(row, "madeAt"), expires: try RowReading.value(row, "expires"))
      }
    }
  }

  private static func text(_ grants: [Grant]) throws -> String {
    String(decoding: try JSONEncoder().encode(grants), as: UTF8.self)
  }

  private static func grants(_ text: String) throws -> [Grant] {
    guard let grants = try? JSONDecoder().decode([Grant].self, from: Data(text.utf8)) else {
      throw LedgerError.corruptRow
    }
    return grants
  }
}
