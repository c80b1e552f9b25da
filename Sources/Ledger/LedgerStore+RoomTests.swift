public import Classroom
internal import GRDB

extension LedgerTransaction {
  /// Measurements that are kept of a room; older ones go, unless an acceptance was judged by them.
  public static let testsOfRoom = 200
  /// Acceptances of a room.
  public static let acceptancesOfRoom = 1_000

  /// Keeps what was measured in a room. Throws `ClassroomError`, and `notFound` for an unknown room.
  public func keep(_ test: RoomTest, by actor: Identifier) throws {
    try test.validate()
    try db.cachedStatement(
      sql: "INSERT INTO roomTests (id, room, takenAt, actor, result) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [
      test.id.databaseValue, test.room.databaseValue, test.takenAt, actor.databaseValue, try RoomTestCoding.text(test),
    ])
    try db.cachedStatement(
      sql: """
        DELETE FROM roomTests WHERE room = ?1 AND number <= (
          SELECT number FROM roomTests WHERE room = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)
        AND id NOT IN (SELECT test FROM roomAcceptances WHERE room = ?1)
        """
    ).execute(arguments: [test.room.databaseValue, Self.testsOfRoom])
  }

  /// Keeps what a room was judged by, and lets the room have it: its day of acceptance where all was met, its line as
  /// measured. A room that fails as a receiver is accepted no more.
  ///
  /// Throws `notFound` for a room or measurement that does not exist, `full` past `acceptancesOfRoom`.
  public func keep(_ acceptance: RoomAcceptance) throws {
    let id = acceptance.room.databaseValue
    guard var room = try Room.fetch(db, id: acceptance.room),
      let test = try RoomTestCoding.test(db, "id = ? AND room = ?", [acceptance.test.databaseValue, id])
    else { throw LedgerError.notFound }
    let count = try Int.fetchOne(
      db.cachedStatement(sql: "SELECT COUNT(*) FROM roomAcceptances WHERE room = ?"), arguments: [id])
    guard count ?? 0 < Self.acceptancesOfRoom else { throw LedgerError.full }
    try db.cachedStatement(
      sql: """
        INSERT INTO roomAcceptances (room, test, at, actor, purpose, profile, profileVersion, isAccepted, findings)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      id, acceptance.test.databaseValue, acceptance.at, acceptance.actor.databaseValue, acceptance.use.rawValue,
      acceptance.profile, acceptance.profileVersion, acceptance.isAccepted,
      try RoomTestCoding.text(acceptance.findings),
    ])
    if acceptance.isAccepted {
      room.acceptedAt = acceptance.at
    } else if acceptance.use == .receiving {
      room.acceptedAt = nil
    }
    room.downlink = Int(min(test.downlink / 1_000, 100_000_000))
    room.uplink = Int(min(test.uplink / 1_000, 100_000_000))
    try upsert(room)
  }
}

extension LedgerStore {
  /// What was measured in a room, the latest first.
  public func tests(room: Identifier, limit: Int = 20) throws -> [RoomTest] {
    try read { db in
      let rows = try Row.fetchCursor(
        db, sql: "SELECT result FROM roomTests WHERE room = ? ORDER BY number DESC LIMIT ?",
        arguments: [room.databaseValue, limit])
      var tests: [RoomTest] = []
      while let row = try rows.next() { tests.append(try RoomTestCoding.value(row)) }
      return tests
    }
  }

  /// When each room was measured last, UTC milliseconds; rooms that never were are not in it.
  public func latestTests() throws -> [Identifier: Int64] {
    try read { db in
      let rows = try Row.fetchCursor(db, sql: "SELECT room, MAX(takenAt) FROM roomTests GROUP BY room")
      var latest: [Identifier: Int64] = [:]
      while let row = try rows.next() {
        var columns = ColumnReader(row)
        latest[try columns.identifier()] = try columns.integer()
      }
      return latest
    }
  }

  /// What a room was judged by, the latest first.
  public func acceptances(room: Identifier, limit: Int = 20) throws -> [RoomAcceptance] {
    try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT room, at, actor, test, purpose, profile, profileVersion, findings FROM roomAcceptances
          WHERE room = ? ORDER BY number DESC LIMIT ?
          """, arguments: [room.databaseValue, limit])
      var acceptances: [RoomAcceptance] = []
      while let row = try rows.next() {
        var columns = ColumnReader(row)
        acceptances.append(
          RoomAcceptance(
            room: try columns.identifier(), at: try columns.integer(), actor: try columns.identifier(),
            test: try columns.identifier(), use: try columns.choice(), profile: try columns.text(),
            profileVersion: try columns.integer(), findings: try RoomTestCoding.value(of: try columns.text())))
      }
      return acceptances
    }
  }

  /// When a seat in the room was last connected, UTC milliseconds; nil when none ever was.
  public func lastConnected(room: Identifier) throws -> Int64? {
    try read { db in
      try Int64.fetchOne(
        db,
        sql: """
          SELECT MAX(at) FROM events WHERE seat IN (SELECT id FROM seats WHERE room = ?)
          AND kind IN ('seatJoined', 'seatLeft', 'peerConnected', 'peerLost')
          """, arguments: [room.databaseValue])
    }
  }
}

/// Measurements and findings as JSON.
private enum RoomTestCoding {
  static func text(_ value: some Encodable) throws -> String { try ListText.text(value) }

  static func value<Value: Decodable>(of text: String) throws -> Value {
    try ListText.decode(text)
  }

  static func value(_ row: Row) throws -> RoomTest {
    var columns = ColumnReader(row)
    return try value(of: try columns.text())
  }

  static func test(_ db: Database, _ condition: String, _ arguments: StatementArguments) throws -> RoomTest? {
    try Row.fetchOne(db, sql: "SELECT result FROM roomTests WHERE \(condition)", arguments: arguments).map(value)
  }
}
